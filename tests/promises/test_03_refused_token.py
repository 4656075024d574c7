"""Item 3: a 401 is answered by one refresh and one request with another token; a lasting one is told with a hint.

What the hint says for each kind of credential stands in `test_error_texts.py`.
"""

import pytest

from tests.promises.entry_points import EVERY_FRONTEND, EVERY_WAY, numbered_tokens
from tests.support.fault_answers import TEXT, error, reply
from vertex_compat_integrations.core.errors import AuthenticationError


@pytest.fixture
def tokens():
    return numbered_tokens()


SAME_AGAIN = {
    "a fixed token": {"api_key": "token-1"},
    "a callable that gives the same": {"credentials": lambda: "token-1"},
    "a callable that gives the same, to be kept": {"credentials": lambda: ("token-1", float("inf"))},
}


@EVERY_FRONTEND
@EVERY_WAY
def test_a_refused_token_is_refreshed_and_the_caller_sees_success(server, frontend, way, tokens):
    server.answer(error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED"))
    model = frontend.build(server, credentials=tokens)
    assert frontend.ask(model, way) == TEXT
    assert server.tokens == ["token-1", "token-2"]
    assert frontend.ask(model, way) == TEXT
    assert server.tokens[-1] == "token-2", "the new token stays in use"


@EVERY_FRONTEND
@EVERY_WAY
def test_a_lasting_401_ends_after_two_requests_with_a_hint(server, frontend, way, tokens):
    server.rule = error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
    with pytest.raises(AuthenticationError) as caught:
        frontend.ask(frontend.build(server, credentials=tokens, max_retries=5), way)
    assert server.tokens == ["token-1", "token-2"]
    assert caught.value.attempts == 2
    words = str(caught.value)
    assert "from the credentials callable was refused: let it return a fresh OAuth 2 access token" in words
    assert "application-default login" not in words, "which would not change what the callable gives"
    assert "token-" not in words


@EVERY_FRONTEND
@EVERY_WAY
@pytest.mark.parametrize("source", SAME_AGAIN.values(), ids=SAME_AGAIN)
def test_a_refused_token_is_not_sent_a_second_time(server, frontend, way, source):
    server.rule = error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
    with pytest.raises(AuthenticationError) as caught:
        frontend.ask(frontend.build(server, max_retries=5, **source), way)
    assert server.tokens == ["token-1"]
    assert caught.value.attempts == 1


@EVERY_FRONTEND
def test_a_token_that_dies_in_mid_stream_lets_the_stream_end(server, frontend, tokens):
    """The endpoint checks a token when a request begins; the next one brings another."""
    model = frontend.build(server, credentials=tokens)
    core = model.client if hasattr(model, "client") else model._core()

    def revoking(exchange):
        core._access.resolve()[1].invalidate({"Authorization": "Bearer token-1"})
        reply()(exchange)

    server.answer(revoking)
    assert frontend.ask(model, "stream") == TEXT
    assert frontend.ask(model, "stream") == TEXT
    assert server.tokens == ["token-1", "token-2"]
