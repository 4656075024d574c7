"""The OpenAI SDK's clients, shared by all objects of a process, and the functions that send requests with them.

This is process-wide state: clients are stored by origin and settings, asynchronous ones also by event loop, since a
connection belongs to the loop that opened it. They stay open for the next object with the same settings, until the last
object that uses them is closed. A forked child creates new locks and clients.
"""

import asyncio
import atexit
import threading
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic

import openai

from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    DeadlineExceededError,
    VertexCompatError,
)
from vertex_compat_integrations.core.forking import run_in_forked_child, uncut_by_forks
from vertex_compat_integrations.core.http_errors import decode_failure
from vertex_compat_integrations.core.interruptions import interruption_in
from vertex_compat_integrations.core.settings.connection import CONNECT_SECONDS
from vertex_compat_integrations.core.transport.body import (
    AsyncByteStream,
    ByteStream,
    aread_failure,
    read_failure,
)
from vertex_compat_integrations.core.transport.event_loops import InOneStep, off_loop
from vertex_compat_integrations.core.transport.exchange import LEFT, THREAD, Exchange, end_left
from vertex_compat_integrations.core.transport.failure import translate_error
from vertex_compat_integrations.core.transport.post import ACCEPTED_ENCODINGS, Post, Route
from vertex_compat_integrations.core.transport.sdk_clients import Client, async_client_of, client_of, close_with_loop
from vertex_compat_integrations.core.transport.watchdog import Deadline, DeadlineThread


class _SharedClient(Generic[Client]):
    """The client of one route, and its number of requests in progress."""

    def __init__(self, client: Client) -> None:
        self.client: Client = client
        self.busy = 0


_Clients = dict[Route, _SharedClient[openai.OpenAI]]
_AsyncClients = dict[Route, _SharedClient[openai.AsyncOpenAI]]


class _Pool:
    """The clients of this process, and the objects that use them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything: a forked child must not use its parent's sockets."""
        self.lock = threading.Lock()
        self.building = threading.Lock()
        self.deadline_thread = DeadlineThread()
        self.users: dict[Route, weakref.WeakSet[object]] = {}
        self.clients: _Clients = {}
        self.async_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _AsyncClients] = (
            weakref.WeakKeyDictionary()
        )
        self.closers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[None]] = (
            weakref.WeakKeyDictionary()
        )

    def join(self, route: Route, user: object) -> None:
        """Record that an object uses a route; connections of an object that is never closed stay for the next one."""
        users = self.users.get(route)
        if users is None:
            users = self.users[route] = weakref.WeakSet()
        users.add(user)

    def leave(self, user: object) -> None:
        """Forget a user, and the routes without other users."""
        for route, users in list(self.users.items()):
            if user in users:
                users.discard(user)
                if not users:
                    del self.users[route]

    def take_unused(self, clients: dict[Route, _SharedClient[Client]]) -> list[Client]:
        """Remove and return the unused clients, to be closed; the user's own are removed, but not returned."""
        unused = [route for route, shared in clients.items() if route not in self.users and not shared.busy]
        taken = [(route, clients.pop(route).client) for route in unused]
        return [client for route, client in taken if not _is_users_own(route, client)]

    def close_all(self) -> None:
        """Close open clients when the process ends, except those that a thread may still read from."""
        for route, shared in list(self.clients.items()):
            if route.http_client is None and not shared.busy:
                shared.client.close()
        self.clients.clear()


_POOL = _Pool()
run_in_forked_child(_POOL.reset)
atexit.register(_POOL.close_all)

_DEADLINE: ContextVar[Deadline] = ContextVar("deadline")
"""The deadline of the current request, for the hook that reads an error's body."""


def _is_users_own(route: Route, client: openai.OpenAI | openai.AsyncOpenAI) -> bool:
    own = route.http_client if isinstance(client, openai.OpenAI) else route.http_async_client
    return own is not None


def _borrow(exchange: Exchange, route: Route, user: object) -> openai.OpenAI:
    """Return the client of a route, for one request; the caller has increased `THREAD.depth`."""
    while True:
        with _POOL.lock:
            shared = _POOL.clients.get(route)
            if shared is not None:
                shared.busy += 1
                exchange.shared = shared
                _POOL.join(route, user)
                return shared.client
        _build(route)


def _build(route: Route) -> None:
    # Not under the lock that ends an exchange: this imports modules, and imports have their own locks.
    with uncut_by_forks(), _POOL.building:
        if route not in _POOL.clients:
            another = _SharedClient(client_of(route, _refuse))
            with _POOL.lock:
                _POOL.clients[route] = another


def prepare(route: Route, user: object) -> None:
    """Build the client of a route; nothing is connected."""
    THREAD.depth += 1
    try:
        _build(route)
        with _POOL.lock:
            _POOL.join(route, user)
    finally:
        THREAD.depth -= 1


async def aprepare(route: Route, user: object) -> None:
    """Like `prepare`, for the running loop."""
    async with _async_client(route, user):
        pass


