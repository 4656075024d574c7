"""Context caches in LlamaIndex: `CachePoint` blocks, and the `with` statement."""

import asyncio
import copy
import pickle

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import CacheControl, CachePoint, ChatMessage, TextBlock, ToolCallBlock
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations import VertexCompatWarning
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
        ([SYSTEM, ChatMessage(content=[POINT, TextBlock(text="u")])], 1, 1),
        ([SYSTEM, ChatMessage(content=[TextBlock(text=""), POINT, TextBlock(text="u")])], 1, 1),
        ([ChatMessage(role="system", content=[POINT, TextBlock(text="s")]), ChatMessage(content="u")], 1, 1),
        ([ChatMessage(content="a"), ChatMessage(content=[TextBlock(text="u"), POINT, TextBlock(text="")])], 1, 1),
        ([ChatMessage(content=[POINT, TextBlock(text="u")])], 0, 1),
    ],
)
def test_the_last_point_is_the_boundary(messages, prefix, rest):
    marked = encode_messages(messages)
    assert (len(marked.prefix), len(marked.rest)) == (prefix, rest)


@pytest.mark.parametrize("role", ["user", "system"])
def test_a_message_that_a_point_divides_is_sent_undivided_if_nothing_is_cached(role, llm, emulator):
    divided = ChatMessage(role=role, content=[TextBlock(text="short"), POINT, TextBlock(text="too")])
    undivided = divided.model_copy(update={"blocks": [divided.blocks[0], divided.blocks[2]]})
    question = ChatMessage(content="Well?")
    llm.chat([divided, question])
    llm.chat([undivided, question])
    first, second = emulator.journal.chat
    assert first.messages == second.messages
    assert not emulator.journal.caches


def test_a_point_at_the_beginning_of_a_message_caches_what_is_before_the_message(llm, emulator):
    question = ChatMessage(content=[POINT, TextBlock(text="How deep is it?")])
    assert cached_tokens(llm.chat([ChatMessage(role="system", content=LONG), question])) > 4096
    assert emulator.journal.last.messages == [{"role": "user", "content": "How deep is it?"}]


def test_agents_use_it_with_their_tools(llm, emulator):
    llm.chat_with_tools([FunctionTool.from_defaults(lookup)], chat_history=MARKED)
    assert "tools" in emulator.journal.caches[1].body
    assert "tools" not in emulator.journal.last.body


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # LlamaIndex's workflows look at every attribute
def test_an_agent_calls_cached_tools(llm, emulator):
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(lookup)], llm=llm)
    question = ChatMessage(content=[POINT, TextBlock(text="Look up the word 'harbour'.")])

    async def run():
        return await agent.run(question, chat_history=[ChatMessage(role="system", content=LONG)])

    answer = asyncio.run(run())
    assert [(call.tool_name, call.tool_kwargs) for call in answer.tool_calls] == [("lookup", {"word": "harbour"})]
    assert all("tools" not in entry.body and entry.status == 200 for entry in emulator.journal.chat)


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


def test_a_point_may_be_first_in_its_message(llm, emulator):
    question = ChatMessage(content=[POINT, TextBlock(text="How deep is it?")])
    assert cached_tokens(llm.chat([ChatMessage(role="system", content=LONG), question])) > 4096
    assert emulator.journal.last.body["messages"] == [{"role": "user", "content": "How deep is it?"}]


def test_a_pickle_has_the_messages(llm):
    with llm.context_cache([ChatMessage(content=LONG)]) as cached:
        copies = pickle.loads(pickle.dumps(cached)), copy.deepcopy(cached), copy.copy(cached)
    assert [each._prefix for each in copies] == [cached._prefix] * 3
    assert pickle.loads(pickle.dumps(llm))._prefix is None


def test_other_tools_of_a_call_are_not_lost(llm, emulator):
    def note(word: str) -> str:
        """Note a word."""
        return word

    tools = [FunctionTool.from_defaults(lookup)]
    with llm.context_cache([ChatMessage(content=LONG)], tools) as cached:
        assert cached_tokens(cached.chat_with_tools(tools, "How deep?")) > 4096
        with pytest.warns(VertexCompatWarning, match="other tools"):
            cached.chat_with_tools([FunctionTool.from_defaults(note)], "How deep?")
    sent = emulator.journal.chat[-1].body
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["note"]


def test_a_mark_survives_a_cancelled_call(llm, emulator):
    call = ToolCallBlock(tool_call_id="1", tool_name="lookup", tool_kwargs={"word": "x"})
    history = [*MARKED[:1], ChatMessage("Hello"), ChatMessage(role="assistant", content=[call]), *MARKED[1:]]
    with pytest.warns(VertexCompatWarning, match="no result"):
        answer = llm.chat_with_tools([FunctionTool.from_defaults(lookup)], chat_history=history)
    assert cached_tokens(answer) > 4096
    assert len(emulator.journal.last.body["messages"]) == 1
