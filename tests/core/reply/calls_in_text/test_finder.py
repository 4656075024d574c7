"""Calls in texts that come in pieces: what is read, what is refused, what stays a text, and when what is given out."""

import json

import pytest

from tests.support.counted_work import lines_run
from tests.support.left_calls import FUNCTIONS, READ, REFUSED, TOOLS, WORDS, Left
from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.core.reply.calls_in_text.finder import (
    CallFinder,
    SentTools,
    sent_tools,
    separate_calls,
)

each_size = pytest.mark.parametrize("size", [1, 3, 7, 10_000])


def each(situations: list[Left]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("left", situations, ids=lambda left: left.name)


def taken(text: str, size: int, *, refuses: bool = True) -> tuple[str, list[tuple[str, dict]]]:
    finder = CallFinder(SentTools(FUNCTIONS))
    told = ""
    for start in range(0, len(text), size):
        piece = text[start : start + size]
        told += piece if finder.passes(piece) else finder.feed(piece)
    last, calls = finder.finish(text=told, thoughts="", refuses=refuses)
    return told + last, [(call.name, json.loads(call.arguments)) for call in calls]


@each_size
@each(READ)
def test_a_call_that_is_certain_is_read_however_it_is_cut(left, size):
    assert taken(left.text, size) == (left.words, list(left.calls))


@each_size
@each(REFUSED)
def test_what_cannot_be_told_apart_is_refused_and_quoted(left, size):
    with pytest.raises(EmptyReplyError) as caught:
        taken(left.text, size)
    assert repr(left.text)[1:30] in str(caught.value)
    assert taken(left.text, size, refuses=False) == (left.text, [])


@each_size
@each(WORDS)
def test_what_speaks_of_calls_is_a_text(left, size):
    assert taken(left.text, size) == (left.text, [])


def test_a_text_is_held_back_only_while_it_may_be_a_call():
    finder = CallFinder(SentTools(FUNCTIONS))
    pieces = ["So <", "b>c", " <tool", "_call>", " is", " a tag. <tool_call>", "{"]
    given = [piece if finder.passes(piece) else finder.feed(piece) for piece in pieces]
    assert given == ["So ", "<b>c", " ", "", "", "<tool_call> is a tag. ", ""]
    assert (finder.has_begun, finder.waiting) == (True, "<tool_call>{")


def test_calls_in_thoughts_count_where_they_end_with_them_and_nothing_else_came():
    call = READ[0].text
    for text, thoughts, names in [
        ("", f"I look. {call}\n", ["look"]),
        (" ", call, ["look"]),
        ("Done.", call, []),
        ("", f"{call} would be wrong.", []),
        ("", f"`{call}`", []),
        ("", REFUSED[1].text, []),
    ]:
        tools = SentTools(FUNCTIONS)
        words, calls = separate_calls(text, thoughts, tools, refuses=True)
        assert (words, [call.name for call in calls], tools.has_read) == (text, names, bool(names))


def test_ids_are_the_models_own_where_it_writes_them_and_no_two_are_one():
    kimi = next(left.text for left in READ if left.name == "Kimi")
    _, calls = separate_calls(kimi + kimi, "", SentTools(FUNCTIONS), refuses=True)
    assert [call.id for call in calls] == ["functions.look:0", "functions.look:0-2"]


def test_only_tools_that_were_sent_and_may_be_called_count():
    assert sent_tools({"tools": TOOLS}).parameters == FUNCTIONS
    assert sent_tools({"tools": TOOLS, "tool_choice": "none"}) is None
    assert sent_tools({}) is None


FLOODS = {
    "marks that begin nothing": "<tool_call> is ",
    "marks in code": "`<tool_call>` ",
    "angles": "<",
    "brackets": "[",
    "backticks": "` <tool_call>{ `\n",
}


@pytest.mark.parametrize("piece", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("size", [1, 10_000_000])
def test_the_work_grows_with_the_text_and_not_with_its_square(piece, size):
    once, twice = (lines_run(lambda: taken(piece * count, size, refuses=False)) for count in (100, 200))  # noqa: B023
    assert twice < 2.5 * once
