"""Pieces of calls → calls: that the work grows with their number only. The rules stand in `test_stream`."""

from typing import Any

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.reply.reply import ToolCall
from vertex_compat_integrations.core.reply.streamed_calls.gathering import StreamedCalls


def piece(call_id: str | None, arguments: str, name: str | None = "f", index: int | None = 0) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"id": call_id, "index": index, "function": function}


def gathered(*chunks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    calls = StreamedCalls()
    for pieces in chunks:
        list(calls.feed(pieces))
    return [(call.id, call.arguments) for call in calls.as_calls()]


def test_pieces_of_one_chunk_are_calls_of_their_own():
    assert gathered([piece("a", "{}"), piece("a", "{}")]) == [("a", "{}"), ("a-2", "{}")]


def test_a_whole_call_takes_the_next_place():
    calls = StreamedCalls()
    list(calls.feed([piece("a", '{"x": 1}')]))
    assert calls.add_whole(ToolCall("a", "g", "{}")).index == 1
    assert ([*calls.names()], len(calls), calls.is_whole) == (["f", "g"], 2, True)


FLOODS = {
    "calls of one id in one chunk": lambda count: [[piece("x", "{}", index=number) for number in range(count)]],
    "calls of one id, chunk by chunk": lambda count: [[piece("x", '{"a": 1}')], *[[piece("x", "{}", "g")]] * count],
    "calls in one chunk": lambda count: [[piece(f"c{number}", "{}", index=number) for number in range(count)]],
    "calls without ids": lambda count: [[piece(None, "{}", index=None)] * count],
    "fragments that repeat the name": lambda count: [[piece("a", '{"a":')]] * count,
    "fragments that repeat the name and an end": lambda count: [[piece("a", '{"a":1}')], *[[piece("a", "{}")]] * count],
    "fragments of one call": lambda count: [[piece("a", '{"a":"')], *[[piece(None, "x", None)]] * count],
    "fragments that may be told again": lambda count: [[piece("a", '{"a":"')], *[[piece("a", '{"', None)]] * count],
    "ids that change": lambda count: [
        [piece("a", '{"a":"')],
        *[[piece(f"c{number}", '{"', None)] for number in range(count)],
    ],
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_twice_the_pieces_are_twice_the_work(flood):
    once, twice = (lines_run(lambda: gathered(*flood(count))) for count in (400, 800))  # noqa: B023
    assert twice < 2.2 * once


def test_what_was_gathered_is_not_joined_for_each_piece():
    """Joining is one line, however long: what it would read again is counted."""
    long = "x" * 1_000_000
    chunks = [[piece("a", '{"a":"' + long)], *[[piece("a", '{"', None)]] * 2000]
    calls = StreamedCalls()
    for pieces in chunks:
        list(calls.feed(pieces))
    assert len(calls.as_calls()[0].arguments) == len(long) + 6 + 2 * 2000
