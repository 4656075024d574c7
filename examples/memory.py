"""How does a LlamaIndex agent remember yesterday's conversation?

`python examples/memory.py` lets an agent answer, drops everything except a SQLite file, and lets a new agent continue
from it; it prints both answers and how many messages each agent found. With `--live`, Vertex AI answers.
"""

import asyncio
import tempfile
from pathlib import Path

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.memory import Memory
from place import start
from sqlalchemy.ext.asyncio import create_async_engine

from vertex_compat_integrations.llama_index import VertexCompat

QUESTIONS = ("What is the weather in Paris and Oslo?", "And what is the weather in Rome?")


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"It rains in {city}."


async def ask(question: str, file: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    # The number of words is close enough, and LlamaIndex's own tokenizer takes seconds to load.
    memory = Memory.from_defaults(session_id="1", async_engine=engine, tokenizer_fn=str.split)
    try:
        print(f"{len(await memory.aget_all())} messages in the memory")
        async with VertexCompat(model="google/gemini-3.5-flash") as llm:
            agent = FunctionAgent(tools=[get_weather], llm=llm)
            print(await agent.run(question, memory=memory))
    finally:
        await engine.dispose()


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for question in QUESTIONS:
            asyncio.run(ask(question, Path(folder) / "memory.sqlite"))


if __name__ == "__main__":
    start(run)
