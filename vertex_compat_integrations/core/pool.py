"""The OpenAI SDK's clients, shared by all objects of a process; and the door through which we use them.

One of the three places with process-wide state: clients stand by origin and settings, async ones also by event loop,
since a connection lives on the loop that opened it. Locks and clients are made anew in a forked child.
"""

import asyncio
import os
import ssl
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, NamedTuple, TypeVar

import openai

from vertex_compat_integrations.core.connection import CONNECT_SECONDS
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    DeadlineExceededError,
    SettingsError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.failures import decode_failure
from vertex_compat_integrations.core.transport import AsyncByteStream, ByteStream
from vertex_compat_integrations.core.watchdog import Watch, Watchdog, watching_on_loop

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)

MAX_BODY_BYTES = 512 * 2**20
"""A bound against a server that never ends its answer."""

PLACEHOLDER_KEY = "the-credential-stands-in-each-request"


class Route(NamedTuple):
    """What decides which connections a request may use."""

    origin: str
    proxy: str | None = None
    ca_bundle: str | None = None
    http_client: Any = None
    http_async_client: Any = None


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
        self.watchdog = Watchdog()
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
        for route, client in list(clients.items()):
            if route.http_async_client is None:
                await client.close()
        clients.clear()


def check_http_clients(http_client: Any, http_async_client: Any) -> None:
    """Refuse HTTP clients that the installed SDK cannot use: its majors 2 and 3 speak through different libraries.

    Raises:
        SettingsError: One of them is no client for this SDK.
    """
    route = Route("https://aiplatform.googleapis.com", http_client=http_client, http_async_client=http_async_client)
    try:
        if http_client is not None:
            openai.OpenAI(**_settings(route), **_http_client(route))
        if http_async_client is not None:
            openai.AsyncOpenAI(**_settings(route), **_async_http_client(route))
    except (TypeError, AttributeError) as error:
        raise SettingsError(
            f"openai {openai.__version__} cannot use this HTTP client: {error}",
            hint="Make it with openai.DefaultHttpxClient(…) or openai.DefaultAsyncHttpxClient(…).",
        ) from None


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
    elif route.origin.startswith("http:"):
        # Only this machine is spoken to in plain http: HTTP_PROXY is not for it.
        settings["trust_env"] = False
    if route.ca_bundle:
        settings["verify"] = ssl.create_default_context(cafile=route.ca_bundle)
    return settings


def _http_client(route: Route) -> dict[str, Any]:
    if route.http_client is not None:
        return {"http_client": route.http_client}
    settings = transport_settings(route)
    return {"http_client": openai.DefaultHttpxClient(**settings)} if settings else {}


def _async_http_client(route: Route) -> dict[str, Any]:
    if route.http_async_client is not None:
        return {"http_client": route.http_async_client}
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

    The head of the answer is timed read by read only; of the body, also the whole.

    Raises:
        VertexCompatError: The server answered with an error, or no whole answer came in time.
    """
    failure: VertexCompatError | None = None
    stream: ByteStream | None = None
    watch = Watch()
    ends = time.monotonic() + post.seconds
    try:
        stream = _client(route).post(**_arguments(post), stream_cls=ByteStream)
        with _POOL.watchdog.watching(watch, stream.response, ends - time.monotonic()):
            size = 0
            for block in stream:
                size = _grown(size, block)
                yield block
    except Exception as error:  # noqa: BLE001 - whatever the transport raises is translated, on both majors of the SDK
        failure = translate_error(error)
    finally:
        if stream is not None:
            stream.response.close()
    _settle(failure, watch, post)


async def ablocks(route: Route, post: Post) -> AsyncGenerator[bytes]:
    """Like `blocks`; the head is timed as a whole, too."""
    failure: VertexCompatError | None = None
    stream: AsyncByteStream | None = None
    watch = Watch()
    ends = time.monotonic() + post.seconds
    try:
        client = await _async_client(route)
        async with asyncio.timeout(post.seconds):
            stream = await client.post(**_arguments(post), stream_cls=AsyncByteStream)
        with watching_on_loop(watch, stream.response, ends - time.monotonic()):
            size = 0
            async for block in stream:
                size = _grown(size, block)
                yield block
    except Exception as error:  # noqa: BLE001 - as in blocks()
        failure = translate_error(error)
    finally:
        if stream is not None:
            await stream.response.aclose()
    _settle(failure, watch, post)


def _grown(size: int, block: bytes) -> int:
    size += len(block)
    if size > MAX_BODY_BYTES:
        raise UnexpectedReplyError(f"The answer is larger than {MAX_BODY_BYTES >> 20} MiB.")
    return size


def _settle(failure: VertexCompatError | None, watch: Watch, post: Post) -> None:
    """Raise what went wrong; outside of any handler, for the SDK's exception holds the request, and so the token."""
    if watch.has_expired:
        raise DeadlineExceededError(f"The answer was not complete within {post.seconds:.3g} s.")
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
