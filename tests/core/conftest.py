"""The emulator's identity side on real loopback sockets, for tests of credentials."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from vertex_compat_integrations.emulator.identity.identity import Identity

GOOGLE_HOSTS = ("oauth2.googleapis.com", "iamcredentials.googleapis.com", "cloudresourcemanager.googleapis.com")
MADE_UP_HOST = "token.invalid"
FOREIGN_VARIABLES = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_QUOTA_PROJECT", "GCLOUD_PROJECT", "GCE_METADATA_IP"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"),
)


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class IdentityServer:
    """An identity side, where it listens, and a CONNECT proxy behind which it answers for Google's hosts.

    While `gate` is cleared, requests are counted and their answers wait.
    """

    identity: Identity
    url: str
    proxy: str
    ca_bundle: str
    proxied_hosts: list[str]
    gate: threading.Event

    def count(self, kind: str | None = None) -> int:
        """Token requests so far, of one kind or of all."""
        return sum(kind in (None, request.kind) for request in self.identity.token_requests)


class _Thread(threading.Thread):
    def __init__(self, identity: Identity, authority: trustme.CA) -> None:
        super().__init__(name="identity-server", daemon=True)
        self.gate = threading.Event()
        self.gate.set()
        self.app = web.Application(middlewares=[self._wait_at_gate])
        identity.add_routes(self.app)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(MADE_UP_HOST, *GOOGLE_HOSTS).configure_cert(self.tls)
        self.hosts: list[str] = []
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()

    @web.middleware
    async def _wait_at_gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        answer = await handler(request)
        while not self.gate.is_set():  # noqa: ASYNC110 - the test is in another thread
            await asyncio.sleep(0.005)
        return answer

    def run(self) -> None:
        self.loop.run_until_complete(self._open())
        self.ready.set()
        self.loop.run_forever()
        self.loop.run_until_complete(self._close())
        self.loop.close()

    async def _open(self) -> None:
        self.runner = web.AppRunner(self.app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0, backlog=512).start()
        await web.TCPSite(self.runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.port, self.tls_port = (address[1] for address in self.runner.addresses)
        self.proxy = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.proxy_port = self.proxy.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self.proxy.close()
        await self.runner.cleanup()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.hosts.append(head.split()[1].decode().partition(":")[0])
        there, back = await asyncio.open_connection("127.0.0.1", self.tls_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> tuple[trustme.CA, str]:
    """A certificate authority of the tests' own, and the file that holds it."""
    made = trustme.CA()
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(path)
    return made, str(path)


@pytest.fixture
def serve_identity(authority, tmp_path, monkeypatch) -> Iterator[Callable[..., IdentityServer]]:
    """A function that starts an identity side; all of them stop with the test. No setting of the machine takes part."""
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud-here"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "env-project")
    threads: list[_Thread] = []

    def serve(**settings: Any) -> IdentityServer:
        identity = Identity(**settings)
        thread = _Thread(identity, authority[0])
        thread.start()
        thread.ready.wait()
        threads.append(thread)
        proxy = f"http://127.0.0.1:{thread.proxy_port}"
        url = f"http://127.0.0.1:{thread.port}"
        return IdentityServer(identity, url, proxy, authority[1], thread.hosts, thread.gate)

    yield serve
    for thread in threads:
        thread.stop()


@pytest.fixture
def server(serve_identity) -> IdentityServer:
    """An identity side whose tokens live an hour."""
    return serve_identity()


@pytest.fixture
def clock() -> Clock:
    """Time that the test moves."""
    return Clock()


@pytest.fixture
def clocked_server(serve_identity, clock) -> IdentityServer:
    """An identity side whose tokens live an hour by the test's clock."""
    return serve_identity(clock=clock)


@pytest.fixture
def write_adc(tmp_path, monkeypatch) -> Callable[[dict[str, Any]], Path]:
    """A function that makes a file's content the Application Default Credentials."""
    path = tmp_path / "application_default_credentials.json"

    def write(info: dict[str, Any]) -> Path:
        path.write_text(json.dumps(info))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        return path

    return write
