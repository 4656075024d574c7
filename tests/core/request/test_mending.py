"""Each call gets its one result, right behind it; what stands apart is put together, what does not pair is refused."""

import copy
import json
from typing import Any

import pytest

from tests.support.counted_work import lines_run
from tests.support.endpoint_bodies import assistant_calls, result
from vertex_compat_integrations.core.errors import HistoryError
from vertex_compat_integrations.core.request.mending import (
    Mending,
    missing_result,
    user_words,
    wire_line,
    with_results_in_order,
)

USER = {"role": "user", "content": "Go."}
SYSTEM = {"role": "system", "content": "Be kind."}
SAID = {"role": "assistant", "content": "Hm."}
A, B = assistant_calls(("a", "look")), assistant_calls(("b", "find"))
BOTH = assistant_calls(("a", "look"), ("b", "find"))


def order(*messages, repairs=False):
    """Roles, and of results also what they say and under which name; and what was lost."""
    sent, mending = copy.deepcopy(messages), Mending(repairs)
    ordered = with_results_in_order(messages, mending)
    assert messages == sent, "the input is not changed"
    told = [
        (each["tool_call_id"], each["content"], each["name"]) if each["role"] == "tool" else each["role"]
        for each in ordered
    ]
    return told, mending.losses


RA, RB = ("a", "A", "look"), ("b", "B", "find")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([USER, BOTH, result("a", "A"), result("b", "B")], ["user", "assistant", RA, RB]),
        ([USER, BOTH, result("b", "B"), result("a", "A")], ["user", "assistant", RA, RB]),
        ([USER, BOTH, result("a", "A"), USER, result("b", "B"), USER], ["user", "assistant", RA, RB, "user", "user"]),
        ([USER, A, SYSTEM, result("a", "A")], ["user", "assistant", RA, "system"]),
        ([USER, A, SAID, result("a", "A"), USER], ["user", "assistant", RA, "assistant", "user"]),
        ([USER, A, B, result("a", "A"), result("b", "B")], ["user", "assistant", RA, "assistant", RB]),
        ([USER, result("a", "A"), A], ["user", "assistant", RA]),
        ([USER, A, result("a", "A"), result("a", "A")], ["user", "assistant", RA]),
        ([USER, A, result("a", "A"), A, result("a", "X")], ["user", "assistant", RA, "assistant", ("a", "X", "look")]),
        ([USER, BOTH, result("look", "A"), result("find", "B")], ["user", "assistant", RA, RB]),
        ([USER, BOTH, result("", "A"), result("", "B")], ["user", "assistant", RA, RB]),
        ([USER, A, {**result("", "A"), "name": "look"}], ["user", "assistant", RA]),
        ([USER, A, {**result("a", "A"), "name": "transfer_to_other"}], ["user", "assistant", RA]),
    ],
    ids=[
        *("in order", "in another order", "a user between", "a system between", "an answer between", "calls in a row"),
        *("before its call", "told twice", "an id used again", "by name", "without ids", "by name without id"),
        "under another name",
    ],
)
def test_what_loses_nothing_is_mended_silently(messages, expected):
    assert order(*messages) == (expected, [])


@pytest.mark.parametrize(
    ("messages", "problem", "expected"),
    [
        ([USER, A], r"look.*has no result", ["user", "assistant", ("a", "not run", "look")]),
        ([USER, A, USER], r"look.*has no result", ["user", "assistant", ("a", "not run", "look"), "user"]),
        ([USER, BOTH, result("b", "B")], r"look.*has no result", ["user", "assistant", ("a", "not run", "look"), RB]),
        ([USER, A, result("a", "wait"), result("a", "A")], "2 results that differ", ["user", "assistant", RA]),
        (
            [USER, A, USER, A, result("a", "A")],
            "has no result",
            ["user", "assistant", ("a", "not run", "look"), "user", "assistant", RA],
        ),
        ([USER, result("z", "Z")], "'z'.*does not follow a message that calls", ["user", "user"]),
        ([USER, A, result("a", "A"), result("z", "Z")], "'z'.*belongs to no call", ["user", "assistant", RA, "user"]),
    ],
    ids=["cancelled", "cancelled, asked on", "one of two", "two results", "an id used again", "orphan", "one too many"],
)
def test_what_loses_something_is_refused_or_mended_with_a_note(messages, problem, expected):
    with pytest.raises(HistoryError, match=problem) as caught:
        order(*messages)
    assert "repair_history=True" in caught.value.hint
    told, losses = order(*messages, repairs=True)
    assert told == expected
    assert len(losses) == 1


def test_the_words_of_an_orphaned_result_are_kept():
    orphan = {"role": "tool", "tool_call_id": "z", "name": "look", "content": [{"type": "text", "text": "It rains."}]}
    told = with_results_in_order([USER, orphan], Mending(repairs=True))
    assert told[1] == {"role": "user", "content": "Result of look: It rains."}


@pytest.mark.parametrize("steps", [100, 1000])
def test_a_long_history_out_of_order_is_mended_in_work_that_grows_with_its_length(steps: int):
    """Each message is looked at a few times, not once for every other."""
    calls = [assistant_calls((f"c{number}", "look")) for number in range(steps)]
    results = [result(f"c{number}") for number in range(steps)]
    ordered: list[dict[str, Any]] = []
    lines = lines_run(lambda: ordered.extend(with_results_in_order([*calls, *results], Mending())))
    assert lines < 200 * steps
    assert [message["role"] for message in ordered] == ["assistant", "tool"] * steps


# What is said of it

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def test_what_is_lost_is_refused_unless_the_caller_allows_it():
    with pytest.raises(HistoryError, match="A thing is odd") as caught:
        Mending().lose("A thing is odd", "Mend it.", "it is mended")
    assert caught.value.hint == "Mend it. Or set repair_history=True: it is mended."


def test_all_losses_of_a_history_are_one_note():
    mending = Mending(repairs=True)
    assert mending.notes == ()
    mending.lose("A is odd", "Mend it.", "it is left out")
    mending.lose("B is odd", "Mend it.", "the last one counts")
    assert mending.notes == (
        "The history was repaired (repair_history). A is odd: it is left out; B is odd: the last one counts.",
    )


def test_the_line_of_whoever_uses_no_framework_is_the_message_itself():
    missing = missing_result(CALL)
    assert json.loads(wire_line(missing)) == missing
    assert missing == {"role": "tool", "tool_call_id": "c1", "content": "not run"}
    assert json.loads(wire_line(user_words("Wörter"))) == {"role": "user", "content": "Wörter"}
