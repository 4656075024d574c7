"""Item 4: a token endpoint that never answers is an error in time, and who gives up leaves the others alone."""

import asyncio
import threading
import time

import pytest
from google.auth import compute_engine
from google.oauth2.credentials import Credentials

from tests.promises.entry_points import EVERY_FRONTEND, EVERY_WAY, TOKEN
from tests.support.fault_answers import TEXT, body, silence
from vertex_compat_integrations.core.auth import refreshing, single_flight
from vertex_compat_integrations.core.errors import CredentialsError

SECONDS = 0.3
IN_TIME = 5
"""What hangs here does so for 30 s or for ever; other programs may stop this one for a second or two."""
GRANT = body(b'{"access_token": "%s", "expires_in": 3600, "token_type": "Bearer"}' % TOKEN.encode())


@pytest.fixture
def authorities(serve):
    """A token endpoint; it does not answer."""
    return serve(silence)


@pytest.fixture
def user(authorities):
    """A user's credentials without a token."""
    return Credentials(
        None, refresh_token="r", client_id="c", client_secret="s", token_uri=f"{authorities.origin}/token"
    )


@EVERY_FRONTEND
@EVERY_WAY
def test_a_token_endpoint_that_never_answers_is_an_error_in_time(server, frontend, way, user):
    model = frontend.build(server, credentials=user, allow_hosts=[server.origin], timeout=SECONDS, max_retries=3)
    began = time.monotonic()
    with pytest.raises(CredentialsError, match="No token") as caught:
        frontend.ask(model, way)
    assert time.monotonic() - began < IN_TIME
    assert "HTTPS_PROXY" in caught.value.hint
    assert server.requests == []


@EVERY_FRONTEND
@pytest.mark.parametrize("way", ["plain", "aplain"])
def test_so_is_a_metadata_server(server, serve, frontend, way, monkeypatch):
    hole = serve(silence)
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", f"127.0.0.1:{hole.port}")
    given = compute_engine.Credentials()
    model = frontend.build(server, credentials=given, allow_hosts=[server.origin], timeout=SECONDS)
    began = time.monotonic()
    with pytest.raises(CredentialsError):
        frontend.ask(model, way)
    assert time.monotonic() - began < IN_TIME
    assert server.requests == []


@EVERY_FRONTEND
@pytest.mark.parametrize("way", ["plain", "aplain"])
def test_so_is_a_callable_that_hangs(server, frontend, way):
    release = threading.Event()
    model = frontend.build(server, credentials=lambda: str(release.wait(30)), timeout=SECONDS)
    began = time.monotonic()
    with pytest.raises(CredentialsError, match="within"):
        frontend.ask(model, way)
    release.set()
    assert time.monotonic() - began < IN_TIME


@EVERY_FRONTEND
@pytest.mark.parametrize("way", ["plain", "aplain"])
@pytest.mark.parametrize("kind", ["endpoint", "callable"])
def test_the_calls_own_timeout_may_be_longer_than_anybody_waits_for_a_token(
    *, server, frontend, way, kind, user, monkeypatch
):
    """Ten seconds, here a fraction of one."""
    for module in (refreshing, single_flight):
        assert module.FETCH_LIMIT_SECONDS == 10
        monkeypatch.setattr(module, "FETCH_LIMIT_SECONDS", SECONDS)
    release = threading.Event()
    given = user if kind == "endpoint" else lambda: str(release.wait(30))
    model = frontend.build(server, credentials=given, allow_hosts=[server.origin], timeout=600)
    began = time.monotonic()
    with pytest.raises(CredentialsError):
        frontend.ask(model, way)
    release.set()
    assert time.monotonic() - began < IN_TIME
    assert server.requests == []


@EVERY_FRONTEND
async def test_cancelling_who_came_first_leaves_the_others_their_answer(server, serve, frontend):
    release = threading.Event()

    def slow(exchange):
        release.wait(20)
        GRANT(exchange)

    granting = serve(slow)
    user = Credentials(None, refresh_token="r", client_id="c", client_secret="s", token_uri=f"{granting.origin}/token")
    model = frontend.build(server, credentials=user, allow_hosts=[server.origin], timeout=30)
    leader = asyncio.create_task(frontend.aask(model))
    await asyncio.sleep(0.05)
    others = [asyncio.create_task(frontend.aask(model)) for _ in range(20)]
    await asyncio.sleep(0)
    leader.cancel()
    asyncio.get_running_loop().call_later(0.05, release.set)
    began = time.monotonic()
    assert await asyncio.gather(*others) == [TEXT] * 20
    assert time.monotonic() - began < IN_TIME, "who hangs does so for the timeout of 30 s"
    with pytest.raises(asyncio.CancelledError):
        await leader
    assert len(granting.requests) == 1
