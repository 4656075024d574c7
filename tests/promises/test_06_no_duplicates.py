"""Item 6: after the first piece of the answer nothing is tried again; before it, max_retries is."""

import pytest

from tests.promises.entry_points import BOTH_STREAMS, EVERY_FRONTEND, EVERY_WAY
from tests.support.fault_answers import PIECES, TEXT, cut, error, events, hang_up, piece, reply, say, silence, sse
from vertex_compat_integrations.core.errors import PartialReplyError, VertexCompatError

FAILURE = {"error": {"code": 503, "message": "Unavailable.", "status": "UNAVAILABLE"}}
LATE_FAULTS = {
    "reset": cut("reset"),
    "closed": cut("close"),
    "chunk": cut("in_chunk"),
    "error event": events(sse([*say(*PIECES[:2], finish=None), FAILURE], done=False)),
    "error list event": events(sse([*say(*PIECES[:2], finish=None), [FAILURE]], done=False)),
    "bare error": events(sse(say(*PIECES[:2], finish=None), done=False) + b'[{"error": {"code": 503}}]'),
}
EARLY_FAULTS = {
    "hung up": hang_up,
    "closed": cut("close", []),
    "role only": cut("close", [piece({"role": "assistant"})]),
    "empty piece": cut("chunked_end", [piece({"role": "assistant", "content": ""})]),
    "cut first event": cut("in_line", []),
    "error event": events(sse([FAILURE], done=False)),
    "error list event": events(sse([[FAILURE]], done=False)),
    "bare error": events(b'[{"error": {"code": 503, "message": "Unavailable."}}]'),
    "status": error(503, Retry_After_Ms=1),
    "silence": silence,
}


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("fault", LATE_FAULTS.values(), ids=LATE_FAULTS)
def test_after_the_first_piece_nothing_is_sent_or_said_twice(server, frontend, way, fault):
    server.answer(fault)
    heard = []
    with pytest.raises(PartialReplyError) as caught:
        frontend.ask(frontend.build(server, max_retries=3), way, heard)
    assert "".join(heard) == caught.value.partial_text == "".join(PIECES[:2])
    assert len(server.requests) == caught.value.attempts == 1


CALL = {"index": 0, "id": "a", "type": "function", "function": {"name": "look", "arguments": '{"where": '}}
FIRST_PIECES = {
    "thought": {"reasoning_content": "Hm."},
    "call": {"tool_calls": [CALL]},
}


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("delta", FIRST_PIECES.values(), ids=FIRST_PIECES)
def test_a_piece_need_not_be_text(server, frontend, way, delta):
    server.answer(cut("reset", [piece({"role": "assistant", **delta})]))
    with pytest.raises(PartialReplyError):
        frontend.ask(frontend.build(server, max_retries=3), way)
    assert len(server.requests) == 1


@EVERY_FRONTEND
@BOTH_STREAMS
@pytest.mark.parametrize("fault", EARLY_FAULTS.values(), ids=EARLY_FAULTS)
def test_before_the_first_piece_the_request_is_sent_again(server, frontend, way, fault):
    server.answer(fault)
    gap = 1 if fault is silence else 30
    assert frontend.ask(frontend.hasten(frontend.build(server, max_retries=1, gap_timeout=gap)), way) == TEXT
    assert len(server.requests) == 2


@EVERY_FRONTEND
@EVERY_WAY
def test_before_the_first_piece_max_retries_is_the_bound(server, frontend, way):
    server.rule = hang_up
    with pytest.raises(VertexCompatError) as caught:
        frontend.ask(frontend.hasten(frontend.build(server, max_retries=1)), way)
    assert len(server.requests) == caught.value.attempts == 2


@EVERY_FRONTEND
@BOTH_STREAMS
def test_a_stream_that_was_left_is_not_asked_for_again(server, frontend, way):
    server.answer(cut("close"), reply("Another answer."))
    model = frontend.build(server, max_retries=3)
    with pytest.raises(PartialReplyError):
        frontend.ask(model, way)
    assert frontend.ask(model, way) == "Another answer."
    assert len(server.requests) == 2
