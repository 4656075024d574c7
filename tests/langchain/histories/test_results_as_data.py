"""Results of tools that only look like content blocks: LangChain tells blocks from data by their `type` alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]


def history(result: list[Any]) -> list[BaseMessage]:
    calling = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "a"}])
    return [HumanMessage("Look."), calling, ToolMessage(result, tool_call_id="a")]


@pytest.mark.parametrize(
    "found",
    [
        [{"type": "file", "name": "a.txt"}, {"type": "file", "name": "b", "url": "https://example.com/b"}],
        [{"type": "json", "json": {"a": 1}}],
        [{"type": "search_result", "title": "T", "source": "s", "content": [{"type": "text", "text": "found"}]}],
    ],
    ids=["files of a folder", "json", "search results"],
)
def test_data_are_said_as_json(emulator: Emulator, chat: Build, found: list[Any]):
    chat().invoke(history(found))
    assert [json.loads(line) for line in emulator.journal.last.messages[2]["content"].splitlines()] == found


@pytest.mark.parametrize("key", ["base64", "data"])
def test_bytes_of_an_unknown_kind_are_refused(chat: Build, key: str):
    with pytest.raises(UnsupportedContentError, match="unknown kind"):
        chat().invoke(history([{"type": "file", key: "AAAA"}]))
