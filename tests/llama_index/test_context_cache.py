"""Context caches in LlamaIndex: `CachePoint` blocks, and the `with` statement."""

import asyncio

import pytest
from llama_index.core.base.llms.types import CacheControl, CachePoint, ChatMessage, TextBlock
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.llama_index import SettingsError
from vertex_compat_integrations.llama_index.messages.encode import encode_messages

LONG = "The harbour of Kobe is deep. " * 1000
POINT = CachePoint(cache_control=CacheControl(type="ephemeral", ttl="5m"))
SYSTEM = ChatMessage(role="system", content="Be brief.")
MARKED = [SYSTEM, ChatMessage(content=[TextBlock(text=LONG), POINT, TextBlock(text="How deep is it?")])]


def lookup(word: str) -> str:
    """Look a word up in the large dictionary."""
    return word


def cached_tokens(response) -> int:
    return response.raw["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_a_cache_point_caches_what_is_before_it(llm, emulator):
    assert cached_tokens(llm.chat(MARKED)) > 4096
    assert cached_tokens(asyncio.run(llm.achat(MARKED))) > 4096
    assert cached_tokens(list(llm.stream_chat(MARKED))[-1]) > 4096

    async def pieces():
        return [piece async for piece in await llm.astream_chat(MARKED)]

    assert cached_tokens(asyncio.run(pieces())[-1]) > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST"]
    assert emulator.journal.caches[1].body["ttl"] == "300s"
    assert emulator.journal.last.body["messages"] == [{"role": "user", "content": "How deep is it?"}]


def test_an_explanation_shows_the_cache_and_the_rest(llm, emulator):
    explanation = llm.explain_request(MARKED)
    assert len(emulator.journal) == 0
    llm.chat(MARKED)
    assert emulator.journal.caches[1].body == explanation.cache.body
    assert emulator.journal.last.body["messages"] == explanation.body["messages"]


@pytest.mark.parametrize(
    ("messages", "prefix", "rest"),
    [
        ([ChatMessage(role="system", content=[TextBlock(text="s"), POINT]), ChatMessage(content="u")], 1, 1),
        (MARKED, 2, 1),
        ([SYSTEM, ChatMessage(content=[TextBlock(text="u"), POINT])], 1, 1),
    ],
)
def test_the_last_point_is_the_boundary(messages, prefix, rest):
    marked = encode_messages(messages)
    assert (len(marked.prefix), len(marked.rest)) == (prefix, rest)


def test_agents_use_it_with_their_tools(llm, emulator):
    llm.chat_with_tools([FunctionTool.from_defaults(lookup)], chat_history=MARKED)
    assert "tools" in emulator.journal.caches[1].body
    assert "tools" not in emulator.journal.last.body


def test_a_with_statement_gives_the_llm(llm, emulator):
    tool = FunctionTool.from_defaults(lookup)
    with llm.context_cache([SYSTEM, ChatMessage(content=LONG)], [tool], ttl=120) as cached:
        assert cached_tokens(cached.chat([ChatMessage(content="How deep?")])) > 4096
        assert cached.complete("How deep?").text
        assert cached.count_tokens([ChatMessage(content="How deep?")]) > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST", "DELETE"]
    with pytest.raises(SettingsError, match="has a context cache"):
        cached.context_cache([SYSTEM])


def test_an_async_with_statement_gives_the_llm(llm, emulator):
    async def use():
        async with llm.context_cache([ChatMessage(content=LONG)]) as cached:
            return await cached.achat([ChatMessage(content="How deep?")])

    assert cached_tokens(asyncio.run(use())) > 4096


def test_a_short_prefix_is_refused(llm):
    with pytest.raises(SettingsError, match="needs 4,096"):
        llm.context_cache([SYSTEM])
