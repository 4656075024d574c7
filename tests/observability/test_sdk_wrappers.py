"""Tracers wrap what the SDK's `request` returns in a proxy that iterates by `next`; calls go on all the same."""

import openai
import pytest
from llama_index.core.llms import ChatMessage


class Proxy:
    """What tracers make of a stream: its attributes, and an iteration of their own."""

    def __init__(self, stream):
        self._stream = stream
        self.blocks = 0

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def __iter__(self):
        return self

    def __next__(self):
        block = self._stream.__next__()
        self.blocks += 1
        return block

    def __aiter__(self):
        return self

    async def __anext__(self):
        block = await self._stream.__anext__()
        self.blocks += 1
        return block


@pytest.fixture
def proxies(monkeypatch) -> list[Proxy]:
    made = []
    plain, asynchronous = openai.OpenAI.request, openai.AsyncOpenAI.request

    def request(self, *arguments, **options):
        made.append(Proxy(plain(self, *arguments, **options)))
        return made[-1]

    async def arequest(self, *arguments, **options):
        made.append(Proxy(await asynchronous(self, *arguments, **options)))
        return made[-1]

    monkeypatch.setattr(openai.OpenAI, "request", request)
    monkeypatch.setattr(openai.AsyncOpenAI, "request", arequest)
    return made


async def test_every_way_of_calling_works_through_a_proxy(watched, proxies):
    hello = [ChatMessage(role="user", content="Hello")]
    model, llm = watched.chat_model, watched.llm
    said = [
        model.invoke("Hello").text,
        "".join(chunk.text for chunk in model.stream("Hello")),
        (await model.ainvoke("Hello")).text,
        "".join([chunk.text async for chunk in model.astream("Hello")]),
        llm.chat(hello).message.content,
        "".join(response.delta for response in llm.stream_chat(hello)),
        (await llm.achat(hello)).message.content,
        "".join([response.delta async for response in await llm.astream_chat(hello)]),
    ]
    assert len(set(said)) == 1
    assert "Hello" in said[0]
    assert len(proxies) == 8
    assert all(proxy.blocks for proxy in proxies)
    await model.aclose()
    await llm.aclose()


def test_the_connection_serves_again(watched, proxies):
    for _ in range(3):
        watched.chat_model.invoke("Hello")
    assert len({entry.peer for entry in watched.emulator.journal.chat}) == 1
