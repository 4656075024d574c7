"""How do I show an answer while it is generated, synchronously and asynchronously?

`python examples/streaming.py` prints two answers piece by piece, with `|` between the pieces, and the token count of
the first one. With `--live`, Vertex AI answers.
"""

import asyncio

from langchain_core.messages import AIMessageChunk
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
QUESTION = "Count from one to five in words."


def stream() -> None:
    whole = AIMessageChunk("")
    for chunk in ChatVertexCompat(model=MODEL).stream(QUESTION):
        print(chunk.text, end="|", flush=True)
        whole += chunk
    print(f"\n{whole.usage_metadata['total_tokens']} tokens in all")


async def stream_asynchronously() -> None:
    async with VertexCompat(model=MODEL) as llm:
        async for response in await llm.astream_complete(QUESTION):
            print(response.delta, end="|", flush=True)
    print()


def run() -> None:
    stream()
    asyncio.run(stream_asynchronously())


if __name__ == "__main__":
    start(run)
