"""Context caches in LangChain: marks on content blocks, the `with` statement, and the middleware of agents."""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import ConfigurableField

from vertex_compat_integrations import VertexCompatWarning
from vertex_compat_integrations.emulator import http_error
from vertex_compat_integrations.langchain import SettingsError
from vertex_compat_integrations.langchain.messages.encode import encode_messages
from vertex_compat_integrations.langchain.middleware import ContextCacheMiddleware

LONG = "The harbour of Kobe is deep. " * 1000
MARK = {"type": "ephemeral", "ttl": "600s"}


def lookup(word: str) -> str:
    """Look a word up in the large dictionary."""
    return word


def block(text, **more):
    return {"type": "text", "text": text, **more}


MARKED = [SystemMessage("Be brief."), HumanMessage([block(LONG, cache_control=MARK), block("How deep is it?")])]


def cached_tokens(message) -> int:
    return message.usage_metadata["input_token_details"]["cache_read"]


def test_a_mark_caches_what_is_before_it(chat, emulator):
    model = chat()
    assert cached_tokens(model.invoke(MARKED)) > 4096
    assert cached_tokens(asyncio.run(model.ainvoke(MARKED))) > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST"]
    assert emulator.journal.caches[1].body["ttl"] == "600s"
    assert emulator.journal.last.body["messages"] == [{"role": "user", "content": [block("How deep is it?")]}]


def test_an_explanation_shows_the_cache_and_the_rest(chat, emulator):
    model = chat().bind_tools([lookup])
    explanation = model.explain_request(MARKED)
    assert len(emulator.journal) == 0
    model.invoke(MARKED)
    assert emulator.journal.caches[1].body == explanation.cache.body
    assert emulator.journal.last.body["messages"] == explanation.body["messages"]


def test_streams_and_bound_tools_use_it(chat, emulator):
    model = chat().bind_tools([lookup])
    whole = None
    for chunk in model.stream(MARKED):
        whole = chunk if whole is None else whole + chunk
    assert cached_tokens(whole) > 4096
    assert "tools" in emulator.journal.caches[1].body
    assert "tools" not in emulator.journal.last.body


@pytest.mark.parametrize(
    ("messages", "prefix", "rest"),
    [
        ([SystemMessage([block("s", cache_control=MARK)]), HumanMessage("u")], 1, 1),
        ([SystemMessage([block("s"), {"type": "cachePoint"}]), HumanMessage("u")], 1, 1),
        ([SystemMessage([block("s"), {"cachePoint": {"type": "default"}}]), HumanMessage("u")], 1, 1),
        ([HumanMessage([block("a"), {"cachePoint": {"type": "default"}}, block("b")])], 1, 1),
        ([HumanMessage([block("a", cache_control=MARK), block("b")])], 1, 1),
        ([HumanMessage([block("a", cache_control=MARK)]), AIMessage("x"), HumanMessage("u")], 0, 3),
        ([HumanMessage("a"), AIMessage([block("x", cache_control=MARK)]), HumanMessage("u")], 2, 1),
        ([SystemMessage("s"), HumanMessage([block("u", cache_control=MARK)])], 1, 1),
    ],
)
def test_the_last_mark_is_the_boundary(messages, prefix, rest):
    marked = encode_messages(messages)
    assert (len(marked.prefix), len(marked.rest)) == (prefix, rest)


def test_a_cache_point_of_bedrock_may_name_its_life():
    """`create_cache_point()` returns `{"cachePoint": {"type": "default"}}`, without a type outside."""
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert encode_messages([SystemMessage([block("s"), point]), HumanMessage("u")]).ttl == 3600.0
    assert encode_messages([SystemMessage([block("s"), {"cachePoint": {"ttl": "5m"}}]), HumanMessage("u")]).ttl == 300.0


@pytest.mark.parametrize("kind", [HumanMessage, SystemMessage])
def test_a_message_that_a_mark_divides_is_sent_undivided_if_nothing_is_cached(kind, chat, emulator):
    for marks in ({"cache_control": MARK}, {}):
        chat().invoke([kind([block("short", **marks), block("too")]), HumanMessage("Well?")])
    first, second = emulator.journal.chat
    assert first.messages == second.messages
    assert not emulator.journal.caches


def test_without_marks_there_is_a_plain_list():
    assert type(encode_messages([HumanMessage([block("a")]), HumanMessage("b")])) is list


def test_a_with_statement_gives_the_model(chat, emulator):
    with chat().context_cache([SystemMessage("Be brief."), HumanMessage(LONG)], tools=[lookup], ttl="5m") as cached:
        assert cached_tokens(cached.invoke("How deep?")) > 4096
        assert cached_tokens(cached.invoke("How deep?", timeout=9.0)) > 4096
        assert cached.count_tokens("How deep?") > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST", "DELETE"]
    with pytest.raises(SettingsError, match="has a context cache"):
        cached.context_cache(LONG)


