"""Item 16: a caller's own HTTP client is used as it is, refused if it cannot be, and never followed elsewhere."""

import asyncio
import importlib
import json
import ssl
import threading

import openai
import pytest

from tests.promises.entry_points import CORE, EVERY_FRONTEND, EVERY_WAY, TOKEN
from tests.support.fault_answers import TEXT, body, completion, error, redirect, reply
from tests.support.fault_server import FaultServer
from vertex_compat_integrations.core.errors import (
    RateLimitError,
    SettingsError,
    UnexpectedReplyError,
    VertexCompatError,
)

MAJOR = int(openai.__version__.partition(".")[0])
HTTP = importlib.import_module("httpx2" if MAJOR >= 3 else "httpx")


class Clients:
    """HTTP clients of the installed SDK's family, whose requests are counted."""

    def __init__(self, **settings) -> None:
        self.requests = []
        self.given = {
            "http_client": openai.DefaultHttpxClient(event_hooks={"request": [self.requests.append]}, **settings),
            "http_async_client": openai.DefaultAsyncHttpxClient(event_hooks={"request": [self._anote]}, **settings),
        }

    async def _anote(self, request) -> None:
        self.requests.append(request)

    def ask(self, frontend, way, server=None, **settings):
        """The answer through these clients, which are closed then; the asynchronous one where it was used."""
        model = frontend.build(server, **self.given, **settings)

        async def asked():
            async with self.given["http_async_client"]:
                return await frontend.aask(model, way)

        if way.startswith("a"):
            return asyncio.run(asked())
        with self.given["http_client"]:
            return frontend.ask(model, way)


@EVERY_FRONTEND
@EVERY_WAY
def test_requests_go_through_the_callers_client(server, frontend, way):
    clients = Clients(headers={"X-Mine": "yes"})
    assert clients.ask(frontend, way, server) == TEXT
    assert len(clients.requests) == len(server.requests) == 1
    assert server.requests[0].headers["x-mine"] == "yes"


@EVERY_WAY
def test_errors_and_retries_are_the_same(server, way):
    server.answer(error(429, Retry_After_Ms=1), error(503, Retry_After_Ms=1))
    assert Clients().ask(CORE, way, server, max_retries=2) == TEXT
    server.rule = error(429, "Resource exhausted.")
    with pytest.raises(RateLimitError, match="Resource exhausted"):
        Clients().ask(CORE, way, server)


@EVERY_FRONTEND
@EVERY_WAY
def test_a_client_that_follows_redirects_follows_none_of_ours(server, serve, frontend, way):
    stranger = serve()
    server.rule = redirect(stranger.base_url + "/chat/completions")
    clients = Clients(follow_redirects=True)
    with pytest.raises(UnexpectedReplyError, match="redirect"):
        clients.ask(frontend, way, server)
    assert stranger.connections == 0


@EVERY_WAY
def test_a_client_with_a_base_url_of_its_own_sends_to_the_configured_origin(server, serve, way):
    stranger = serve()
    clients = Clients(base_url=stranger.base_url)
    assert clients.ask(CORE, way, server) == TEXT
    assert stranger.connections == 0


@EVERY_FRONTEND
@pytest.mark.parametrize("name", ["http_client", "http_async_client"])
@pytest.mark.parametrize("wrong", [object(), "http://proxy", 1], ids=["object", "text", "number"])
def test_what_is_no_client_is_refused_at_construction(frontend, name, wrong):
    with pytest.raises(ValueError, match="cannot use this HTTP client"):
        frontend.build(base_url="https://h.example/v1", api_key=TOKEN, **{name: wrong})


def test_a_client_of_the_other_kind_is_refused_at_construction():
    """A synchronous one for asynchronous calls, and the reverse."""
    given = Clients().given
    with pytest.raises(SettingsError, match="openai") as caught:
        CORE.build(base_url="https://h.example/v1", api_key=TOKEN, http_client=given["http_async_client"])
    assert "DefaultHttpxClient" in caught.value.hint
    with pytest.raises(SettingsError, match="openai"):
        CORE.build(base_url="https://h.example/v1", api_key=TOKEN, http_async_client=given["http_client"])


