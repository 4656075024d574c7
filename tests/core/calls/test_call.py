"""One call from attempt to attempt, without a server."""

import pytest

from tests.core.calls.beginning import MODEL, begin, completion, terms
from vertex_compat_integrations.core.calls.chat import ChatCall
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    DeadlineExceededError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
)
from vertex_compat_integrations.core.settings.options import Options


@pytest.mark.parametrize("error", [ServerError("x"), AuthenticationError("x")])
def test_what_a_failed_attempt_brought_is_no_part_of_the_next_answer(error):
    call = begin()
    call.read(b'{"choices": [')
    call.delay_after(error)
    call.read(completion("Good day"))
    ((reply,),) = call.read(None)
    assert reply.text == "Good day"


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