def _retire(exchange: Exchange, route: Route) -> None:
    """Stop using the client: after another code's exception, a lock of httpcore may stay locked forever."""
    shared = exchange.shared
    THREAD.depth += 1
    try:
        with _POOL.lock:
            if shared is not None and _POOL.clients.get(route) is shared:
                del _POOL.clients[route]
    finally:
        THREAD.depth -= 1
    exchange.interrupt(partial(_close_retired, route, shared))


def _close_retired(route: Route, shared: _SharedClient[openai.OpenAI] | None) -> None:
    if shared is not None and not shared.busy and not _is_users_own(route, shared.client):
        shared.client.close()


def _close_unused(route: Route) -> None:
    if route in _POOL.users:
        return
    unused: list[openai.OpenAI] = []
    THREAD.depth += 1
    try:
        with _POOL.lock:
            unused = _POOL.take_unused(_POOL.clients)
        for client in unused:
            client.close()
    finally:
        THREAD.depth -= 1


@asynccontextmanager
async def _async_client(route: Route, user: object) -> AsyncIterator[openai.AsyncOpenAI]:
    """Like `_client`, on the running loop."""
    clients = await _clients_of_loop()
    shared = clients.get(route)
    if shared is None:
        built = await off_loop(lambda: async_client_of(route, _arefuse))
        # Another task may have been faster; a client that opened nothing needs no closing.
        shared = clients.setdefault(route, _SharedClient(built))
    shared.busy += 1
    THREAD.depth += 1
    try:
        with _POOL.lock:
            _POOL.join(route, user)
    finally:
        THREAD.depth -= 1
    try:
        yield shared.client
    finally:
        shared.busy -= 1
        if route not in _POOL.users:
            await _aclose_unused(clients)


async def _clients_of_loop() -> _AsyncClients:
    loop = asyncio.get_running_loop()
    clients = _POOL.async_clients.get(loop)
    if clients is None:
        clients = _POOL.async_clients.setdefault(loop, {})
        closer = _POOL.closers[loop] = close_with_loop(partial(_aclose_all, clients))
        await anext(closer)
    return clients


async def _aclose_all(clients: _AsyncClients) -> None:
    for route, shared in list(clients.items()):
        if route.http_async_client is None:
            await shared.client.close()
    clients.clear()


async def _aclose_unused(clients: _AsyncClients) -> None:
    unused: list[openai.AsyncOpenAI] = []
    THREAD.depth += 1
    try:
        with _POOL.lock:
            unused = _POOL.take_unused(clients)
    finally:
        THREAD.depth -= 1
    for client in unused:
        await client.close()


def close(user: object) -> None:
    """Release the user's connections; they close unless other objects use them, or when current requests end.

    Connections of event loops close with their loops, or by `aclose`.
    """
    unused: list[openai.OpenAI] = []
    THREAD.depth += 1
    try:
        with _POOL.lock:
            _POOL.leave(user)
            unused = _POOL.take_unused(_POOL.clients)
        for client in unused:
            client.close()
    finally:
        THREAD.depth -= 1
    if not THREAD.depth:
        end_left()


async def aclose(user: object) -> None:
    """Like `close`, also for connections of the running loop."""
    close(user)
    await _aclose_unused(_POOL.async_clients.get(asyncio.get_running_loop(), {}))


_REQUEST_HEADERS: dict[str, Any] = {
    "Content-Type": "application/json",
    "Accept-Encoding": ACCEPTED_ENCODINGS,
    "X-Stainless-Retry-Count": openai.omit,
    "X-Stainless-Read-Timeout": openai.omit,
}


def _refuse(response: Any) -> None:
    """Raise an error answer's error, read within the call's limits; the SDK would read it without limits."""
    if response.status_code >= 300:
        _DEADLINE.get().begin(response)
        raise decode_failure(response.status_code, read_failure(response), response.headers)


async def _arefuse(response: Any) -> None:
    """Like `_refuse`; the task's own timeout applies."""
    if response.status_code >= 300:
        raise decode_failure(response.status_code, await aread_failure(response), response.headers)


_LARGE = 1 << 18
"""Bytes from which a request's body is sent in pieces: httpcore and asyncio copy what they cannot write at once."""


_LONGEST_GAP = 1e6
"""Seconds: sockets accept no more than 2**31 milliseconds."""


def _arguments(post: Post) -> dict[str, Any]:
    gap = min(post.gap_seconds, post.seconds, _LONGEST_GAP)
    timeout = openai.Timeout(gap, connect=min(CONNECT_SECONDS, post.seconds))
    return {
        "path": post.url,
        "cast_to": object,
        "content": post.content if len(post.content) <= _LARGE else _pieces(post.content),
        "options": {
            "headers": AuthHeaders({**_REQUEST_HEADERS, "Content-Length": str(len(post.content)), **post.headers}),
            "follow_redirects": False,
            "max_retries": 0,
            "timeout": timeout,
        },
        "stream": True,
    }


def _bare_arguments(post: Post) -> dict[str, Any]:
    """The arguments of other methods, which have no `stream`: the SDK's own header makes it return the raw response."""
    arguments = _arguments(post)
    del arguments["stream"]
    if not post.content:
        del arguments["content"]
    arguments["options"]["headers"] = AuthHeaders(
        {**arguments["options"]["headers"], "X-Stainless-Raw-Response": "stream"}
    )
    return arguments


