"""A client on a running emulator; named by `pytest_plugins` where it is wanted."""

from collections.abc import Callable
from typing import Any

import pytest

from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection


class Waits(list[float]):
    """The waits of a client; nobody waits."""

    def timing(self) -> Timing:
        async def wait(seconds: float) -> None:
            self.append(seconds)

        return Timing(sleep=self.append, asleep=wait, chance=lambda: 0.5)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def build(emulator, waits) -> Callable[..., VertexCompatClient]:
    """Builds a client with a good token of the emulator's."""

    def client(facts: dict[str, Any] | None = None, **settings: Any) -> VertexCompatClient:
        token = {} if "credentials" in settings else {"api_key": emulator.identity.issue()}
        connection = Connection(**{"base_url": emulator.base_url(), "retry_budget": False} | token | settings)
        return VertexCompatClient(connection, facts, waits.timing())

    return client
