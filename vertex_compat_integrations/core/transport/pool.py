"""The OpenAI SDK's clients, shared by all objects of a process; requests are sent through them here.

This is process-wide state: clients are kept by origin and settings, async ones also by event loop,
since a connection lives on the loop that opened it. They stay open for the next object with the same settings, until
the last object that uses them is closed. Locks and clients are made anew in a forked child.
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
    """The client of one route, and how many requests it is sending."""

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
        """Forget all: a forked child must not speak on its parent's sockets."""
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
        """Note that an object uses a route; connections of one that was never closed stay for the next."""
        users = self.users.get(route)
        if users is None:
            users = self.users[route] = weakref.WeakSet()
        users.add(user)

    def leave(self, user: object) -> None:
        """Forget a user, and the routes that nobody else uses."""
        for route, users in list(self.users.items()):
            if user in users:
                users.discard(user)
                if not users:
                    del self.users[route]

    def take_unused(self, clients: dict[Route, _SharedClient[Client]]) -> list[Client]:
        """The clients that nobody uses any more, taken out; to be closed, but for the user's own."""
        unused = [route for route, shared in clients.items() if route not in self.users and not shared.busy]
        taken = [(route, clients.pop(route).client) for route in unused]
        return [client for route, client in taken if not _is_users_own(route, client)]

    def close_all(self) -> None:
        """Close what is open when the process ends."""
        for route, shared in list(self.clients.items()):
            if route.http_client is None:
                shared.client.close()
        self.clients.clear()


_POOL = _Pool()
run_in_forked_child(_POOL.reset)
atexit.register(_POOL.close_all)

_DEADLINE: ContextVar[Deadline] = ContextVar("deadline")
"""The deadline of the request that is being posted, for the hook that reads an error's body."""


def _is_users_own(route: Route, client: openai.OpenAI | openai.AsyncOpenAI) -> bool:
    own = route.http_client if isinstance(client, openai.OpenAI) else route.http_async_client
    return own is not None


def _borrow(exchange: Exchange, route: Route, user: object) -> openai.OpenAI:
    """The client of a route, for one request; called inside, as `THREAD.depth` says."""
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
    # Not under the lock that the end of an exchange takes: this imports modules, which has locks of its own.
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
    """Use the client no more: where an exception of others came, a lock of httpcore may be left locked for ever."""
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
        # Another task may have been faster; what it did not open needs no closing.
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
    """Let go of the user's connections; they close unless others use them, or when requests under way are over.

    Those of event loops close with their loops, or by `aclose`.
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
    """Raise what an error answer says, read within the call's bounds; the SDK would read it without any."""
    if response.status_code >= 300:
        _DEADLINE.get().begin(response)
        raise decode_failure(response.status_code, read_failure(response), response.headers)


async def _arefuse(response: Any) -> None:
    """Like `_refuse`; the time is that of the task."""
    if response.status_code >= 300:
        raise decode_failure(response.status_code, await aread_failure(response), response.headers)


_LARGE = 1 << 18
"""Bytes from which a request's body is sent in pieces: httpcore and asyncio copy what they cannot write at once."""


_LONGEST_GAP = 1e6
"""Seconds: sockets take no more than 2**31 milliseconds."""


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


def blocks(route: Route, post: Post, user: object) -> Generator[bytes]:
    """The body of the answer to one request, as it comes; read to its end, so that the connection serves again.

    The head of the answer is timed read by read only; of the body, also the whole.

    Raises:
        VertexCompatError: The server answered with an error, or no whole answer came in time.
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
    except Exception as error:  # noqa: BLE001 - whatever the transport raises is translated, on both majors of the SDK
        failure = interruption_in(error) or translate_error(error, post)
    _settle(failure, post, has_expired=deadline.has_expired)


def _begin(exchange: Exchange, route: Route, post: Post, user: object) -> None:
    """Send the request, and read the answer's head."""
    _POOL.deadline_thread.watch(exchange.deadline)
    token = _DEADLINE.set(exchange.deadline)
    THREAD.depth += 1
    try:
        exchange.begin(_borrow(exchange, route, user).post(**_arguments(post), stream_cls=ByteStream))
    finally:
        THREAD.depth -= 1
        _DEADLINE.reset(token)
    if LEFT and not THREAD.depth:
        end_left()


def _next_of(exchange: Exchange) -> bytes | None:
    """The next block of the body; None at its end, or when its time is over."""
    if exchange.is_lost or exchange.reading is None:
        raise ConnectionFailedError(
            "This stream was opened by the process that this one was forked from.", hint="Ask again in this process."
        )
    THREAD.depth += 1
    try:
        block = next(exchange.reading, None)
    finally:
        THREAD.depth -= 1
    if LEFT and not THREAD.depth:
        end_left()
    if block is not None and time.monotonic() >= exchange.deadline.ends:
        # There may be no thread that shuts the connection down, or none that it could shut down.
        exchange.deadline.has_expired = True
        return None
    return block


async def ablocks(route: Route, post: Post, user: object) -> AsyncGenerator[bytes]:
    """Like `blocks`; the head is timed as a whole, too."""
    failure: BaseException | None = None
    limit: asyncio.Timeout | None = None
    is_left = False
    ends = asyncio.get_running_loop().time() + post.seconds
    try:
        async with _async_client(route, user) as client, _aposted(client, post) as stream:
            reading = aiter(stream)
            while True:
                # For each read anew: between two, the task is the caller's, or another one.
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
        # Who stops reading is not told how the rest closed: an event loop that ends closes the generators below, too.
        failure = None if is_left else interruption_in(error) or translate_error(error, post)
    _settle(failure, post, has_expired=limit is not None and limit.expired())


@asynccontextmanager
async def _aposted(client: openai.AsyncOpenAI, post: Post) -> AsyncIterator[AsyncByteStream]:
    arguments = _arguments(post)
    if len(post.content) > _LARGE:
        arguments["content"] = _apieces(post.content)
    async with asyncio.timeout(post.seconds):
        stream = await client.post(**arguments, stream_cls=AsyncByteStream)
    is_left = False
    try:
        yield stream
    except GeneratorExit:
        is_left = True
        raise
    finally:
        # Who stops reading is not told how the connection took it: a loop that ends may have closed it already.
        with suppress(Exception) if is_left else nullcontext():
            await InOneStep(stream.response.aclose)


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _LARGE):
        yield content[start : start + _LARGE]


async def _apieces(content: bytes) -> AsyncIterator[bytes]:
    for piece in _pieces(content):
        yield piece


def _settle(failure: BaseException | None, post: Post, *, has_expired: bool) -> None:
    """Raise what went wrong; outside of any handler, for the SDK's exception holds the request, and so the token."""
    if failure is not None and not isinstance(failure, VertexCompatError):
        raise failure
    if has_expired:
        raise DeadlineExceededError(f"The answer was not complete within {post.seconds:.3g} s.")
    if failure is not None:
        # Frames of the SDK would come along, whose locals hold the request.
        raise failure.with_traceback(None)
