"""Where the cached part of a conversation ends, and how long it lives."""

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.native.marked import DEFAULT_TTL, MarkedMessages, ttl_seconds

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Hello"}
CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "x"}
ANSWER = {"role": "assistant", "content": "Hi."}


@pytest.mark.parametrize(
    ("prefix", "rest", "kept"),
    [
        ([SYSTEM], [USER], 1),
        ([SYSTEM, USER], [USER], 2),
        # The rest begins with the user's words, so that no call is apart from its result.
        ([SYSTEM, USER, CALL], [RESULT, USER], 1),
        ([SYSTEM, USER, CALL, RESULT], [USER], 4),
        ([SYSTEM, USER], [ANSWER, USER], 1),
        ([SYSTEM, USER], [], 1),
        ([USER], [], 0),
    ],
)
def test_the_rest_begins_with_the_user(prefix, rest, kept):
    marked = MarkedMessages(prefix, rest)
    assert list(marked) == [*prefix, *rest]
    assert (marked.prefix, marked.rest) == (marked[:kept], marked[kept:])


def test_all_instructions_are_cached():
    marked = MarkedMessages([USER, ANSWER], [SYSTEM, USER])
    assert (marked.prefix, marked.rest) == ([USER, ANSWER, SYSTEM], [USER])


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [({"ttl": "3600s"}, 3600), ({"ttl": "5m"}, 300), ("1h", 3600), (90, 90), (None, DEFAULT_TTL), ({}, DEFAULT_TTL)],
)
def test_a_life_is_in_seconds_minutes_or_hours(mark, seconds):
    assert ttl_seconds(mark) == seconds


def test_a_long_conversation_is_linear_work():
    few, many = ([USER, *[CALL, RESULT] * n] for n in (100, 400))
    assert lines_run(lambda: MarkedMessages(many, [])) < 6 * lines_run(lambda: MarkedMessages(few, []))


@pytest.mark.parametrize("mark", ["soon", "0s", "59s", "-5s", {"ttl": "1d"}, "9" * 400, {"ttl": True}])
def test_another_life_is_refused(mark):
    with pytest.raises(SettingsError, match="3600s"):
        ttl_seconds(mark)
