"""Asynchronous HTTP on aiohttp, as a transport for the client of the SDK's HTTP library.

The SDK's own (`openai.DefaultAioHttpClient`) is not suitable for all users: it sends the cookies that one caller
received with the next caller's requests, reports refused connections as timeouts, exposes no connection that could be
closed at a deadline, and does not allow setting its session in SDK version 3.
"""

import asyncio
import ssl
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import openai
from aiohttp import encode_basic_auth  # exists since 3.14: an older version is not used
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
"""aiohttp's exceptions, the specific before the general, and the corresponding ones of the SDK's HTTP library."""

_BLOCK_BYTES = 2**15
"""Bytes of a body that are passed on at a time."""

_MAX_HEADER_BYTES = 2**16
"""Maximum length of a header line; the same as in httpx."""


class AioTransport(LIBRARY.AsyncBaseTransport):  # type: ignore[misc]  # the library is known at run time only
    """Sends requests unchanged, on connections of the loop that sends the first one; stores no cookies."""

    def __init__(self, context: ssl.SSLContext, proxy: str | None = None) -> None:
        """Create a transport; `context` holds the trusted authorities, `proxy` is an http proxy's URL with password."""
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        self._proxy = _proxy_arguments(proxy) if proxy else {}
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: Any) -> Any:
        """Return the response, whose body is not read yet."""
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
        # A session that is not closed logs a complaint. Its loop is gone, or belongs to this process's parent.
        weakref.finalize(self, session.detach)
        return session


class _Connector(aiohttp.TCPConnector):
    def __del__(self, *_: Any) -> None:
        """Leave the sockets to the garbage collector: aiohttp might close them on a loop of another process."""


class _Body(LIBRARY.AsyncByteStream):  # type: ignore[misc]  # as above
    """The body of an answer, as it arrives."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for block in self._answer.content.iter_chunked(_BLOCK_BYTES):
                yield block
                if len(block) == _BLOCK_BYTES:
                    # More of it has already arrived, so reading on without a pause would block all other tasks of the
                    # loop.
                    await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Release the connection without waiting for the rest of the body or for the end of TLS."""
        transport = _transport_of(self._answer)
        if transport is not None:
            transport.abort()
        self._answer.close()


class _Wire:
    """The connection of an answer, in httpcore's interface (`network_stream`), as long as the answer has it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    def get_extra_info(self, name: str) -> Any:
        transport = _transport_of(self._answer)
        return transport.get_extra_info(name) if transport is not None else None


def _transport_of(answer: aiohttp.ClientResponse) -> Any:
    """The transport of an answer; None once it is read to its end, and the connection may be reused."""
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
    """Convert aiohttp's errors in the block to the SDK's HTTP library's; aiohttp's hold the request, and so the token.

    An exception of a signal handler becomes the cause, so that `interruption_in` finds it: it may be an OSError.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        kind = next(ours for theirs, ours in _KINDS if isinstance(error, theirs))
        raise kind(type(error).__name__) from interruption_in(error)
