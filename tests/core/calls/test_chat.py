"""Whole and streamed answers of a call, without a server."""

import pytest

from tests.core.calls.beginning import begin, completion
from vertex_compat_integrations.core.calls.chat import ChatCall, GatheredCall, StreamCall
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    ServerError,
    StreamInterruptedError,
    VertexCompatWarning,
)

CHUNK = b'data: {"choices": [{"index": 0, "delta": {"content": "Go"}}]}\n\n'
END = b'data: {"choices": [{"index": 0, "delta": {"content": "ne"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def test_a_plain_call_gives_one_piece_at_the_end_of_the_body():
    call, body = begin(), completion("Good day")
    assert [*call.read(body[:9]), *call.read(body[9:])] == []
    ((reply,),) = call.read(None)
    assert reply.text == "Good day"


def test_only_a_stream_s_request_asks_for_a_stream():
    assert "stream" not in begin(ChatCall).request.body
    assert begin(StreamCall).request.body["stream"] is True


def test_a_stream_that_has_begun_is_not_tried_again():
    call = begin(StreamCall)
    assert [delta.text for delta in call.read(CHUNK)] == ["Go"]
    with pytest.raises(StreamInterruptedError) as caught:
        call.delay_after(ConnectionFailedError("x"))
    assert caught.value.partial_text == "Go"


def test_the_rest_of_a_cut_stream_is_given_to_those_alone_that_take_it():
    taking, refusing, plain = begin(StreamCall, takes_cut=True), begin(StreamCall), begin(ChatCall, takes_cut=True)
    for call in (taking, refusing):
        call.read(CHUNK)
    error = ConnectionFailedError("x")
    with pytest.warns(VertexCompatWarning, match="incomplete"):
        assert taking.settle_for(error) is not None
    assert refusing.settle_for(error) is None
    assert plain.settle_for(error) is None


def test_a_gathered_answer_is_one_piece_and_begins_again_after_an_interruption():
    call = begin(GatheredCall)
    assert [*call.read(CHUNK)] == []
    call.delay_after(ServerError("x", code=503))
    assert [*call.read(CHUNK), *call.read(END)] == []
    ((reply,),) = call.read(None)
    assert reply.text == "Gone"
