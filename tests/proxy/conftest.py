"""A proxy in front of an emulator, and the stock SDK in front of the proxy."""

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests.proxy.samples import MODEL, NAME
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.proxy import Proxy


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def connection(emulator) -> Connection:
    return Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue())


@pytest.fixture
def proxy(connection) -> Iterator[Proxy]:
    with Proxy(connection, {NAME: MODEL}) as proxy:
        yield proxy


@pytest.fixture
def client_of() -> Iterator[Callable[[Proxy], openai.OpenAI]]:
    """Makes the stock SDK's client of a proxy."""
    clients: list[openai.OpenAI] = []

    def make(proxy: Proxy) -> openai.OpenAI:
        http_client = openai.DefaultHttpxClient(trust_env=False)
        clients.append(
            openai.OpenAI(base_url=proxy.base_url, api_key=proxy.key, max_retries=0, http_client=http_client)
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(client_of, proxy) -> openai.OpenAI:
    return client_of(proxy)


@pytest.fixture
def ask(proxy) -> Iterator[Callable[..., http.client.HTTPResponse]]:
    """Sends a request as it is told; by default a good one."""
    connections: list[http.client.HTTPConnection] = []

    def send(
        body: Any = None, path: str = "/v1/chat/completions", method: str = "POST", **headers: str | None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        connections.append(connection)
        given = {"Authorization": f"Bearer {proxy.key}", **headers}
        sent = {name: value for name, value in given.items() if value is not None}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, content, sent)
        return connection.getresponse()

    yield send
    for connection in connections:
        connection.close()
