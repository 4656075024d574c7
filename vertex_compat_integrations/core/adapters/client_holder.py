"""The client that an object of a framework uses for its current settings."""

import os
from collections import ChainMap
from operator import attrgetter
from typing import Any, TypeAlias

from vertex_compat_integrations.core.client import Closing, VertexCompatClient
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.request.mending import LineOf, wire_line
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

_CONNECTION = tuple(Connection.model_fields)
_connection_settings = attrgetter(*_CONNECTION)

KeyedClient: TypeAlias = tuple[tuple[Any, ...], VertexCompatClient]
"""A client, and the settings and the emulator that it was created for."""


class HoldsClient(Closing):
    """What the frameworks' objects do with the client in their attribute `_client`."""

    _client: KeyedClient | None

    def _core(self) -> VertexCompatClient:
        """The client for the current settings."""
        # Not an abstract method: LlamaIndex would create a span for each of its calls.
        raise NotImplementedError

    def preload(self) -> None:
        """Do the preparations of the first call in advance, so that a server's first user does not wait for them.

        Loads the OpenAI SDK, reads the certificates, and fetches a token. Nothing is sent to the model.

        Raises:
            SettingsError: The settings are invalid or contradict each other.
            CredentialsError: No credentials are found, or no token can be obtained with them.
        """
        self._core().preload()

    async def apreload(self) -> None:
        """Like `preload`, for the running event loop, which is not blocked."""
        await self._core().apreload()

    def close(self) -> None:
        """Release the connections; they close unless other objects use them. A later call opens new ones."""
        if self._client is not None:
            self._client[1].close()

    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""
        if self._client is not None:
            await self._client[1].aclose()


def client_for(
    connection: Connection, facts: JsonObject | None, current: KeyedClient | None, line_of: LineOf = wire_line
) -> KeyedClient:
    """Return the client for the current settings and emulator: the existing one, if nothing has changed."""
    # The lookup enters functions of Python, so a base URL, which is never the emulator's, does without.
    emulator = None if connection.base_url is not None else os.environ.get(EMULATOR_HOST_VARIABLE)
    settings = (facts, emulator, *_connection_settings(connection))
    if current is not None and current[0] == settings:
        return current
    # A separate connection object: copies of the user's object share the client, and each may be changed.
    own = Connection.model_construct(**dict(zip(_CONNECTION, settings[2:], strict=True)))
    # A stream that is created here may begin later, when the variable has another value.
    environment = ChainMap({EMULATOR_HOST_VARIABLE: emulator or ""}, os.environ)
    return settings, VertexCompatClient(own, facts, line_of=line_of, environment=environment)
