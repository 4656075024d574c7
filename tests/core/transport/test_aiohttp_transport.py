"""Asynchronous calls on aiohttp put on the wire what those on httpx do, and leave as little behind."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import openai
import pytest

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import ConnectionFailedError, SettingsError
from vertex_compat_integrations.core.interruptions import interruption_in
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport.aiohttp_transport import _translated
from vertex_compat_integrations.core.transport.http_library import LIBRARY
from vertex_compat_integrations.core.transport.post import Route
from vertex_compat_integrations.core.transport.sdk_clients import async_client_of

pytestmark = pytest.mark.skipif(find_spec("aiohttp") is None, reason="aiohttp is not installed")

BOTH = pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
OPTIONS = Options(model="google/gemini-3.5-flash")
ANSWER = b'{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}]}'


class Handler(BaseHTTPRequestHandler):
    """Answers everything, with a cookie and a long header; notes what it is asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        heads = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, heads, body))
        self.send_response(200)
        self.send_header("set-cookie", "caller=first; Path=/")
        self.send_header("x-long", "x" * 50_000)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []

    @property
    def base_url(self) -> str:
        """By name: aiohttp keeps no cookies of addresses."""
        return f"http://localhost:{self.server_port}/v1"


@pytest.fixture(autouse=True)
def _chosen_by_itself(monkeypatch):
    """Also where the whole run of tests is on one of the two."""
    monkeypatch.delenv("VERTEX_COMPAT_HTTP_BACKEND", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


async def ask(text: str = "Hello", **settings) -> None:
    client = VertexCompatClient(Connection(**{"api_key": "t", "max_retries": 0} | settings))
    await client.achat([{"role": "user", "content": text}], OPTIONS)
    await client.aclose()


@BOTH
async def test_a_cookie_of_one_caller_does_not_go_with_the_next(server, backend):
    for token in ("one", "two"):
        await ask(base_url=server.base_url, http_backend=backend, api_key=token)
    assert [heads.get("cookie") for _, heads, _ in server.asked] == [None, None]


@pytest.mark.parametrize("text", ["Hello", "x" * 600_000], ids=["short", "in pieces"])
async def test_both_send_the_same(server, text):
    for backend in ("httpx", "aiohttp"):
        await ask(text, base_url=f"{server.base_url}/a%2Fb", http_backend=backend)
    (*first,), (*second,) = server.asked
    assert first == second
    assert "transfer-encoding" not in first[1]


@BOTH
async def test_a_refused_connection_is_no_timeout(backend):
    with pytest.raises(ConnectionFailedError, match="to localhost:9 failed: connection refused"):
        await ask(base_url="http://localhost:9/v1", http_backend=backend)


async def test_nor_is_it_on_the_sdks_own_client():
    try:
        own = openai.DefaultAioHttpClient()
    except RuntimeError:
        pytest.skip("this SDK wants httpx-aiohttp for its own client")
    with pytest.raises(ConnectionFailedError, match="to localhost:9 failed: connection refused"):
        await ask(base_url="http://localhost:9/v1", http_async_client=own)
    await own.aclose()


@pytest.mark.parametrize("kind", [TimeoutError, ConnectionResetError, OSError])
async def test_what_a_signals_handler_raised_is_found_again(kind):
    """It is an `OSError`, as those of the network are."""

    def ring(*_: object) -> None:
        raise kind

    before = signal.signal(signal.SIGUSR1, ring)
    try:
        with pytest.raises(LIBRARY.ReadError) as caught, _translated():
            signal.raise_signal(signal.SIGUSR1)
        assert type(interruption_in(caught.value)) is kind
        with pytest.raises(LIBRARY.ReadError) as caught, _translated():
            raise kind
        assert interruption_in(caught.value) is caught.value.__cause__ is None
    finally:
        signal.signal(signal.SIGUSR1, before)


async def carrier_of(route: Route) -> str:
    """The module of what carries a request, by the connection that its answer shows."""
    seen = []

    async def note(response) -> None:
        seen.append(type(response.extensions["network_stream"]).__module__.partition(".")[0])

    client = async_client_of(route, note)
    await client.post("/v1", cast_to=object, content=ANSWER, options={"headers": {"Content-Length": str(len(ANSWER))}})
    await client.close()
    return "aiohttp" if seen == ["vertex_compat_integrations"] else "httpx"


@pytest.mark.parametrize(("named", "carrier"), [(None, "aiohttp"), ("aiohttp", "aiohttp"), ("httpx", "httpx")])
async def test_aiohttp_carries_asynchronous_calls_unless_told_otherwise(server, named, carrier):
    assert await carrier_of(Route(server.base_url.removesuffix("/v1"), http_backend=named)) == carrier


async def test_where_no_aiohttp_is_installed_httpx_carries_them(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "vertex_compat_integrations.core.transport.aiohttp_transport", raising=False)
    assert await carrier_of(Route(server.base_url.removesuffix("/v1"))) == "httpx"
    with pytest.raises(SettingsError, match="aiohttp is not installed") as caught:
        await ask(base_url=server.base_url, http_backend="aiohttp")
    assert "[aiohttp]" in caught.value.hint


async def test_the_environment_says_otherwise_for_all(server, monkeypatch):
    monkeypatch.setenv("VERTEX_COMPAT_HTTP_BACKEND", "carrier pigeon")
    with pytest.raises(SettingsError, match="carrier pigeon"):
        await ask(base_url=server.base_url)
    await ask(base_url=server.base_url, http_backend="aiohttp")


async def test_a_proxy_that_aiohttp_cannot_speak_to_is_left_to_httpx():
    """httpx fails to connect here; aiohttp, asked for by name, refuses."""
    settings = {"base_url": "https://gateway.invalid/v1", "proxy": "https://localhost:9"}
    with pytest.raises(ConnectionFailedError):
        await ask(**settings)
    with pytest.raises(SettingsError, match="only use plain http proxies"):
        await ask(**settings, http_backend="aiohttp")


LEAVING = """
import asyncio, gc, os
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

def ask(loop):
    client = VertexCompatClient(Connection(base_url={url!r}, api_key="t", http_backend={backend!r}))
    options = Options(model="google/gemini-3.5-flash")
    loop.run_until_complete(client.achat([dict(role="user", content="Hello")], options))

forgotten, left, shared = (asyncio.new_event_loop() for _ in range(3))
ask(forgotten)
forgotten.close()
ask(shared)
if (child := os.fork()) == 0:
    gc.collect()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
ask(shared)
shared.run_until_complete(shared.shutdown_asyncgens())
shared.close()
ask(left)
del forgotten, shared
gc.collect()
"""


@BOTH
def test_loops_left_open_or_closed_in_haste_and_forked_children_leave_no_complaint(server, backend):
    """And the parent's connection lives on after its child has ended."""
    program = LEAVING.format(url=server.base_url, backend=backend)
    # Python 3.12 and newer warn of a fork beside threads.
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.asked) == 4


async def test_the_connection_of_an_answer_that_was_read_belongs_to_the_next(server):
    """A deadline that is kept for the first must not shut it down."""
    seen = []

    async def note(response) -> None:
        wire = response.extensions["network_stream"]
        seen.append(wire)

    client = async_client_of(Route(server.base_url.removesuffix("/v1"), http_backend="aiohttp"), note)
    heads = {"headers": {"Content-Length": "2"}}
    await client.post("/v1", cast_to=object, content=b"{}", options=heads)
    (wire,) = seen
    assert wire.get_extra_info("socket") is None
    await client.close()
