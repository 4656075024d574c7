"""Item 7: one retry layer. max_retries=N makes at most N+1 requests; what the server says of the delay is kept."""

import datetime
from email.utils import format_datetime

import pytest

from tests.promises.entry_points import (
    CORE,
    EVERY_FRONTEND,
    EVERY_WAY,
    FRAMEWORKS,
    TWO_WAYS,
    Waits,
    core_model,
    numbered_tokens,
)
from tests.support.fault_answers import TEXT, error, reply, retry_info
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    ThoughtSignatureError,
)

SOON = {"Retry_After_Ms": 1}


def after(seconds):
    """A date so far from the date that the server gives."""
    now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
    later = now + datetime.timedelta(seconds=seconds)
    return {"Date": format_datetime(now, usegmt=True), "Retry_After": format_datetime(later, usegmt=True)}


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_there_are_at_most_max_retries_and_one_requests(server, frontend, way, code, most):
    server.rule = error(code, **SOON)
    with pytest.raises((RateLimitError, ServerError)) as caught:
        frontend.ask(frontend.build(server, max_retries=most), way)
    assert len(server.requests) == caught.value.attempts == most + 1


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize(
    ("code", "kind"), [(400, InvalidRequestError), (403, PermissionDeniedError), (404, NotFoundError)]
)
def test_what_would_be_refused_again_is_sent_once(server, frontend, way, code, kind):
    server.rule = error(code, status="")
    with pytest.raises(kind):
        frontend.ask(frontend.build(server, max_retries=5), way)
    assert len(server.requests) == 1


@EVERY_FRONTEND
@EVERY_WAY
def test_a_refreshed_token_is_one_request_outside_the_count(server, frontend, way):
    server.answer(error(401), error(503, **SOON), error(503, **SOON))
    model = frontend.build(server, credentials=numbered_tokens(), max_retries=2)
    assert frontend.ask(model, way) == TEXT
    assert server.tokens == ["token-1", *["token-2"] * 3]


@pytest.mark.parametrize("frontend", FRAMEWORKS)
@EVERY_WAY
def test_each_cause_is_repaired_once(server, frontend, way):
    """A 401 by a refresh, a signature that is asked for by a skip value; then max_retries counts."""
    history = error(400, "Function call is missing a thought_signature in functionCall parts.", "INVALID_ARGUMENT")
    server.rule = error(401)
    with pytest.raises(AuthenticationError):
        frontend.ask(frontend.build(server, credentials=numbered_tokens(), max_retries=5), way)
    assert len(server.requests) == 2
    server.rule = history
    with pytest.raises(InvalidRequestError):
        frontend.ask(frontend.build(server, max_retries=5), way)
    # There is no call in this history that a skip value could mend.
    assert len(server.requests) == 3


UNSIGNED = [
    {"role": "user", "content": "What is the weather?"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "a", "content": "Rain."},
]


@EVERY_WAY
@pytest.mark.parametrize("most", [0, 2])
def test_both_repairs_of_one_call_are_two_requests_outside_the_count(server, way, most):
    """A model that was not known to demand signatures, a token that died, then a service that is down."""
    server.answer(error(400, "Function call is missing a thought_signature.", "INVALID_ARGUMENT"), error(401))
    server.rule = error(503, **SOON)
    model = CORE.build(server, model="google/gemini-2.5-flash", credentials=numbered_tokens(), max_retries=most)
    model.messages = UNSIGNED
    with pytest.raises(ServerError) as caught:
        CORE.ask(model, way)
    assert len(server.requests) == caught.value.attempts == 2 + 1 + most
    signed = [b"skip_thought_signature_validator" in request.body for request in server.requests]
    assert signed == [False] + [True] * (2 + most)


@EVERY_WAY
def test_a_signature_that_is_asked_for_again_is_told(server, way):
    """The skip value did not help: there is no second one."""
    server.rule = error(400, "Function call is missing a thought_signature.", "INVALID_ARGUMENT")
    model = CORE.build(server, model="google/gemini-2.5-flash", max_retries=5)
    model.messages = UNSIGNED
    with pytest.raises(ThoughtSignatureError):
        CORE.ask(model, way)
    assert len(server.requests) == 2


STATED = {
    "seconds": (error(429, Retry_After=7), 7.0),
    "fraction": (error(503, Retry_After="1.5"), 1.5),
    "milliseconds": (error(429, Retry_After_Ms=2500), 2.5),
    "date": (error(503, **after(20)), 20.0),
    "RetryInfo": (error(429, details=[retry_info("33s")]), 33.0),
    "RetryInfo of a fraction": (error(503, details=[retry_info("0.250s")]), 0.25),
    "RetryInfo in a mapping": (error(429, details=[retry_info("4s")], shape="dict"), 4.0),
    "header over RetryInfo": (error(429, details=[retry_info("4s")], Retry_After=2), 2.0),
    "at most a minute": (error(429, Retry_After=60), 60.0),
}


@TWO_WAYS
@pytest.mark.parametrize(("answer", "expected"), STATED.values(), ids=STATED)
def test_the_delay_that_the_server_states_is_kept(server, way, answer, expected):
    server.answer(answer)
    waits = Waits()
    assert CORE.ask(core_model(server, waits), way) == TEXT
    assert list(waits) == [pytest.approx(expected, rel=0.1)]


def test_a_date_without_the_servers_own_is_taken_by_this_machines_clock(server):
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=30)
    server.answer(error(503, Retry_After=format_datetime(later, usegmt=True)))
    waits = Waits()
    CORE.ask(core_model(server, waits), "plain")
    assert list(waits) == [pytest.approx(30, abs=2)]


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize(
    "answer",
    [error(429, Retry_After=61), error(503, details=[retry_info("300s")]), error(429, **after(3600))],
    ids=["header", "body", "date"],
)
def test_a_longer_delay_is_told_at_once(server, frontend, way, answer):
    server.rule = answer
    with pytest.raises((RateLimitError, ServerError)) as caught:
        frontend.ask(frontend.build(server, max_retries=5), way)
    assert len(server.requests) == 1
    assert f"{caught.value.retry_after:g} s" in str(caught.value)


def test_chance_spreads_only_what_the_server_leaves_open(server):
    for chance in (0.25, 0.75):
        server.answer(error(503), error(503, Retry_After=7))
        waits = Waits(lambda chance=chance: chance)
        CORE.ask(core_model(server, waits), "plain")
        assert list(waits) == [0.5 * chance, 7.0]


@EVERY_FRONTEND
def test_two_tokens_are_tried_at_most(server, frontend):
    server.rule = error(401, **SOON)
    with pytest.raises(AuthenticationError):
        frontend.ask(frontend.build(server, credentials=numbered_tokens(), max_retries=5), "plain")
    assert server.tokens == ["token-1", "token-2"]


@EVERY_FRONTEND
def test_an_agreeable_server_is_asked_once(server, frontend):
    server.answer(reply())
    assert frontend.ask(frontend.build(server, max_retries=5), "plain") == TEXT
    assert len(server.requests) == 1
