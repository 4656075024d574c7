"""A server that stops leaves no connection open behind it."""

import gc
import socket

import pytest

from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.proxy import Proxy

SERVERS = {
    "emulator": (Emulator, lambda emulator: emulator.host),
    "proxy": (
        lambda: Proxy(Connection(base_url="http://127.0.0.1:9/v1", api_key="token")),
        lambda proxy: f"127.0.0.1:{proxy.port}",
    ),
}


@pytest.mark.parametrize("name", SERVERS)
def test_nor_one_that_it_is_just_accepting(name):
    """A socket that is left open is a ResourceWarning, which is an error in this suite."""
    make, address_of = SERVERS[name]
    for _ in range(5):
        with make() as server:
            host, _, port = address_of(server).partition(":")
            socket.create_connection((host, int(port)), timeout=5).close()
    gc.collect()
