"""Asynchronous HTTP on aiohttp, as a transport for the client of the SDK's HTTP library.

The SDK's own (`openai.DefaultAioHttpClient`) cannot be chosen for everybody: it sends the cookies that one caller got
with the next caller's requests, calls refused connections timeouts, shows no connection that could be ended at a
deadline, and lets nobody set its session under the SDK's major 3.
"""

import asyncio
import ssl
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import openai
from aiohttp import encode_basic_auth  # has it since 3.14: an older one is as good as none
from yarl import URL

from vertex_compat_integrations.core.interruptions import interruption_in
from vertex_compat_integrations.core.transport.http_library import LIBRARY

_KINDS = (
    (aiohttp.ConnectionTimeoutError, LIBRARY.ConnectTimeout),
    (aiohttp.ServerTimeoutError, LIBRARY.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, LIBRARY.ProxyError),
    (aiohttp.ClientHttpProxyError, LIBRARY.ProxyError),
    (aiohttp.ClientConnectorError, LIBRARY.ConnectError),
    (aiohttp.ServerDisconnectedError, LIBRARY.RemoteProtocolError),
    (aiohttp.ClientPayloadError, LIBRARY.RemoteProtocolError),
    (aiohttp.ClientResponseError, LIBRARY.RemoteProtocolError),
    (aiohttp.ClientError, LIBRARY.ReadError),
    (OSError, LIBRARY.ReadError),
)
"""What aiohttp raises, the special before the general, and what the SDK's HTTP library says to it."""

_BLOCK_BYTES = 2**15
"""What of a body is handed on at a time."""

_MAX_HEADER_BYTES = 2**16
"""A line of an answer's head; httpx takes as much."""


class AioTransport(LIBRARY.AsyncBaseTransport):  # type: ignore[misc]  # the library is known at run time only
    """Sends requests as they are on connections of the loop that sends the first of them; keeps no cookies."""

    def __init__(self, context: ssl.SSLContext, proxy: str | None = None) -> None:
        """`context` says whom to trust; `proxy` is the URL of an http proxy, whose password may stand in it."""
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._proxy = _proxy_arguments(proxy) if proxy else {}
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: Any) -> Any:
        """The response, whose body is yet to be read."""
        session = self._session = self._session or self._open_session()
        with _translated():
            answer = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=request.content if isinstance(request.stream, LIBRARY.ByteStream) else request.stream,
                allow_redirects=False,
                timeout=_timeout(request.extensions["timeout"]),
                **self._proxy,
            )
        extensions = {"network_stream": _Wire(answer)}
        return LIBRARY.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer), extensions=extensions)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        limits = openai.DEFAULT_CONNECTION_LIMITS
        connector = _Connector(
            ssl=self._context, limit=limits.max_connections or 0, keepalive_timeout=limits.keepalive_expiry
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        )
        # A session that nobody closed complains on the log. Its loop is gone, or belongs to the parent of this process.
        weakref.finalize(self, session.detach)
        return session


class _Connector(aiohttp.TCPConnector):
    def __del__(self, *_: Any) -> None:
        """Leave the sockets to the collector: aiohttp would close them on a loop that may belong to another process."""


class _Body(LIBRARY.AsyncByteStream):  # type: ignore[misc]  # as above
    """The body of an answer, as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for block in self._answer.content.iter_chunked(_BLOCK_BYTES):
                yield block
                if len(block) == _BLOCK_BYTES:
                    # More of it is here already, so that reading on would keep the loop from all others.
                    await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Let go of the connection; what has not come is not waited for, nor is the farewell of TLS."""
        transport = _transport_of(self._answer)
        if transport is not None:
            transport.abort()
        self._answer.close()


class _Wire:
    """The connection of an answer, as httpcore shows it (`network_stream`), for as long as the answer has it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    def get_extra_info(self, name: str) -> Any:
        transport = _transport_of(self._answer)
        return transport.get_extra_info(name) if transport is not None else None


def _transport_of(answer: aiohttp.ClientResponse) -> Any:
    """What carries the answer; None once it is read to its end, and the connection may serve another."""
    connection = answer.connection
    return connection.transport if connection is not None else None


def _timeout(seconds: dict[str, float | None]) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=seconds["pool"], sock_connect=seconds["connect"], sock_read=seconds["read"]
    )


def _proxy_arguments(url: str) -> dict[str, Any]:
    proxy = LIBRARY.Proxy(url)
    arguments: dict[str, Any] = {"proxy": URL(str(proxy.url))}
    if proxy.auth:
        arguments["proxy_headers"] = {"Proxy-Authorization": encode_basic_auth(*proxy.auth)}
    return arguments


@contextmanager
def _translated() -> Iterator[None]:
    """Inside, errors of aiohttp become those of the SDK's HTTP library; theirs hold the request, and so the token.

    What a signal's handler raised is their cause, so that it is found again (`interruption_in`): it may be an OSError.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        kind = next(ours for theirs, ours in _KINDS if isinstance(error, theirs))
        raise kind(type(error).__name__) from interruption_in(error)
