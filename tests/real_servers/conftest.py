"""One llama.cpp server for all tests, where it and the weights are installed; else each test says what is missing."""

import os
from collections.abc import Iterator

import pytest

from tests.real_servers.llama_server import LlamaServer, missing
from tests.real_servers.relay import Relay

REQUIRED = "REQUIRE_REAL_SERVERS"
"""Set by `.ci/run`: what is missing there is a failure, not a reason to skip."""


@pytest.fixture(scope="session")
def _installed() -> None:
    reason = missing()
    if reason is not None and os.environ.get(REQUIRED):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def server(_installed: None) -> Iterator[LlamaServer]:
    """The server, its model loaded."""
    with LlamaServer() as running:
        yield running.wait()


@pytest.fixture
def relay(server: LlamaServer) -> Iterator[Relay]:
    """A relay before the server, which notes what goes through."""
    with Relay(server.port) as running:
        yield running


@pytest.fixture(autouse=True)
def _loop(loop_for_synchronous_tests: None) -> None:
    """Each test of this room has one."""
