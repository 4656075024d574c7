"""How does an agent continue in a new process, in the middle of a turn?

`python examples/resume.py` starts two processes. The first one asks and stops before the tools, as if it waited for the
user's approval; the second one reads the conversation from a SQLite file, runs the tools and answers. Gemini 3 accepts
the turn only with its thought signature, which is stored in the file. With `--live`, Vertex AI answers.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from langchain.agents import create_agent
from langgraph.checkpoint.sqlite import SqliteSaver
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat

THREAD = {"configurable": {"thread_id": "1"}}


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


def work(file: str, question: str | None = None) -> None:
    """Run the first part of a turn if there is a question, otherwise the rest of it."""
    with SqliteSaver.from_conn_string(file) as checkpoints:
        model = ChatVertexCompat(model="google/gemini-3.5-flash")
        pause = ["tools"] if question else []
        agent = create_agent(model, [get_weather], checkpointer=checkpoints, interrupt_before=pause)
        kept = agent.get_state(THREAD).values.get("messages", [])
        print(f"Process {os.getpid()} found {len(kept)} messages.")
        messages = agent.invoke({"messages": [("user", question)]} if question else None, THREAD)["messages"]
        print(messages[-1].text or [f"may I call {call['name']}({call['args']})?" for call in messages[-1].tool_calls])


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The children send requests where the environment points: to this process's emulator, or to Vertex AI.
        command = [sys.executable, __file__, "--work", str(Path(folder) / "agent.sqlite")]
        for question in (["What is the weather in Paris and Oslo?"], []):
            subprocess.run([*command, *question], check=True)  # noqa: S603 - this very file


if __name__ == "__main__":
    if "--work" in sys.argv:
        work(*sys.argv[2:])
    else:
        start(run)
