"""Sends the attempts of calls: token, connection, request. With `transport`, it does the I/O of a client."""

from collections.abc import AsyncGenerator, Generator, Mapping
from typing import TYPE_CHECKING, Any

from vertex_compat_integrations.core.auth.source import charged_to
from vertex_compat_integrations.core.calls.access import Access, Attempt
from vertex_compat_integrations.core.calls.call import Call, CarriesMedia
from vertex_compat_integrations.core.endpoint import OPENAPI
from vertex_compat_integrations.core.transport import on_demand
from vertex_compat_integrations.core.transport.post import Post, Route

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.meter import Meter


class Sender:
    """Sends the attempts of one client's calls; it is the user of the connections."""

    def __init__(self, access: Access) -> None:
        """Open nothing yet."""
        self._access = access

    def send(self, call: Call[Any]) -> Generator[bytes]:
        """Send one attempt; return the blocks of the answer's body.

        Raises:
            VertexCompatError: Media could not be uploaded, or no token was obtained; later also what the request fails
                with.
        """
        access = self._access
        if access.connection.media_bucket is not None and (media := self._media_of(call)) is not None:
            media.upload(call.request.body)
        # Load the SDK before getting a token: on a busy machine this takes a second or more of the token's lifetime.
        pool = on_demand.pool
        if call.new_meter is not None:
            call.new_meter.load()
        attempt = access.attempt(call.place)
        headers = attempt.source.headers(attempt.destination.origin, call.remaining)
        if attempt.lacks_project:
            attempt = access.locate(attempt, attempt.source.account(call.remaining))
            call.locate(attempt.project)
        return pool.blocks(*self._post(call, attempt, headers), self)

    async def asend(self, call: Call[Any]) -> AsyncGenerator[bytes]:
        """Like `send`."""
        access = self._access
        if access.connection.media_bucket is not None and (media := self._media_of(call)) is not None:
            await media.aupload(call.request.body)
        # Load the SDK before getting a token: on a busy machine this takes a second or more of the token's lifetime.
        await on_demand.aload("pool")
        pool = on_demand.pool
        if call.new_meter is not None:
            await call.new_meter.aload()
        attempt = access.attempt(call.place)
        headers = await attempt.source.aheaders(attempt.destination.origin, call.remaining)
        if attempt.lacks_project:
            attempt = access.locate(attempt, await attempt.source.aaccount(call.remaining))
            call.locate(attempt.project)
        return pool.ablocks(*self._post(call, attempt, headers), self)

    def preload(self, meter: "type[Meter] | None", seconds: float) -> None:
        """Do the preparations of the first attempt without sending it."""
        destination, source = self._access.resolve()
        on_demand.pool.prepare(self._access.route(destination), self)
        if meter is not None:
            meter.load()
        source.headers(destination.origin, seconds)

    async def apreload(self, meter: "type[Meter] | None", seconds: float) -> None:
        """Like `preload`."""
        destination, source = self._access.resolve()
        await on_demand.aload("pool")
        await on_demand.pool.aprepare(self._access.route(destination), self)
        if meter is not None:
            await meter.aload()
        await source.aheaders(destination.origin, seconds)

    def close(self) -> None:
        """Release the connections; they close unless other objects use them. A later attempt opens new ones."""
        if on_demand.is_loaded("pool"):
            on_demand.pool.close(self)

    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""
        if on_demand.is_loaded("pool"):
            await on_demand.pool.aclose(self)

    def _media_of(self, call: Call[Any]) -> CarriesMedia | None:
        """Return the uploads of the call's large media; None if the model reads no links."""
        if not call.reads_links:
            return None
        self._access.resolve()
        target = self._access.uploads
        if target is not None and call.media is None:
            from vertex_compat_integrations.core.media.uploads import CallMedia  # noqa: PLC0415 - few programs upload

            call.media = CallMedia(target, lambda: call.remaining)
        return call.media

    def _post(self, call: Call[Any], attempt: Attempt, headers: Mapping[str, str]) -> tuple[Route, Post]:
        """Return the route and the request; its timeout is what the credential lookup left of the call's time."""
        connection, destination = self._access.connection, attempt.destination
        base_url = destination.build_base_url(attempt.project)
        if call.is_native:
            base_url = base_url.removesuffix(f"/endpoints/{OPENAPI}")
        url = call.url = base_url + call.path
        # First: a refused token is not sent again, so this must not count as a request.
        headers = call.headers(headers)
        if connection.projects:
            headers = charged_to(attempt.project, headers)
        return self._access.route(destination), Post(
            url, call.content(), headers, call.remaining, connection.gap_timeout, call.method
        )
