"""Attempts on a running emulator: token, project, request, and the connections that are kept."""

import gc
from contextlib import closing
from dataclasses import replace

import pytest

from tests.support.endpoint_bodies import HELLO, MODEL
from vertex_compat_integrations.core.auth.source import Account
from vertex_compat_integrations.core.calls.access import Access
from vertex_compat_integrations.core.calls.builder import CallBuilder
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.calls.sender import Sender
from vertex_compat_integrations.core.errors import AuthenticationError, DeadlineExceededError, ServerError
from vertex_compat_integrations.core.request.mending import wire_line
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import pool
from vertex_compat_integrations.emulator import Emulator, http_error, text

pytest_plugins = ("tests.core.client_fixtures",)


@pytest.fixture
def emulator():
    """One whose address no other test has."""
    with Emulator() as running:
        yield running


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def sending(emulator, now):
    """A function that returns a sender and a call for it."""

    def make(**settings):
        token = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}
        notices = Notices()
        access = Access(Connection(**token | settings), notices)
        calls = CallBuilder(access, notices, None, wire_line, clock=lambda: now[0], chance=lambda: 0.0)
        return Sender(access), calls.chat(HELLO, Options(model=MODEL))

    return make


def answer(sender, call):
    """What one attempt brings."""
    with closing(sender.send(call)) as blocks:
        for block in blocks:
            assert [*call.read(block)] == []
    ((reply,),) = call.read(None)
    return reply.text


async def aanswer(sender, call):
    async for block in await sender.asend(call):
        assert [*call.read(block)] == []
    ((reply,),) = call.read(None)
    return reply.text


async def test_an_attempt_is_one_request(emulator, sending):
    emulator.rule(text("Good day."))
    sender, call = sending()
    assert answer(sender, call) == await aanswer(sender, call) == "Good day."
    assert [entry.path for entry in emulator.journal.chat] == [emulator.journal.last.path] * 2
    assert call.url.endswith(emulator.journal.last.path)
    await sender.aclose()


async def test_a_failed_attempt_is_an_error_and_no_second_request(emulator, sending):
    emulator.rule(http_error(503))
    sender, call = sending()
    with pytest.raises(ServerError):
        answer(sender, call)
    with pytest.raises(ServerError):
        await aanswer(sender, call)
    assert len(emulator.journal.chat) == 2


def test_a_token_that_was_just_refused_is_not_sent_again(emulator, sending):
    sender, call = sending(api_key="ya29.stale")
    with pytest.raises(AuthenticationError) as caught:
        answer(sender, call)
    call.delay_after(caught.value)
    with pytest.raises(AuthenticationError):
        answer(sender, call)
    assert len(emulator.journal.chat) == 1


def test_nothing_is_sent_after_the_deadline(emulator, sending, now):
    sender, call = sending(timeout=5.0)
    now[0] = 5.0
    with pytest.raises(DeadlineExceededError):
        answer(sender, call)
    assert not emulator.journal.entries


class Credential:
    """A credential with a project of its own."""

    def __init__(self, token):
        self.kind, self.asked, self._headers = "its own", 0, {"Authorization": f"Bearer {token}"}

    def headers(self, *_):
        return self._headers

    async def aheaders(self, *_):
        return self._headers

    def account(self, _):
        self.asked += 1
        return Account("its-own")

    async def aaccount(self, seconds):
        return self.account(seconds)


@pytest.mark.filterwarnings("ignore:VERTEX_COMPAT_EMULATOR_HOST")
@pytest.mark.parametrize("send", [answer, aanswer])
async def test_the_project_of_the_credential_is_asked_for_once_and_sent(send, emulator, monkeypatch):
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    access = Access(Connection(), Notices())
    destination, _ = access.resolve()
    credential = Credential(emulator.identity.issue())
    access._resolved = replace(destination, project=None), credential
    calls = CallBuilder(access, Notices(), None, wire_line, clock=lambda: 0.0, chance=lambda: 0.0)
    sender = Sender(access)
    for _ in range(2):
        answered = send(sender, calls.chat(HELLO, Options(model=MODEL)))
        assert answered if send is answer else await answered
    assert credential.asked == 1
    assert [entry.project for entry in emulator.journal.chat] == ["its-own"] * 2
    await sender.aclose()


def is_open(access):
    return access.route(access.resolve()[0]) in pool._POOL.clients


async def test_preparing_sends_nothing_and_closing_ends_the_connections(emulator, sending):
    sender, call = sending()
    assert not is_open(sender._access)
    sender.preload(None, 5.0)
    await sender.apreload(None, 5.0)
    assert is_open(sender._access)
    assert not emulator.journal.entries
    answer(sender, call)
    await sender.aclose()
    assert not is_open(sender._access)


def test_closing_a_client_ends_also_the_connections_of_calls_with_a_timeout_of_their_own(build):
    client = build()
    client.limited({"timeout": 9.0}).chat(HELLO, Options(model=MODEL))
    gc.collect()
    assert is_open(client._access)
    client.close()
    assert not is_open(client._access)
