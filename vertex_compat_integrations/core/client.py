"""The client: `chat`, `stream`, `embed`, `count_tokens`, also async. One POST with credentials, in our retry loop."""

import asyncio
import copy
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakKeyDictionary

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.access import Access
from vertex_compat_integrations.core.calls.builder import CallBuilder
from vertex_compat_integrations.core.calls.call import Call
from vertex_compat_integrations.core.calls.embedding import (
    Embedded,
    EmbeddingCall,
    EmbeddingOptions,
    Purpose,
    join_embedded,
)
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.calls.sender import Sender
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatError
from vertex_compat_integrations.core.interruptions import first_in, through_group
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta
from vertex_compat_integrations.core.request.content import with_content
from vertex_compat_integrations.core.request.mending import LineOf, wire_line
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.environment import resolve_telemetry
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import on_demand
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

if TYPE_CHECKING:
    from vertex_compat_integrations.core.explain.explanation import Explanation
    from vertex_compat_integrations.core.native.cache_plan import Entries
    from vertex_compat_integrations.core.native.context_cache import ContextCaches
    from vertex_compat_integrations.core.native.count_tokens import CountCall
    from vertex_compat_integrations.core.telemetry.observer import Observer

Piece = TypeVar("Piece")
CallT = TypeVar("CallT", bound=Call[Any])


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and randomness, as arguments: tests pass their own."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Closing(ABC):
    """Base of objects that are closed by `with`, or by hand."""

    @abstractmethod
    def close(self) -> None:
        """Release the connections; they close unless other objects use them. A later call opens new ones."""

    @abstractmethod
    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class VertexCompatClient(Closing):
    """Client of one destination with one principal; thread-safe, and usable from any event loop.

    Construction does no I/O: the first call reads the environment and looks up credentials.
    """

    def __init__(
        self,
        connection: Connection,
        facts: JsonObject | None = None,
        timing: Timing | None = None,
        line_of: LineOf = wire_line,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Create a client; `facts` overrides the catalogue's facts, `line_of` describes missing messages in errors.

        The first call reads the destination from `environment`.

        Raises:
            SettingsError: The installed SDK cannot use the user's own HTTP client.
        """
        if connection.http_client is not None or connection.http_async_client is not None:
            on_demand.sdk_clients.check_http_clients(connection.http_client, connection.http_async_client)
        self._timing = timing = timing or Timing()
        self._notices = Notices()
        self._access = Access(connection, self._notices, environment)
        self._calls = CallBuilder(self._access, self._notices, facts, line_of, clock=timing.clock, chance=timing.chance)
        self._sender = Sender(self._access)
        self._known_caches: Entries = {}
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, asyncio.Semaphore]] = WeakKeyDictionary()

    def chat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Return the answers: one, or `n`.

        Raises:
            VertexCompatError: See `core.errors`.
        """
        if isinstance(messages, MarkedMessages):
            return self.context_caches.chat(messages, options)
        return self._complete(partial(self._calls.chat, messages, options))

    async def achat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Like `chat`."""
        if isinstance(messages, MarkedMessages):
            return await self.context_caches.achat(messages, options)
        return await self._acomplete(partial(self._calls.chat, messages, options))

    def stream(self, messages: Sequence[wire.Message], options: Options) -> Iterator[ReplyDelta]:
        """Stream the answer piece by piece; the last piece has the ending.

        Raises:
            VertexCompatError: See `core.errors`; after the first piece nothing is retried.
        """
        if isinstance(messages, MarkedMessages):
            return self.context_caches.stream(messages, options)
        begin = partial(self._calls.stream, messages, options)
        if self._observer is None:
            return self._pieces(begin)
        return self._observer.stream(partial(_begun, begin), self._pieces)

    def astream(self, messages: Sequence[wire.Message], options: Options) -> AsyncIterator[ReplyDelta]:
        """Like `stream`."""
        if isinstance(messages, MarkedMessages):
            return self.context_caches.astream(messages, options)
        begin = partial(self._calls.stream, messages, options)
        if self._observer is None:
            return self._apieces(begin)
        return self._observer.astream(partial(_begun, begin), self._apieces)

    def embed(self, texts: Sequence[str], options: EmbeddingOptions, purpose: Purpose) -> Embedded:
        """Return the texts' vectors, in the texts' order; each batch is a call with its own timeout and retries.

        Raises:
            VertexCompatError: See `core.errors`.
        """
        terms, requests = self._calls.embeddings(texts, options, purpose)
        return join_embedded([self._complete(partial(EmbeddingCall, request, terms)) for request in requests])

    async def aembed(self, texts: Sequence[str], options: EmbeddingOptions, purpose: Purpose) -> Embedded:
        """Like `embed`, with concurrent batches, limited for the whole client; the first failure ends the call."""
        terms, requests = self._calls.embeddings(texts, options, purpose)
        gate = self._gate(options.concurrency)

        async def embed_batch(request: wire.EmbeddingRequest) -> Embedded:
            async with gate:
                with through_group():
                    return await self._acomplete(partial(EmbeddingCall, request, terms))

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(embed_batch(request)) for request in requests]
        except ExceptionGroup as failures:
            failure = first_in(failures)
            raise failure from failure.__cause__
        return join_embedded([task.result() for task in tasks])

    def count_tokens(self, messages: Sequence[wire.Message], options: Options) -> int:
        """Return how many tokens the prompt has, counted by the service: one request, which is not billed.

        The messages may be a part of a conversation. Settings that are not part of the prompt are not counted.

        Raises:
            SettingsError: The model is not Google's Gemini, or the server is the user's own.
            UnsupportedContentError: A part of the request cannot be counted.
            VertexCompatError: See `core.errors`.
        """
        if not (messages := with_content(messages)):
            return 0
        return self._complete(partial(self._begin_count, messages, options))

    async def acount_tokens(self, messages: Sequence[wire.Message], options: Options) -> int:
        """Like `count_tokens`."""
        if not (messages := with_content(messages)):
            return 0
        return await self._acomplete(partial(self._begin_count, messages, options))

    def explain(self, messages: Sequence[wire.Message], options: Options, *, stream: bool) -> "Explanation":
        """Return the request that a call would send, with explanations; nothing is sent, no credential looked up.

        Raises:
            SettingsError: The options are invalid or contradict each other.
        """
        if isinstance(messages, MarkedMessages):
            from vertex_compat_integrations.core.native import explained  # noqa: PLC0415 - few programs use it

            return explained.explain(self.context_caches, partial(self.explain, stream=stream), messages, options)
        from vertex_compat_integrations.core.explain.remarks import ExplainedCall, explain  # noqa: PLC0415 - few programs ask

        connection = self._calls.connection
        destination, facts, request, places = self._calls.preview(messages, options, stream=stream)
        call = ExplainedCall(connection, destination, options, messages, facts, request, os.environ, places)
        return explain(call, self._access.project)

    def limited(self, limits: Mapping[str, float]) -> "VertexCompatClient":
        """Return a client with the deadline and retries of one call; it shares connections and memory with this one."""
        other = copy.copy(self)
        other._calls = self._calls.limited(limits)  # noqa: SLF001 - a copy of its own
        return other

    @property
    def context_caches(self) -> "ContextCaches":
        """The context caches of this client, for this package's own modules."""
        from vertex_compat_integrations.core.native.context_cache import ContextCaches  # noqa: PLC0415 - few programs use it

        return ContextCaches(self, self._calls, self._known_caches, self._native, self._anative)

    def warn_once(self, text: str) -> None:
        """Warn the user; the same text only once."""
        self._notices.warn_once(text, stacklevel=3)

    def preload(self) -> None:
        """Do the preparations of the first call without sending it; see `HoldsClient.preload`."""
        self._sender.preload(self._calls.new_meter, self._calls.connection.timeout)

    async def apreload(self) -> None:
        """Like `preload`."""
        await self._sender.apreload(self._calls.new_meter, self._calls.connection.timeout)

    def close(self) -> None:
        """Release the connections; they close unless other objects use them. A later call opens new ones."""
        self._sender.close()

    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""
        await self._sender.aclose()

    def _gate(self, width: int) -> asyncio.Semaphore:
        """The semaphore that limits this client's concurrent batches on this event loop to `width`."""
        gates = self._gates.setdefault(asyncio.get_running_loop(), {})
        return gates.setdefault(width, asyncio.Semaphore(width))

    def _complete(self, begin: Callable[[], Call[Piece]]) -> Piece:
        """Return the whole answer to a plain call, after as many attempts as are needed."""
        if self._observer is None:
            (answer,) = self._pieces(begin)
            return answer
        call = _begun(begin)
        with self._observer.watch(call) as seen, seen.current():
            (answer,) = self._pieces(lambda: call)
            return seen.answered(answer)

    async def _acomplete(self, begin: Callable[[], Call[Piece]]) -> Piece:
        if self._observer is None:
            (answer,) = [piece async for piece in self._apieces(begin)]
            return answer
        call = _begun(begin)
        with self._observer.watch(call) as seen, seen.current():
            (answer,) = [piece async for piece in self._apieces(lambda: call)]
            return seen.answered(answer)

    def _pieces(self, begin: Callable[[], Call[Piece]]) -> Generator[Piece]:
        """Yield the pieces of the answer, after as many attempts as are needed; a plain call has one piece.

        The call begins when the first piece is requested: a stream that is never read sends nothing.
        """
        call = _begun(begin)
        while True:
            try:
                with closing(self._sender.send(call)) as blocks:
                    for block in blocks:
                        yield from call.read(block)
                yield from call.read(None)
            except VertexCompatError as error:
                if (rest := call.settle_for(error)) is not None:
                    yield rest
                    return
                delay = self._delay_after(call, error)
            else:
                self._calls.learn(call)
                return
            self._timing.sleep(delay)

    async def _apieces(self, begin: Callable[[], Call[Piece]]) -> AsyncGenerator[Piece]:
        """Like `_pieces`."""
        call = _begun(begin)
        while True:
            try:
                async with AclosingQuietly(await self._sender.asend(call)) as blocks:
                    async for block in blocks:
                        for piece in call.read(block):
                            yield piece
                for piece in call.read(None):
                    yield piece
            except VertexCompatError as error:
                if (rest := call.settle_for(error)) is not None:
                    yield rest
                    return
                delay = self._delay_after(call, error)
            else:
                self._calls.learn(call)
                return
            await self._timing.asleep(delay)

    def _begin_count(self, messages: Sequence[wire.Message], options: Options) -> "CountCall":
        from vertex_compat_integrations.core.native.count_tokens import begin_count  # noqa: PLC0415 - few programs count

        return begin_count(self._calls, messages, options)

    def _native(self, call: Call[Piece]) -> Piece:
        """Return the answer to a call of Google's native API."""
        return self._complete(lambda: call)

    async def _anative(self, call: Call[Piece]) -> Piece:
        """Like `_native`."""
        return await self._acomplete(lambda: call)

    def _delay_after(self, call: Call[Any], error: VertexCompatError) -> float:
        """Return the seconds until the next attempt.

        Raises:
            VertexCompatError: There is no further attempt.
        """
        self._access.failed(call.place, error, call.auth_headers)
        delay = call.delay_after(error)
        if self._observer is not None:
            self._observer.retried(error, delay)
        return delay

    @cached_property
    def _observer(self) -> "Observer | None":
        """The reporter of calls to OpenTelemetry, if the settings enable it."""
        if not resolve_telemetry(self._calls.connection):
            return None
        try:
            from vertex_compat_integrations.core.telemetry.observer import Observer  # noqa: PLC0415 - OpenTelemetry is optional
        except ImportError as error:
            raise SettingsError(
                f"telemetry is on, but {error.name} is not installed.",
                hint='Run `pip install "vertex-compat-integrations[otel]"`, or turn it off.',
            ) from None
        destination, _ = self._access.resolve()
        return Observer(lambda place: destination.at(place.location).origin, self._timing.clock)


def _begun(begin: Callable[[], CallT]) -> CallT:
    """Return the new call; an error that refuses it is the SDK's, too."""
    try:
        return begin()
    except VertexCompatError as error:
        as_sdk_error(error)
        raise
