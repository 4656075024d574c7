"""The OpenAI SDK's clients, shared by all objects of a process; and the door through which we use them.

One of the three places with process-wide state: clients stand by origin and settings, async ones also by event loop,
since a connection lives on the loop that opened it. Locks and clients are made anew in a forked child.
"""

import asyncio
import os
import ssl
import threading
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, NamedTuple, TypeVar

import openai

from vertex_compat_integrations.core.connection import CONNECT_SECONDS
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    DeadlineExceededError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.failures import decode_failure
from vertex_compat_integrations.core.transport import AsyncByteStream, ByteStream

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)

PLACEHOLDER_KEY = "the-credential-stands-in-each-request"


class Route(NamedTuple):
    """What decides which connections a request may use."""

    origin: str
    proxy: str | None = None
    ca_bundle: str | None = None


class Post(NamedTuple):
    """One request, ready for the wire."""

    url: str
    content: bytes
    headers: Mapping[str, str]
    seconds: float
    gap_seconds: float


class _Pool:
    """The clients of this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all: a forked child must not speak on its parent's sockets."""
        self.lock = threading.Lock()
        self.clients: dict[Route, openai.OpenAI] = {}
        self.async_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Route, openai.AsyncOpenAI]] = (
            weakref.WeakKeyDictionary()
        )
        self.closers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[None]] = (
            weakref.WeakKeyDictionary()
        )


_POOL = _Pool()
os.register_at_fork(after_in_child=_POOL.reset)


def _client(route: Route) -> openai.OpenAI:
    client = _POOL.clients.get(route)
    if client is None:
        with _POOL.lock:
            client = _POOL.clients.get(route)
            if client is None:
                client = _POOL.clients[route] = neutral(openai.OpenAI(**_settings(route), **_http_client(route)))
    return client


async def _async_client(route: Route) -> openai.AsyncOpenAI:
    loop = asyncio.get_running_loop()
    clients = _POOL.async_clients.get(loop)
    if clients is None:
        clients = _POOL.async_clients.setdefault(loop, {})
        closer = _POOL.closers[loop] = _close_with_loop(clients)
        await anext(closer)
    client = clients.get(route)
    if client is None:
        client = clients[route] = neutral(openai.AsyncOpenAI(**_settings(route), **_async_http_client(route)))
    return client


async def _close_with_loop(clients: dict[Route, openai.AsyncOpenAI]) -> AsyncGenerator[None]:
    """Wait until the loop shuts its generators down, as `asyncio.run` does at its end; then close the connections."""
    try:
        yield
    finally:
        for client in list(clients.values()):
            await client.close()
        clients.clear()


def _settings(route: Route) -> dict[str, Any]:
    return {
        "api_key": PLACEHOLDER_KEY,
        "base_url": route.origin,
        "max_retries": 0,
        "default_headers": dict.fromkeys(ambient_header_names(), openai.omit),
    }


def ambient_header_names() -> list[str]:
    """Names of the headers that the SDK would take from `OPENAI_CUSTOM_HEADERS`, one `Name: value` a line."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    return [line.partition(":")[0].strip() for line in lines if ":" in line]


def neutral(client: Client) -> Client:
    """The client without what the SDK took from `OPENAI_*`: none of it is Google's business."""
    client.organization = None
    client.project = None
    client.webhook_secret = None
    return client


def transport_settings(route: Route) -> dict[str, Any]:
    """Arguments for an HTTP client on this route; empty if it needs none of its own."""
    settings: dict[str, Any] = {}
    if route.proxy:
        settings["proxy"] = route.proxy
    if route.ca_bundle:
        settings["verify"] = ssl.create_default_context(cafile=route.ca_bundle)
    return settings


def _http_client(route: Route) -> dict[str, Any]:
    settings = transport_settings(route)
    return {"http_client": openai.DefaultHttpxClient(**settings)} if settings else {}


def _async_http_client(route: Route) -> dict[str, Any]:
    settings = transport_settings(route)
    return {"http_client": openai.DefaultAsyncHttpxClient(**settings)} if settings else {}


def _arguments(post: Post) -> dict[str, Any]:
    gap = min(post.gap_seconds, post.seconds)
    timeout = openai.Timeout(gap, connect=min(CONNECT_SECONDS, post.seconds))
    return {
        "path": post.url,
        "cast_to": object,
        "content": post.content,
        "options": {
            "headers": {"Content-Type": "application/json", **post.headers},
            "follow_redirects": False,
            "max_retries": 0,
            "timeout": timeout,
        },
        "stream": True,
    }


def blocks(route: Route, post: Post) -> Generator[bytes]:
    """The body of the answer to one request, as it comes; read to its end, so that the connection serves again.

    Raises:
        VertexCompatError: The server answered with an error, or no whole answer came.
    """
    failure: VertexCompatError | None = None
    stream: ByteStream | None = None
    try:
        stream = _client(route).post(**_arguments(post), stream_cls=ByteStream)
        yield from stream
    except Exception as error:  # noqa: BLE001 - whatever the transport raises is translated, on both majors of the SDK
        failure = translate_error(error)
    finally:
        if stream is not None:
            stream.response.close()
    if failure is not None:
        # Outside the handler: the SDK's exception holds the request, and so the token.
        raise failure


async def ablocks(route: Route, post: Post) -> AsyncGenerator[bytes]:
    """Like `blocks`."""
    failure: VertexCompatError | None = None
    stream: AsyncByteStream | None = None
    try:
        client = await _async_client(route)
        stream = await client.post(**_arguments(post), stream_cls=AsyncByteStream)
        async for block in stream:
            yield block
    except Exception as error:  # noqa: BLE001 - as in blocks()
        failure = translate_error(error)
    finally:
        if stream is not None:
            await stream.response.aclose()
    if failure is not None:
        raise failure


def translate_error(error: Exception) -> VertexCompatError:
    """Our error for one of the SDK or of the HTTP library under it; nothing of the request is in it."""
    if isinstance(error, VertexCompatError):
        return error
    if isinstance(error, openai.APIStatusError):
        response = error.response
        return decode_failure(response.status_code, response.content, response.headers)
    names = {kind.__name__ for kind in type(error).__mro__}
    cause = type(error.__cause__ or error).__name__
    if names & {"APITimeoutError", "TimeoutException", "TimeoutError"}:
        return DeadlineExceededError(f"The server did not answer in time ({cause}).")
    if names & {"DecodingError"}:
        return UnexpectedReplyError(f"The body of the answer could not be decoded ({cause}).")
    return ConnectionFailedError(f"The connection failed ({cause}).")