def test_an_async_with_statement_gives_the_model(chat, emulator):
    async def use():
        async with chat().context_cache([HumanMessage(LONG)]) as cached:
            return await cached.ainvoke("How deep?")

    assert cached_tokens(asyncio.run(use())) > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST", "DELETE"]


def test_a_changed_setting_loses_no_prefix(chat):
    with chat().context_cache([HumanMessage(LONG)]) as cached:
        cached.timeout = 7.0
        assert cached_tokens(cached.invoke("How deep?")) > 4096


@pytest.mark.parametrize(
    ("model", "words"), [("google/gemini-4-argon", "no explicit"), ("openai/gpt-oss-120b-maas", "Gemini")]
)
def test_a_model_without_caches_is_refused(model, words, chat):
    with pytest.raises(SettingsError, match=words):
        chat(model=model).context_cache(LONG)


def test_an_agents_system_message_and_tools_are_cached(chat, emulator):
    agent = create_agent(chat(), [lookup], system_prompt=LONG, middleware=[ContextCacheMiddleware(ttl="5m")])
    state = agent.invoke({"messages": [HumanMessage("Hello")]})
    assert cached_tokens(state["messages"][-1]) > 4096
    state = asyncio.run(agent.ainvoke({"messages": [*state["messages"], HumanMessage("And?")]}))
    assert cached_tokens(state["messages"][-1]) > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST"]
    assert set(emulator.journal.caches[1].body) >= {"systemInstruction", "tools"}


def test_an_agent_without_a_system_message_is_unchanged(chat, emulator):
    agent = create_agent(chat(), [lookup], middleware=[ContextCacheMiddleware()])
    agent.invoke({"messages": [HumanMessage("Hello")]})
    assert not emulator.journal.caches


def test_caches_of_answers_know_the_messages(chat):
    answers = InMemoryCache()
    set_llm_cache(answers)
    try:
        model = chat()
        with model.context_cache(LONG) as one, model.context_cache(LONG.replace("Kobe", "Cork")) as other:
            counts = [len(answers._cache) for each in (one, other, model, one) if each.invoke("How deep?")]
    finally:
        set_llm_cache(None)
    assert counts == [1, 2, 3, 3]


def test_a_statement_raises_langchains_errors(chat, emulator):
    emulator.rule(http_error(429), route="caches")
    scope = chat(max_retries=0).context_cache(LONG)
    with pytest.raises(ModelRateLimitError), scope:
        pass

    async def use():
        async with scope:
            pass

    with pytest.raises(ModelRateLimitError):
        asyncio.run(use())


def test_other_tools_of_a_call_are_not_lost(chat, emulator):
    def note(word: str) -> str:
        """Note a word."""
        return word

    schema = {"title": "Note", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    with chat(tools=[note]).context_cache(LONG, tools=[lookup]) as cached:
        assert cached_tokens(cached.invoke("How deep?")) > 4096
        assert cached_tokens(cached.bind_tools([lookup]).invoke("How deep?")) > 4096
        with pytest.warns(VertexCompatWarning, match="other tools"):
            cached.bind_tools([note]).invoke("How deep?")
        assert [tool["function"]["name"] for tool in emulator.journal.last.body["tools"]] == ["note"]
        assert "word" in cached.with_structured_output(schema, method="function_calling").invoke("How deep?")


def test_a_model_without_its_messages_is_refused(chat):
    field = ConfigurableField(id="temperature")
    with chat().context_cache(LONG) as cached, pytest.raises(SettingsError, match="configurable"):
        cached.configurable_fields(temperature=field)


def test_a_middlewares_life_has_no_exponent(chat, emulator):
    agent = create_agent(chat(), system_prompt=LONG, middleware=[ContextCacheMiddleware(ttl="336h")])
    agent.invoke({"messages": [HumanMessage("Hello")]})
    assert emulator.journal.caches[1].body["ttl"] == "1209600s"


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_the_emulators_model_calls_cached_tools(way, chat, emulator):
    agent = create_agent(chat(), [lookup], system_prompt=LONG, middleware=[ContextCacheMiddleware()])
    question = {"messages": [HumanMessage("Look up the word 'harbour'.")]}
    state = agent.invoke(question) if way == "invoke" else asyncio.run(agent.ainvoke(question))
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert all(cached_tokens(message) > 4096 for message in state["messages"] if message.type == "ai")
    schema = {"title": "Word", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    assert "word" in chat().with_structured_output(schema, method="function_calling").invoke(MARKED)
    assert cached_tokens(chat().bind_tools([lookup], tool_choice="none").invoke(MARKED)) > 4096


def test_a_search_in_a_cache_hides_no_cost(chat, emulator):
    model = chat(cost=True).bind_tools([{"google_search": {}}])
    with pytest.warns(VertexCompatWarning, match="Google's own tools are not cached with cost=True"):
        cost = model.invoke(MARKED).response_metadata["cost"]
    assert cost["usd"] is None
    assert not emulator.journal.caches
    assert cached_tokens(chat().bind_tools([{"google_search": {}}]).invoke(MARKED)) > 4096
