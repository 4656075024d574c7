"""Sends requests to the endpoint with the credential of one connection, and yields the bytes of the answers."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.errors import AuthenticationError
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    resolve_authorities,
    resolve_destination,
    resolve_http_backend,
    resolve_source,
)
from vertex_compat_integrations.core.transport import pool
from vertex_compat_integrations.core.transport.post import Post, Route


class VertexUpstream:
    """Sends requests to one destination with one credential. Construction does no I/O."""

    def __init__(self, connection: Connection) -> None:
        """Resolve destination and credential from the settings.

        Raises:
            SettingsError: The settings contradict each other, or the credential may not be sent to this host.
        """
        self.destination = resolve_destination(connection)
        self.project = self.destination.project
        self.repairs_histories = connection.repair_history
        self._connection = connection
        self._source = resolve_source(connection, self.destination)
        self._route = Route(
            self.destination.origin,
            connection.proxy,
            resolve_authorities(connection),
            http_async_client=connection.http_async_client,
            http_backend=resolve_http_backend(connection),
        )

    def open(self) -> None:
        """Fetch the first token, and the project if no setting names it; blocks.

        Raises:
            CredentialsError: No token could be obtained.
            SettingsError: Neither settings nor credentials name the project.
        """
        timeout = self._connection.timeout
        self._source.headers(self.destination.origin, timeout)
        if self.project is None and self.destination.endpoint is not None:
            self.project = self._source.account(timeout).project
        _ = self.base_url

    @property
    def base_url(self) -> str:
        """The URL prefix of requests.

        Raises:
            SettingsError: Neither settings nor credentials name the project.
        """
        return self.destination.build_base_url(self.project)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await pool.aclose(self)

    async def blocks(self, path: str, content: bytes, headers: Mapping[str, str]) -> AsyncGenerator[bytes]:
        """Yield the body of the answer. After a refused token, retry once with another one; there are no other retries.

        Raises:
            VertexCompatError: The endpoint answered with an error, or no complete answer arrived in time.
        """
        auth = await self._auth()
        try:
            async with aclosing(self._attempt(path, content, {**headers, **auth})) as attempt:
                async for block in attempt:
                    yield block
        except AuthenticationError:
            # Raised by an error answer, before the first block: nothing has been sent to the client yet.
            self._source.invalidate(auth)
            fresh = await self._auth()
            if fresh == auth:
                # A fixed token, or a callable that returns the same one: it would be refused again.
                raise
        else:
            return
        async with aclosing(self._attempt(path, content, {**headers, **fresh})) as attempt:
            async for block in attempt:
                yield block

    async def _auth(self) -> Mapping[str, str]:
        return await self._source.aheaders(self.destination.origin, self._connection.timeout)

    def _attempt(self, path: str, content: bytes, headers: Mapping[str, str]) -> AsyncGenerator[bytes]:
        post = Post(
            self.base_url + path,
            content,
            AuthHeaders(headers),
            self._connection.timeout,
            self._connection.gap_timeout,
        )
        return pool.ablocks(self._route, post, self)
