"""Names that the wire refuses, and what stands there instead."""

import re

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.reply.reply import ReplyDelta, ToolCallDelta
from vertex_compat_integrations.core.request.tool_names import (
    answer_name,
    names_on_wire,
    under_own_names,
    wire_name,
    with_wire_names,
)


@pytest.mark.parametrize("name", ["search", "_x", "a.b", "mcp:get-x", "a" * 64])
def test_gemini_takes_these_as_they_are(name):
    assert wire_name(name, is_gemini=True) == name


@pytest.mark.parametrize(("name", "sent"), [("get weather", "get_weather"), ("21st", "_21st"), ("-list", "_-list")])
def test_others_are_like_their_own(name, sent):
    assert wire_name(name, is_gemini=True) == sent


@pytest.mark.parametrize("is_gemini", [True, False])
@pytest.mark.parametrize("name", ["a" * 65, "天気", "Reply[List[int]]", "é", " ", "\ud83d", "a/b"])
def test_what_is_sent_is_valid_and_the_same_each_time(name, is_gemini):
    sent = wire_name(name, is_gemini=is_gemini)
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", sent)
    assert wire_name(name, is_gemini=is_gemini) == sent


@pytest.mark.parametrize("names", [["a b", "a_b"], ["a/b", "a b"], ["天気", "東京"], ["x" * 70, "x" * 71]], ids=str)
def test_no_two_become_one(names):
    renamed = names_on_wire(names, is_gemini=True)
    assert len({renamed.get(name, name) for name in names}) == len(names)


def test_a_name_twice_is_refused_by_it():
    with pytest.raises(SettingsError, match=r"\Aa: two"):
        names_on_wire(["a", "b", "a"], is_gemini=True)


def test_the_history_has_the_names_of_the_wire():
    call = {"id": "1", "type": "function", "function": {"name": "a b", "arguments": "{}"}}
    history = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "name": "a b", "content": "x"},
    ]
    assistant, result = with_wire_names(history, {"a b": "a_b"}, is_gemini=True)
    assert assistant["tool_calls"][0]["function"]["name"] == result["name"] == "a_b"
    assert call["function"]["name"] == "a b"
    assert with_wire_names(history[:0], {}, is_gemini=True) == []


def test_calls_come_back_under_their_own_names():
    delta = ReplyDelta(tool_calls=(ToolCallDelta(0, "1", "a_b"), ToolCallDelta(0, arguments="{}")))
    named = under_own_names(delta, {"a_b": "a b"})
    assert [call.name for call in named.tool_calls] == ["a b", None]
    assert under_own_names(ReplyDelta("x"), {"a_b": "a b"}) == ReplyDelta("x")


@pytest.mark.parametrize("name", ["Reply[int]", "Contact form", "Größe"])
def test_the_name_of_an_answer_is_valid(name):
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", answer_name(name))
