"""One call from attempt to attempt, without a server."""

import json

import pytest

from vertex_compat_integrations.core.calls.call import CallTerms, ChatCall, EmbeddingCall, StreamCall
from vertex_compat_integrations.core.calls.places import Place, PlaceMemory
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.settings.options import Options

MODEL = "google/gemini-3.5-flash"
HELLO = [{"role": "user", "content": "Hello"}]
CHUNK = b'data: {"choices": [{"index": 0, "delta": {"content": "Go"}}]}\n\n'


def terms(*locations, clock=lambda: 0.0, takes_cut=False, seconds=60.0):
    return CallTerms(
        facts_for(MODEL, None),
        "p",
        seconds=seconds,
        max_retries=2,
        own_server=False,
        takes_cut=takes_cut,
        clock=clock,
        chance=lambda: 1.0,
        memory=PlaceMemory([Place(location) for location in locations or ("global",)]),
        budget_of=lambda _: None,
    )


def begin(kind=ChatCall, *locations, **more):
    return kind(HELLO, Options(model=MODEL), terms(*locations, **more), skip_values="as the model demands")


def completion(text):
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()


def test_a_plain_call_gives_one_piece_at_the_end_of_the_body():
    call, body = begin(), completion("Good day")
    assert [*call.read(body[:9]), *call.read(body[9:])] == []
    ((reply,),) = call.read(None)
    assert reply.text == "Good day"


@pytest.mark.parametrize("error", [ServerError("x"), AuthenticationError("x")])
def test_what_a_failed_attempt_brought_is_no_part_of_the_next_answer(error):
    call = begin()
    call.read(b'{"choices": [')
    call.delay_after(error)
    call.read(completion("Good day"))
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


def test_a_refused_token_is_mended_once():
    call = begin()
    assert call.delay_after(AuthenticationError("x")) == 0.0
    assert call.was_repaired(AuthenticationError)
    with pytest.raises(AuthenticationError):
        call.delay_after(AuthenticationError("x"))


def test_after_a_shortage_the_next_attempt_goes_to_the_next_place():
    call = begin(ChatCall, "us", "eu")
    assert call.delay_after(RateLimitError("x", code=429)) == 0.0
    assert call.place.location == "eu"


def test_the_last_error_says_what_was_asked_where_and_how_often():
    call = begin()
    call.content()
    with pytest.raises(InvalidRequestError) as caught:
        call.delay_after(InvalidRequestError("x"))
    error = caught.value
    assert (error.model, error.project, error.location, error.attempts) == (MODEL, "p", "global", 1)


def test_a_call_whose_time_is_over_is_told_so():
    now = [0.0]
    call = begin(clock=lambda: now[0])
    assert call.remaining == 60.0
    now[0] = 60.0
    with pytest.raises(DeadlineExceededError, match="longer than 60 s"):
        _ = call.remaining


def test_a_lone_surrogate_is_sent_escaped():
    call = ChatCall([{"role": "user", "content": "\ud83d"}], Options(model=MODEL), terms(), skip_values="where missing")
    assert b"\\ud83d" in call.content()


def test_an_embedding_call_sends_its_request_as_it_is():
    request = {"model": "intfloat/multilingual-e5-small-maas", "input": ["a"], "encoding_format": "float"}
    call = EmbeddingCall(request, terms())
    assert json.loads(call.content()) == request
    call.read(json.dumps({"data": [{"index": 0, "embedding": [0.5]}]}).encode())
    (embedded,) = call.read(None)
    assert embedded.vectors == [[0.5]]
