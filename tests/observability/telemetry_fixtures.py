"""A client whose calls OpenTelemetry is told of; named by `pytest_plugins` where it is wanted."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from tests.observability.telemetry_recording import Recording
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection


@cache
def _recording() -> Recording:
    return Recording()


@pytest.fixture
def recording() -> Iterator[Recording]:
    recording = _recording()
    recording.clear()
    yield recording
    recording.clear()


@pytest.fixture
def settings(emulator) -> dict[str, Any]:
    return {"base_url": emulator.base_url(), "api_key": emulator.identity.issue(), "telemetry": True}


async def _wait_for_nothing(_: float) -> None:
    """Nobody waits."""


@pytest.fixture
def build(settings, recording) -> Callable[..., VertexCompatClient]:
    """Builds a client that is watched."""
    timing = Timing(sleep=lambda _: None, asleep=_wait_for_nothing, chance=lambda: 0.5)

    def client(**more: Any) -> VertexCompatClient:
        return VertexCompatClient(Connection(**{"retry_budget": False} | settings | more), timing=timing)

    return client
