"""How do I stream an agent with tools, over several turns?

`python examples/agent.py` prints two turns of a LangChain agent as they are streamed: the calls of its two tools, and
the answers. With `--live`, Vertex AI answers.
"""

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langgraph.checkpoint.memory import InMemorySaver
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat

QUESTIONS = ("What is the weather in Paris and Oslo?", "And what is the local time in Oslo?")


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


def get_local_time(city: str) -> str:
    """The local time in a city."""
    return f"It is 14:05 in {city}."


def run() -> None:
    model = ChatVertexCompat(model="google/gemini-3.5-flash")
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
    start(run)
