"""The calls in a text: the work that reading takes. What is read stands in `test_finder`."""

import pytest

from tests.support.counted_work import lines_run
from tests.support.left_calls import FUNCTIONS, READ
from vertex_compat_integrations.core.reply.calls_in_text.cursor import UnreadableCallError
from vertex_compat_integrations.core.reply.calls_in_text.readers import read_calls


def test_words_between_calls_are_words():
    hermes = READ[0].text
    calls, words = read_calls(f"{hermes} and {hermes}</tool_call> so.", FUNCTIONS)
    assert ([call.name for call in calls], words) == (["look", "look"], "and  so.")


@pytest.mark.parametrize("left", [left for left in READ if "\\" not in left.text], ids=lambda left: left.name)
def test_twice_the_calls_are_twice_the_work(left):
    once, twice = (lines_run(lambda: read_calls(left.text * count, FUNCTIONS)) for count in (20, 40))  # noqa: B023
    assert twice < 2.2 * once


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>commentary" + " " * 200_000,
        "<|start|>assistant" + " " * 100 + "<|channel|>commentary" + " " * 200_000,
        '<|tool_call>call:look{at:<|"|>' + "a" * 300_000,
        "<|tool_call>call:look{" + "a" * 300_000 + "}<tool_call|>",
        "<tool_call>" + '{"a":' * 60_000,
        "[TOOL_CALLS]look" + "[ARGS]" * 50_000 + "{",
        "<function=look>" + "<parameter=at>a" * 20_000,
    ],
    ids=lambda text: text[:24],
)
def test_what_is_long_and_no_call_is_refused_at_once(text):
    with pytest.raises(UnreadableCallError):
        read_calls(text, FUNCTIONS)
