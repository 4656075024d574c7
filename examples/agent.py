"""A LangChain agent with two tools over two turns, streamed.

`python examples/agent.py` runs offline against the emulator. `python examples/agent.py --live` asks Vertex AI as your
Application Default Credentials say (project from GOOGLE_CLOUD_PROJECT), or the emulator that
VERTEX_COMPAT_EMULATOR_HOST names.
"""

import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat

QUESTIONS = ("What is the weather in Paris and Oslo?", "And what is the local time in Oslo?")


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


def get_local_time(city: str) -> str:
    """The local time in a city."""
    return f"It is 14:05 in {city}."


def run(**place: Any) -> None:
    model = ChatVertexCompat(model="google/gemini-3.5-flash", **place)
    agent = create_agent(model, [get_weather, get_local_time], checkpointer=InMemorySaver())
    for question in QUESTIONS:
        print(f"\n> {question}")
        turn = {"messages": [("user", question)]}
        for piece, _ in agent.stream(turn, {"configurable": {"thread_id": "1"}}, stream_mode="messages"):
            if isinstance(piece, AIMessageChunk):
                for call in piece.tool_call_chunks:
                    print(f"[{call['name']}{call['args']}]")
                print(piece.text, end="", flush=True)
    print()


if __name__ == "__main__":
    if "--live" in sys.argv:
        run()
    else:
        with Emulator() as emulator:
            run(base_url=emulator.base_url(), api_key=emulator.identity.issue())
