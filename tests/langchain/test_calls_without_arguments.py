"""Calls without arguments, in each way in which servers tell them."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.emulator import Emulator, call, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]


def look(at: str = "here") -> str:
    """Look at a place."""
    return at


@each_way
@pytest.mark.parametrize("told", ["", "{}", "null"])
async def test_are_calls(emulator: Emulator, chat: Build, told: str, way: Any):
    emulator.answer(tool_calls([call("look", told, id="a"), call("look", '{"at": null}', id="b")]))
    message: AIMessage = await ask(chat().bind_tools([look]), way, "Look.")
    assert [(one["id"], one["args"]) for one in message.tool_calls] == [("a", {}), ("b", {"at": None})]
    assert message.invalid_tool_calls == []
