"""Pieces add up to the answer so far, and the last one brings its ending."""

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.reply.accumulator import Accumulator, gathered
from vertex_compat_integrations.core.reply.reply import Ending, Media, ReplyDelta, ToolCall, ToolCallDelta


def test_text_and_thoughts_grow():
    accumulator = Accumulator()
    assert accumulator.add(ReplyDelta("", "Let me see. ")).thoughts == "Let me see. "
    assert accumulator.add(ReplyDelta("Blue", "So.")).text == "Blue"
    reply = accumulator.add(ReplyDelta(" sky", ending=Ending("stop")))
    assert (reply.text, reply.thoughts, reply.ending.finish_reason) == ("Blue sky", "Let me see. So.", "stop")


def test_a_call_grows_by_its_index_and_keeps_what_is_sent_back():
    accumulator = Accumulator()
    accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(0, "a", "look", '{"city": '),)))
    accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(1, "b", "count", "{}"),)))
    late = ToolCallDelta(0, None, None, '"Rome"}', {"google": {"thought_signature": "s"}})
    reply = accumulator.add(ReplyDelta(tool_calls=(late,)))
    signed = ToolCall("a", "look", '{"city": "Rome"}', {"google": {"thought_signature": "s"}})
    assert reply.tool_calls == (signed, ToolCall("b", "count", "{}"))


def test_an_earlier_snapshot_does_not_change():
    accumulator = Accumulator()
    first = accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(0, "a", "look", "{"),)))
    accumulator.add(ReplyDelta(tool_calls=(ToolCallDelta(0, None, None, "}"),)))
    assert first.tool_calls[0].arguments == "{"


def test_media_add_up_and_an_answer_without_an_end_has_an_empty_one():
    accumulator = Accumulator()
    accumulator.add(ReplyDelta(media=(Media("image/png", data="AA=="),)))
    reply = accumulator.add(ReplyDelta(media=(Media("image/png", data="AQ=="),)))
    assert [medium.data for medium in reply.media] == ["AA==", "AQ=="]
    assert reply.ending == Ending()


def test_text_that_was_recalled_is_thoughts():
    accumulator = Accumulator()
    accumulator.add(ReplyDelta("Let me "))
    accumulator.add(ReplyDelta("see"))
    reply = accumulator.add(ReplyDelta("Blue", "Let me see.", recalled=10))
    assert (reply.text, reply.thoughts) == ("Blue", "Let me see.")


DELTAS = [
    ReplyDelta("Let me "),
    ReplyDelta("Blue", "Let me see.", recalled=7),
    ReplyDelta(" sky", media=(Media("image/png", data="AA=="),)),
    ReplyDelta(tool_calls=(ToolCallDelta(0, "a", "look", '{"city": ', {"google": {"x": 1}, "o": 1}),)),
    ReplyDelta(tool_calls=(ToolCallDelta(1, "b", "count", "{}"),)),
    ReplyDelta(tool_calls=(ToolCallDelta(0, None, None, '"Rome"}', {"google": {"thought_signature": "s"}}),)),
    ReplyDelta(".", extra={"google": {"y": 1}}, refusal="No.", ending=Ending("stop")),
]


def test_an_answer_that_is_gathered_is_the_last_of_its_snapshots():
    accumulator = Accumulator()
    assert gathered(iter(DELTAS)) == [accumulator.add(delta) for delta in DELTAS][-1]
    with pytest.raises(ValueError, match="at least one piece"):
        gathered([])


def test_twice_the_pieces_are_twice_the_work():
    calls = [ReplyDelta(tool_calls=(ToolCallDelta(0, None, None, "x", {"o": {str(at): 1}}),)) for at in range(400)]
    assert lines_run(lambda: gathered(calls)) < 2.2 * lines_run(lambda: gathered(calls[:200]))
    many = ReplyDelta(tool_calls=tuple(ToolCallDelta(at, str(at), "f", "{}") for at in range(400)))
    few = ReplyDelta(tool_calls=many.tool_calls[:200])
    assert lines_run(lambda: Accumulator().add(many)) < 2.2 * lines_run(lambda: Accumulator().add(few))
