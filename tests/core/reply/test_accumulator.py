"""Pieces add up to the answer so far, and the last one brings its ending."""

from vertex_compat_integrations.core.reply.accumulator import Accumulator
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
