"""The client that an object of a framework uses for its current settings."""

import os
from collections import ChainMap
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from vertex_compat_integrations.core.client import Closing, VertexCompatClient
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.request.mending import LineOf, wire_line
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import LIMITS_OF_CALL, Options, limits_of_call
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

if TYPE_CHECKING:
    from vertex_compat_integrations.core.native.prefixed import CacheScope, Prefix

_CONNECTION = tuple(Connection.model_fields)
_connection_settings = attrgetter(*_CONNECTION)

NO_ARGUMENTS: Mapping[str, Any] = {}

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


class HoldsChatClient(HoldsClient):
    """What the frameworks' chat models do with their client: a call has its own limits, and may begin with a prefix.

    Attributes:
        _prefix: The cached messages before those of each call; None if there are none.
        _line_of: Writes a message as the framework's line of code, for errors.
    """

    _prefix: Any
    _line_of = staticmethod(wire_line)

    def _core(self, call: Mapping[str, Any] = NO_ARGUMENTS) -> VertexCompatClient:
        """The client for the current settings, with the call's own deadline and number of retries, if it has them."""
        settings: Any = self
        current = client_for(settings, settings.model_facts, self._client, self._line_of)
        if current is not self._client:
            self._client = current = self._with_prefix(current)
        client = current[1]
        return client if LIMITS_OF_CALL.keys().isdisjoint(call) else client.limited(limits_of_call(call))

    def _with_prefix(self, client: KeyedClient) -> KeyedClient:
        """Return the client, with the cached messages before those of each call, if this model has such."""
        # Pickles of earlier versions lack the attribute.
        if (prefix := getattr(self, "_prefix", None)) is None:
            return client
        from vertex_compat_integrations.core.native.prefixed import PrefixedClient  # noqa: PLC0415 - few programs use it

        return client[0], cast("VertexCompatClient", PrefixedClient(client[1], prefix))

    def _cache_scope(
        self,
        prefix: "Prefix",
        options: Options,
        call: Mapping[str, Any],
        errors: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> "CacheScope[Self]":
        """Return the `with` statement around a context cache; see `CacheScope`.

        Raises:
            SettingsError: The model has a prefix, or this one cannot be cached.
        """
        from vertex_compat_integrations.core.native.prefixed import CacheScope  # noqa: PLC0415 - as above

        if getattr(self, "_prefix", None) is not None:
            raise SettingsError("This model has a context cache.", hint="Use the model itself for another one.")
        settings: Any = self
        client = self._core(call)
        model = settings.model_copy(update={"tools": None, "tool_choice": None} if prefix.tools else None)
        model._prefix = prefix  # noqa: SLF001 - a copy of its own
        # The same client, so that its knowledge of the cache is that of the statement.
        model._client = model._with_prefix(self._client)  # noqa: SLF001 - as above
        return CacheScope(client, prefix, options, model, errors)


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