def blocks(route: Route, post: Post, user: object) -> Generator[bytes]:
    """Yield the body of the answer to one request as it arrives, to its end, so that the connection can be reused.

    For the answer's headers, only each read has a timeout; for the body, also the whole.

    Raises:
        VertexCompatError: The server answered with an error, or no complete answer was received in time.
    """
    failure: BaseException | None = None
    exchange = Exchange(post.seconds, _POOL.lock, partial(_close_unused, route))
    deadline = exchange.deadline
    try:
        try:
            _begin(exchange, route, post, user)
            while (block := _next_of(exchange)) is not None:
                yield block
        except GeneratorExit:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) or interruption_in(error) is not None:
                _retire(exchange, route)
            raise
        finally:
            exchange.leave()
    except Exception as error:  # noqa: BLE001 - any exception of the transport is translated, for both SDK versions
        failure = interruption_in(error) or translate_error(error, post)
    _settle(failure, post, has_expired=deadline.has_expired)


def _begin(exchange: Exchange, route: Route, post: Post, user: object) -> None:
    """Send the request, and read the answer's headers."""
    _POOL.deadline_thread.watch(exchange.deadline)
    token = _DEADLINE.set(exchange.deadline)
    THREAD.depth += 1
    try:
        client = _borrow(exchange, route, user)
        if post.method == "post":
            exchange.begin(client.post(**_arguments(post), stream_cls=ByteStream))
        else:
            response = getattr(client, post.method)(**_bare_arguments(post)).http_response
            exchange.begin(ByteStream(cast_to=object, response=response, client=client))
    finally:
        THREAD.depth -= 1
        _DEADLINE.reset(token)
    if LEFT and not THREAD.depth:
        end_left()


def _next_of(exchange: Exchange) -> bytes | None:
    """Return the next block of the body; None at its end, or after the deadline."""
    if exchange.is_lost or exchange.reading is None:
        raise ConnectionFailedError(
            "This stream was opened by the process that this one was forked from.", hint="Call again in this process."
        )
    THREAD.depth += 1
    try:
        block = next(exchange.reading, None)
    finally:
        THREAD.depth -= 1
    if LEFT and not THREAD.depth:
        end_left()
    if block is not None and time.monotonic() >= exchange.deadline.ends:
        # There may be no thread to shut the connection down, or no connection that it could shut down.
        exchange.deadline.has_expired = True
        return None
    return block


async def ablocks(route: Route, post: Post, user: object) -> AsyncGenerator[bytes]:
    """Like `blocks`; the headers also have a timeout as a whole."""
    failure: BaseException | None = None
    limit: asyncio.Timeout | None = None
    is_left = False
    ends = asyncio.get_running_loop().time() + post.seconds
    try:
        async with _async_client(route, user) as client, _aposted(client, post) as stream:
            reading = aiter(stream)
            while True:
                # A new timeout for each read: between two reads, the task is the caller's, or another one.
                async with asyncio.timeout_at(ends) as limit:
                    block = await anext(reading, None)
                if block is None:
                    break
                try:
                    yield block
                except GeneratorExit:
                    is_left = True
                    raise
    except Exception as error:  # noqa: BLE001 - as in blocks()
        # A caller that stops reading gets no errors from closing: an ending event loop also closes inner generators.
        failure = None if is_left else interruption_in(error) or translate_error(error, post)
    _settle(failure, post, has_expired=limit is not None and limit.expired())


@asynccontextmanager
async def _aposted(client: openai.AsyncOpenAI, post: Post) -> AsyncIterator[AsyncByteStream]:
    arguments = _arguments(post)
    if len(post.content) > _LARGE:
        arguments["content"] = _apieces(post.content)
    async with asyncio.timeout(post.seconds):
        if post.method == "post":
            stream = await client.post(**arguments, stream_cls=AsyncByteStream)
        else:
            answer = await getattr(client, post.method)(**_bare_arguments(post))
            stream = AsyncByteStream(cast_to=object, response=answer.http_response, client=client)
    is_left = False
    try:
        yield stream
    except GeneratorExit:
        is_left = True
        raise
    finally:
        # A caller that stops reading gets no errors of the connection: an ending loop may already have closed it.
        with suppress(Exception) if is_left else nullcontext():
            await InOneStep(stream.response.aclose)


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _LARGE):
        yield content[start : start + _LARGE]


async def _apieces(content: bytes) -> AsyncIterator[bytes]:
    for piece in _pieces(content):
        yield piece


def _settle(failure: BaseException | None, post: Post, *, has_expired: bool) -> None:
    """Raise the error; outside of any handler, since the SDK's exception holds the request, and so the token."""
    if failure is not None and not isinstance(failure, VertexCompatError):
        raise failure
    if has_expired:
        raise DeadlineExceededError(f"The answer was not complete within {post.seconds:.3g} s.")
    if failure is not None:
        # Without frames of the SDK, whose local variables hold the request.
        raise failure.with_traceback(None)
