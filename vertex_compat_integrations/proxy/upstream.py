"""Sends requests to the endpoint with the credential of one connection, and yields the bytes of the answers."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
)
from vertex_compat_integrations.core.json_values import encode_json
from vertex_compat_integrations.core.media.uploads import CallMedia
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_project, resolve_source
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.core.settings.environment import resolve_authorities, resolve_http_backend
from vertex_compat_integrations.core.settings.media_bucket import resolve_target
from vertex_compat_integrations.core.settings.several_places import SEVERAL
from vertex_compat_integrations.core.settings.without_effect import OF_OUR_CLASSES, refuse_without_effect
from vertex_compat_integrations.core.transport import pool
from vertex_compat_integrations.core.transport.post import Post, Route


class VertexUpstream:
    """Sends requests to one destination with one credential. Construction does no I/O."""

    def __init__(self, connection: Connection) -> None:
        """Resolve destination and credential from the settings.

        Raises:
            SettingsError: The settings contradict each other, or the credential may not be sent to this host.
        """
        refuse_without_effect(connection, (*SEVERAL, *OF_OUR_CLASSES, "max_retries"), "the proxy")
        self.destination = resolve_destination(connection)
        self.project = self.destination.project
        self.repairs_histories = connection.repair_history
        self._connection = connection
        self._source = resolve_source(connection, self.destination)
        self._target = resolve_target(connection, self.destination, self._source)
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
        self.project = resolve_project(self.destination, self._source, timeout)
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

    async def chat(self, body: wire.Json, headers: Mapping[str, str]) -> AsyncGenerator[bytes]:
        """Yield the body of the answer to a chat; its large media are uploaded before, if a bucket is set.

        Raises:
            VertexCompatError: As for `blocks`, or a medium could not be uploaded.
        """
        ends = time.monotonic() + self._connection.timeout
        media = self._media(str(body.get("model")), ends)
        while True:
            content = encode_json(body if media is None else await _linked(media, body))
            has_begun = False
            try:
                async with aclosing(self.blocks(wire.CHAT_PATH, content, headers, _left(ends))) as blocks:
                    async for block in blocks:
                        has_begun = True
                        yield block
            except (InvalidRequestError, NotFoundError) as error:
                # An object that a lifecycle rule deleted is uploaded again, once.
                if has_begun or media is None or not media.is_lost(error):
                    raise
            else:
                return

    def _media(self, model: str, ends: float) -> CallMedia | None:
        """The uploads of a call's large media; None if there is no bucket, or the model reads no links."""
        if self._target is None or not facts_for(model).gemini:
            return None
        return CallMedia(self._target, lambda: _left(ends))

    async def blocks(
        self, path: str, content: bytes, headers: Mapping[str, str], seconds: float | None = None
    ) -> AsyncGenerator[bytes]:
        """Yield the body of the answer. After a refused token, retry once with another one; there are no other retries.

        Args:
            path: The path after the base URL.
            content: The request's body.
            headers: Additional headers.
            seconds: The time for the answer, if it is not the connection's `timeout`.

        Raises:
            VertexCompatError: The endpoint answered with an error, or no complete answer arrived in time.
        """
        auth = await self._auth()
        try:
            async with aclosing(self._attempt(path, content, {**headers, **auth}, seconds)) as attempt:
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
        async with aclosing(self._attempt(path, content, {**headers, **fresh}, seconds)) as attempt:
            async for block in attempt:
                yield block

    async def _auth(self) -> Mapping[str, str]:
        return await self._source.aheaders(self.destination.origin, self._connection.timeout)

    def _attempt(
        self, path: str, content: bytes, headers: Mapping[str, str], seconds: float | None
    ) -> AsyncGenerator[bytes]:
        post = Post(
            self.base_url + path,
            content,
            AuthHeaders(headers),
            self._connection.timeout if seconds is None else seconds,
            self._connection.gap_timeout,
        )
        return pool.ablocks(self._route, post, self)


async def _linked(media: CallMedia, body: wire.Json) -> wire.Json:
    await media.aupload(body)
    return media.refer(body)


def _left(ends: float) -> float:
    """Return the seconds that are left of a call.

    Raises:
        DeadlineExceededError: Nothing is left.
    """
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise DeadlineExceededError("The call took longer than its timeout.")
    return seconds
