"""Streamed answers on their way to programs for OpenAI."""

import json

import pytest

from tests.support.endpoint_bodies import call_piece, chunk, words
from vertex_compat_integrations.core.errors import ServerError, StreamInterruptedError, VertexCompatError
from vertex_compat_integrations.core.openai_form.answer import AnswerForm
from vertex_compat_integrations.core.openai_form.relay import DONE, Relay

USAGE = {"prompt_tokens": 11, "completion_tokens": 15, "total_tokens": 58}
COUNTED = AnswerForm(wants_usage=True)


def events(*chunks, done=True):
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks) + (DONE if done else b"")


def relayed(raw, form=None, *, done_is_an_end=False):
    """The chunks that go out; the stream must be whole."""
    relay = Relay(form, done_is_an_end=done_is_an_end)
    out = relay.feed(raw) + relay.finish()
    assert relay.failure is None
    assert out.endswith(DONE)
    return [json.loads(event.removeprefix(b"data: ")) for event in out.split(b"\n\n")[:-2]], relay


def test_what_has_openais_form_goes_on_byte_for_byte():
    raw = b'data: {"choices": [ {"index":0,"delta":{"content":"\\u00e9"},"finish_reason":"stop"}], "x": 1e2}\n\n'
    relay = Relay(done_is_an_end=False)
    assert relay.feed(raw) + relay.finish() == raw + DONE


@pytest.mark.parametrize(
    "chunks",
    [
        [*words("a", finish=None), chunk({"content": "b"}, "stop", usage=USAGE)],
        [*[{**each, "usage": USAGE} for each in words("a", "b")]],
        [*words("a", "b"), {"choices": [], "usage": USAGE}],
        [*[{**each, "usage": None} for each in words("a", "b")], chunk(usage=USAGE)],
    ],
    ids=["beside the last word", "beside every word", "alone", "on an empty chunk"],
)
def test_token_counts_come_last_alone_and_only_if_asked(chunks):
    told, _ = relayed(events(*chunks), COUNTED)
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in told[:-1]) == "ab"
    assert not any(each.get("usage") for each in told[:-1])
    assert told[-1]["choices"] == []
    assert told[-1]["usage"] == {
        **USAGE,
        "completion_tokens": 47,
        "completion_tokens_details": {"reasoning_tokens": 32},
    }
    unasked, _ = relayed(events(*chunks))
    assert not any(each.get("usage") for each in unasked)
    assert all(each["choices"] for each in unasked)


def test_counts_that_never_came_are_not_made_up():
    told, _ = relayed(events(*words("a")), COUNTED)
    assert not any("usage" in each for each in told)


def calls_of(told):
    return [piece for each in told if each["choices"] for piece in each["choices"][0]["delta"].get("tool_calls") or ()]


def test_calls_get_index_id_and_their_own_names():
    pieces = [call_piece("get_it", '{"x"', index=7), call_piece(None, ": 1}", index=7)]
    told, relay = relayed(
        events(*[chunk({"tool_calls": [piece]}) for piece in pieces], chunk(finish="stop")),
        AnswerForm({"get_it": "get it"}),
    )
    first, second = calls_of(told)
    assert (first["index"], first["function"]) == (0, {"name": "get it", "arguments": '{"x"'})
    assert first["id"]
    assert second == {"index": 0, "type": "function", "function": {"arguments": ": 1}"}}
    assert told[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert [(call.name, call.arguments) for call in relay.calls] == [("get it", '{"x": 1}')]


def test_a_call_without_arguments_has_an_empty_object_in_the_end():
    told, _ = relayed(events(chunk({"tool_calls": [call_piece("look", "", id="a", index=0)]}), chunk(finish="stop")))
    assert "".join(piece["function"]["arguments"] for piece in calls_of(told)) == "{}"


def test_where_one_call_was_asked_for_the_others_do_not_go_out():
    both = [call_piece("a", "{}", id="1"), call_piece("b", "{}", id="2")]
    told, relay = relayed(events(chunk({"tool_calls": both}, "tool_calls")), AnswerForm(one_call=True))
    assert [piece["id"] for piece in calls_of(told)] == ["1"]
    assert len(relay.calls) == 1


def test_what_done_alone_ends_gets_its_finish_reason():
    """TGI gives none to a turn of calls."""
    told, _ = relayed(events(chunk({"tool_calls": [call_piece("look", "{}", id="a", index=0)]})), done_is_an_end=True)
    assert told[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert "".join(piece["function"]["arguments"] for piece in calls_of(told)) == "{}"


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {"choices": {"0": 1}},
        {"choices": [None, 7, "x"]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": [1]}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": "x"}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [None, 5]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"function": 5}]}}]},
        {"choices": [{"delta": {"content": "\ud83d"}}]},
        {"choices": [{"index": "x", "delta": {}}]},
        {"choices": [], "usage": "many"},
        {"ping": 1},
    ],
    ids=str,
)
def test_odd_chunks_break_nothing(odd):
    told, _ = relayed(events({"id": "c", **odd}, *words("a")), COUNTED)
    assert all(isinstance(choice["delta"], dict) for each in told for choice in each["choices"])


def test_a_whole_message_in_a_stream_is_its_delta():
    told, _ = relayed(events({"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]}))
    assert told[0]["choices"][0]["delta"] == {"content": "a"}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (events(*words("a", finish=None)), StreamInterruptedError),
        (events(*words("a"), {"error": {"code": 503, "message": "\ud83d"}}), ServerError),
        (b"data: 7\n\n", VertexCompatError),
        (b"data: {\n\n", VertexCompatError),
        (b'[{"error": {"code": 503, "message": "x"}}]', ServerError),
        (b'[{"error": {"code": 503, "message": "\\ud83d"}}]', ServerError),
        (events({"error": {"code": 503, "message": "x", "details": json.loads("[" * 300 + "]" * 300)}}), ServerError),
    ],
)
def test_what_ends_a_stream_is_a_failure(raw, kind):
    relay = Relay(done_is_an_end=False)
    relay.feed(raw)
    if relay.failure is None:
        relay.finish()
    assert isinstance(relay.failure, kind)


def test_counts_stay_as_they_were_told_where_that_is_asked_for():
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9}
    form = AnswerForm(wants_usage=True, raw_usage=True)
    told, _ = relayed(events(*words("a"), {"choices": [], "usage": usage}), form)
    assert told[-1]["usage"] == usage


def test_what_was_counted_can_be_asked_for_in_one_way():
    relay = Relay(done_is_an_end=False)
    assert relay.usage is None
    relay.feed(events(*words("a"), {"choices": [], "usage": {"prompt_tokens": 1, "total_tokens": 9}}))
    assert (relay.usage.input, relay.usage.output, relay.usage.thought) == (1, 8, 8)
