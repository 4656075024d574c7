"""A server of another's behind an emulator."""

import pytest

from tests.emulator.real_model.upstream_server import KEY, Server, serving
from tests.support.emulator_client import Ask, asker
from vertex_compat_integrations.emulator import Emulator, Upstream


@pytest.fixture(scope="module")
def running():
    with (
        serving() as server,
        Emulator(upstream=Upstream(server.url, model="tiny", key=KEY, timeout_seconds=30)) as emulator,
    ):
        yield server, emulator


@pytest.fixture
def server(running) -> Server:
    running[0].reset()
    return running[0]


@pytest.fixture
def emulator(running) -> Emulator:
    running[1].reset()
    return running[1]


@pytest.fixture
def ask(emulator, server) -> Ask:
    return asker(emulator)


@pytest.fixture
def impatient(server):
    """An emulator that waits a second for the upstream's next byte."""
    with Emulator(upstream=Upstream(server.url, timeout_seconds=1)) as running:
        yield running
