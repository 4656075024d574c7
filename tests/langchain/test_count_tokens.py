"""Exact counts in LangChain: by the service, in its vocabulary; the estimate stays the default."""

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages

from vertex_compat_integrations.langchain import SettingsError, UnsupportedContentError

HISTORY = [SystemMessage("Be brief."), HumanMessage("How deep is the harbour of Kobe?")]


def lookup(word: str) -> str:
    """Look a word up in the large dictionary."""
    return word


def test_it_is_the_count_of_the_call(chat, emulator):
    model = chat()
    count = model.count_tokens(HISTORY)
    assert count == asyncio.run(model.acount_tokens(HISTORY))
    assert count == model.get_num_tokens_from_messages(HISTORY, exact=True)
    assert count == model.invoke(HISTORY).usage_metadata["input_tokens"]
    assert len(emulator.journal.counts) == 3


def test_tools_are_counted_as_they_are_bound(chat):
    model = chat()
    answer = model.bind_tools([lookup], tool_choice="lookup").invoke(HISTORY)
    assert model.count_tokens(HISTORY, tools=[lookup]) == answer.usage_metadata["input_tokens"]
    assert (
        model.get_num_tokens_from_messages(HISTORY, tools=[lookup], exact=True) == answer.usage_metadata["input_tokens"]
    )
    (call,) = answer.tool_calls
    more = [*HISTORY, answer, ToolMessage("no such word", tool_call_id=call["id"])]
    counted = asyncio.run(model.acount_tokens(more, tools=[lookup]))
    assert counted == model.bind_tools([lookup]).invoke(more).usage_metadata["input_tokens"]


def test_any_input_and_the_options_of_a_call(chat):
    model = chat()
    assert model.count_tokens("Hello") == model.count_tokens([("user", "Hello")], timeout=5.0, temperature=0)
    assert model.count_tokens([]) == 0


def test_the_estimate_is_the_default_and_sends_nothing(chat, emulator):
    assert chat().get_num_tokens_from_messages(HISTORY) > 0
    assert not emulator.journal.counts


def test_histories_are_trimmed_by_it(chat, emulator):
    model = chat()
    call = {"name": "lookup", "args": {"word": "a"}, "id": "1"}
    history = [
        SystemMessage("Be brief."),
        HumanMessage("word " * 100),
        AIMessage("", tool_calls=[call]),
        ToolMessage("no", tool_call_id="1"),
        AIMessage("word " * 100),
        HumanMessage("Hello"),
    ]
    kept = trim_messages(
        history, max_tokens=60, token_counter=model.exact_counter(), start_on="human", include_system=True
    )
    assert kept == [history[0], history[-1]]
    assert emulator.journal.counts
    assert model.exact_counter(tools=[lookup])(history) > model.exact_counter()(history)


def test_errors_are_langchains(chat):
    with pytest.raises(SettingsError):
        chat(model="openai/gpt-oss-120b-maas").count_tokens("Hello")
    with pytest.raises(UnsupportedContentError):
        asyncio.run(chat(cached_content="projects/p/locations/l/cachedContents/1").acount_tokens("Hello"))
