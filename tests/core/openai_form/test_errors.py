"""Errors in OpenAI's form."""

import json

import pytest

from vertex_compat_integrations.core.errors import ConnectionFailedError, HistoryError, RateLimitError, ServerError
from vertex_compat_integrations.core.openai_form.errors import (
    error_body,
    error_event,
    error_headers,
    openai_error,
    status_of,
)


@pytest.mark.parametrize(
    ("seconds", "headers"),
    [
        (None, {}),
        (7.2, {"Retry-After": "8"}),
        (0.0, {"Retry-After": "0"}),
        (float("inf"), {}),
        (float("nan"), {}),
        (1e300, {"Retry-After": str(2**31)}),
    ],
)
def test_how_long_to_wait_is_a_number_that_programs_can_read(seconds, headers):
    error = RateLimitError("x", code=429)
    error.retry_after = seconds
    assert error_headers(error) == headers


def test_halves_of_an_emoji_do_not_reach_the_program():
    error = ServerError("bad \ud83d", code=503, status="\ud83d")
    event = error_event(error)
    told = json.loads(event.removeprefix(b"data: "))["error"]
    assert "\ufffd" in told["message"]
    told["message"].encode()
    assert told["code"] == "\ufffd"


def test_googles_details_come_along():
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "X"}
    assert error_body(RateLimitError("x", code=429, details=[detail]))["error"]["details"] == [detail]
    assert "details" not in error_body(RateLimitError("x", code=429))["error"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(HistoryError("x"), 400), (ConnectionFailedError("x"), 502), (RateLimitError("x", code=429), 429)],
)
def test_each_has_a_status(error, status):
    assert status_of(error) == status


def test_the_object_has_openais_four_fields():
    assert openai_error(404, "gone", None) == {
        "error": {"message": "gone", "type": "invalid_request_error", "param": None, "code": None}
    }