@EVERY_WAY
def test_a_client_of_the_other_family_works_if_the_sdk_takes_it_and_is_refused_if_not(server, way):
    """openai 3 takes httpx's clients as well as httpx2's, the later 2.x the reverse; earlier ones know httpx only."""
    other = pytest.importorskip("httpx" if MAJOR >= 3 else "httpx2")
    clients = Clients()
    clients.given = {"http_client": other.Client(), "http_async_client": other.AsyncClient()}
    try:
        openai.OpenAI(api_key="k", http_client=clients.given["http_client"])
    except TypeError:
        with pytest.raises(SettingsError, match="cannot use this HTTP client"):
            clients.ask(CORE, way, server)
        return
    server.answer(reply(), error(404, "Publisher Model was not found.", "NOT_FOUND"))
    assert clients.ask(CORE, way, server) == TEXT
    clients.given = {"http_client": other.Client(), "http_async_client": other.AsyncClient()}
    with pytest.raises(VertexCompatError, match="Publisher Model"):
        clients.ask(CORE, way, server)


@EVERY_WAY
def test_mutual_tls_goes_through(serve, authority, way, tmp_path):
    context = authority.server_context()
    authority.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    server = serve(reply(), tls=context)
    certificate = tmp_path / "client.pem"
    authority.ca.issue_cert("caller@example.com").private_key_and_cert_chain_pem.write_to_path(certificate)
    trusting = ssl.create_default_context(cafile=authority.path)
    with pytest.raises(VertexCompatError):
        Clients(verify=trusting).ask(CORE, way, server)
    known = ssl.create_default_context(cafile=authority.path)
    known.load_cert_chain(certificate)
    assert Clients(verify=known).ask(CORE, way, server) == TEXT
    assert server.tokens == [TOKEN]


@EVERY_WAY
def test_a_transport_of_the_callers_own_is_used(server, way):
    """Here one that sends everything to the test's server, whatever the host."""

    class Rerouting(HTTP.HTTPTransport):
        def handle_request(self, request):
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)
            return super().handle_request(request)

    class AsyncRerouting(HTTP.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)
            return await super().handle_async_request(request)

    clients = Clients()
    clients.given = {
        "http_client": openai.DefaultHttpxClient(transport=Rerouting()),
        "http_async_client": openai.DefaultAsyncHttpxClient(transport=AsyncRerouting()),
    }
    assert clients.ask(CORE, way, project="p", credentials=_google()) == TEXT
    assert server.requests[0].target == "/v1/projects/p/locations/global/endpoints/openapi/chat/completions"
    assert server.requests[0].headers["host"] == "aiplatform.googleapis.com"


def _google():
    from google.oauth2.credentials import Credentials

    return Credentials(token=TOKEN)


@EVERY_WAY
def test_a_dripped_answer_ends_at_the_deadline_there_too(server, way):
    from tests.support.fault_answers import drip

    server.rule = drip()
    with pytest.raises(VertexCompatError):
        Clients().ask(CORE, way, server, timeout=0.25)


def test_a_limited_pool_is_respected(serve):
    """Each connection serves once: httpcore 1.0.9, under openai 2, loses requests of a full pool on idle connections.

    Its pool asks an idle connection whether the server ended it (`has_expired`); where another thread sends a request
    on it just then, the answer is taken for the end, and the connection is closed under that thread. Bare httpx does,
    too (a third connection in 2 of 60 rounds, 4 to 6 with this package). httpcore2 leaves assigned connections out.
    """
    counting = threading.Lock()
    asked: list[int] = []
    both_are_there = threading.Barrier(2)

    def when_both_are_there(exchange):
        with counting:
            asked.append(len(server.requests) - answered[0])
        both_are_there.wait(20)
        exchange.pause(0.05)  # in which a third one would come
        with counting:
            answered[0] += 1
        body(json.dumps(completion({"content": TEXT})).encode(), Connection="close")(exchange)
        exchange.close()

    answered = [0]
    server: FaultServer = serve(when_both_are_there)
    texts: list[str] = []
    with openai.DefaultHttpxClient(limits=HTTP.Limits(max_connections=2)) as client:
        model = CORE.build(server, http_client=client, timeout=30)
        threads = [threading.Thread(target=lambda: texts.append(CORE.ask(model, "plain"))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert texts == [TEXT] * 12
    assert max(asked) == 2
