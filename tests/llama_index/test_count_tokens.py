"""Exact counts in LlamaIndex: by the service, in its vocabulary."""

import asyncio

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.llama_index import SettingsError, UnsupportedContentError

HISTORY = [ChatMessage(role="system", content="Be brief."), ChatMessage(content="How deep is the harbour of Kobe?")]


def lookup(word: str) -> str:
    """Look a word up in the large dictionary."""
    return word


def prompt_tokens(response) -> int:
    return response.raw["usage"]["prompt_tokens"]


def test_it_is_the_count_of_the_call(llm, emulator):
    count = llm.count_tokens(HISTORY)
    assert count == asyncio.run(llm.acount_tokens(HISTORY)) == llm.exact_counter()(HISTORY)
    assert len(emulator.journal.counts) == 3
    assert count == prompt_tokens(llm.chat(HISTORY))


def test_tools_are_counted(llm):
    tool = FunctionTool.from_defaults(lookup)
    answer = llm.chat_with_tools([tool], chat_history=HISTORY)
    assert llm.count_tokens(HISTORY, [tool]) == prompt_tokens(answer)
    assert asyncio.run(llm.acount_tokens(HISTORY, tools=[tool])) == llm.exact_counter([tool])(HISTORY)


def test_a_prompt_may_be_counted(llm):
    count = llm.count_tokens("How deep is the harbour of Kobe?")
    assert count == asyncio.run(llm.acount_tokens("How deep is the harbour of Kobe?"))
    assert count == llm.complete("How deep is the harbour of Kobe?").additional_kwargs["prompt_tokens"]


def test_files_are_read(llm, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    message = ChatMessage(content=[TextBlock(text="What is it?"), ImageBlock(path=picture)])
    assert asyncio.run(llm.acount_tokens([message])) == llm.count_tokens([message]) > 1120


def test_nothing_is_nothing_and_options_are_options(llm):
    assert llm.count_tokens([]) == 0
    assert llm.count_tokens(HISTORY, timeout=5.0, temperature=0) > 0


def test_errors_are_the_packages(build):
    with pytest.raises(SettingsError):
        build(model="openai/gpt-oss-120b-maas").count_tokens(HISTORY)
    with pytest.raises(UnsupportedContentError):
        build(cached_content="projects/p/locations/l/cachedContents/1").count_tokens(HISTORY[1:])
