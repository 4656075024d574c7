"""The client: `chat`, `stream`, `embed`, `count_tokens`, also async. One POST with credentials, in our retry loop."""

import asyncio
import copy
import datetime
import os
import random
import time
import warnings
from abc import ABC, abstractmethod
from collections import ChainMap
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.auth.source import Account, TokenSource, charged_to
from vertex_compat_integrations.core.calls.advice import hint_of_way, unknown_location
from vertex_compat_integrations.core.calls.call import (
    Call,
    CallTerms,
    CarriesMedia,
    ChatCall,
    EmbeddingCall,
    GatheredCall,
    MessagesCall,
    StreamCall,
)
from vertex_compat_integrations.core.calls.embedding import (
    Embedded,
    EmbeddingOptions,
    Purpose,
    build_requests,
    check_embeds,
    join_embedded,
)
from vertex_compat_integrations.core.calls.places import Place, PlaceMemory, at_place, places_of, refuse_to_move
from vertex_compat_integrations.core.calls.retry import BudgetKey, RetryBudget, budget_for
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for, is_known
from vertex_compat_integrations.core.catalogue.regions import is_known_location
from vertex_compat_integrations.core.endpoint import OPENAPI
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    SettingsError,
    ThoughtSignatureError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.interruptions import first_in, through_group
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta
from vertex_compat_integrations.core.request.build import Request, Resource, build_request
from vertex_compat_integrations.core.request.content import with_content
from vertex_compat_integrations.core.request.history import SkipValues
from vertex_compat_integrations.core.request.mending import LineOf, Mending, wire_line
from vertex_compat_integrations.core.settings.arguments import HttpBackend
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    Destination,
    payers_of,
    resolve_authorities,
    resolve_destination,
    resolve_http_backend,
    resolve_media_bucket,
    resolve_model_name,
    resolve_source,
    resolve_storage_source,
    resolve_telemetry,
)
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import on_demand
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly
from vertex_compat_integrations.core.transport.post import Post, Route
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.meter import Meter
    from vertex_compat_integrations.core.explain.explanation import Explanation
    from vertex_compat_integrations.core.native.count_tokens import CountCall
    from vertex_compat_integrations.core.telemetry.observer import Observer

Piece = TypeVar("Piece")
MessagesCallT = TypeVar("MessagesCallT", bound=MessagesCall[Any])


_CONNECTION = tuple(Connection.model_fields)
_connection_settings = attrgetter(*_CONNECTION)

WARNED_DAYS = 30
"""Users are warned this many days before a model's announced end."""
MOST_DISTRUSTED = 10_000
"""Maximum number of refused thought signatures that a client remembers, by their hashes."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and randomness, as arguments: tests pass their own."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class Attempt(NamedTuple):
    """One attempt of a call: its destination and its credentials.

    Attributes:
        destination: With the location of this attempt.
        source: Source of the credential's headers.
        project: The project of the request; None if it is not known yet, or not needed.
        lacks_project: Whether to ask the credential for the project, which Google's own URLs contain.
    """

    destination: Destination
    source: TokenSource
    project: str | None
    lacks_project: bool


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
        self._connection = connection
        self._override = facts
        self._timing = timing or Timing()
        self._line_of = line_of
        self._environment = environment
        self._resolved: tuple[Destination, TokenSource] | None = None
        self._sources: dict[str, TokenSource] = {}
        self._authorities: str | None = None
        self._backend: HttpBackend | None = None
        self._project: str | None = None
        self._place_memories: dict[tuple[Any, ...], PlaceMemory] = {}
        self._demanding: set[str] = set()
        self._distrusted: set[int] = set()
        self._warned: set[str] = set()
        self._caches: dict[tuple[int, str], Any] = {}
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, asyncio.Semaphore]] = WeakKeyDictionary()

    def chat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Return the answers: one, or `n`.

        Raises:
            VertexCompatError: See `core.errors`.
        """
        if isinstance(messages, MarkedMessages):
            from vertex_compat_integrations.core.native import context_cache  # noqa: PLC0415 - few programs use it

            return context_cache.chat(self, messages, options)
        return self._complete(partial(self._begin_chat, messages, options))

    async def achat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Like `chat`."""
        if isinstance(messages, MarkedMessages):
            from vertex_compat_integrations.core.native import context_cache  # noqa: PLC0415 - few programs use it

            return await context_cache.achat(self, messages, options)
        return await self._acomplete(partial(self._begin_chat, messages, options))

    def stream(self, messages: Sequence[wire.Message], options: Options) -> Iterator[ReplyDelta]:
        """Stream the answer piece by piece; the last piece has the ending.

        Raises:
            VertexCompatError: See `core.errors`; after the first piece nothing is retried.
        """
        if isinstance(messages, MarkedMessages):
            from vertex_compat_integrations.core.native import context_cache  # noqa: PLC0415 - few programs use it

            return context_cache.stream(self, messages, options)
        begin = partial(self._begin, StreamCall, messages, options)
        return self._pieces(begin) if self._observer is None else self._observer.stream(begin, self._pieces)

    def astream(self, messages: Sequence[wire.Message], options: Options) -> AsyncIterator[ReplyDelta]:
        """Like `stream`."""
        if isinstance(messages, MarkedMessages):
            from vertex_compat_integrations.core.native import context_cache  # noqa: PLC0415 - few programs use it

            return context_cache.astream(self, messages, options)
        begin = partial(self._begin, StreamCall, messages, options)
        return self._apieces(begin) if self._observer is None else self._observer.astream(begin, self._apieces)

    def embed(self, texts: Sequence[str], options: EmbeddingOptions, purpose: Purpose) -> Embedded:
        """Return the texts' vectors, in the texts' order; each batch is a call with its own timeout and retries.

        Raises:
            VertexCompatError: See `core.errors`.
        """
        terms, requests = self._begin_embedding(texts, options, purpose)
        return join_embedded([self._complete(partial(EmbeddingCall, request, terms)) for request in requests])

    async def aembed(self, texts: Sequence[str], options: EmbeddingOptions, purpose: Purpose) -> Embedded:
        """Like `embed`, with concurrent batches, limited for the whole client; the first failure ends the call."""
        terms, requests = self._begin_embedding(texts, options, purpose)
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

            return explained.explain(self, messages, options, self._timing.clock(), stream=stream)
        from vertex_compat_integrations.core.explain.remarks import ExplainedCall, explain  # noqa: PLC0415 - few programs ask

        destination = resolve_destination(self._connection, self._environment)
        model = resolve_model_name(options.model, destination)
        facts = facts_for(model, self._override)
        places = self._place_memory(destination, model, options).order(self._timing.clock())
        destination = destination.at(places[0].location, places[0].project)
        request = build_request(
            messages,
            at_place(options.model_copy(update={"model": model}), places[0]),
            facts,
            stream=stream,
            resource=Resource(destination.project or self._project, destination.location, destination.own_server),
            skip_values=self._skip_values(model),
            distrusted=self._distrusted,
            mending=Mending(self._connection.repair_history, self._line_of),
        )
        refuse_to_move(request.body, self._connection.locations, self._connection.projects)
        call = ExplainedCall(self._connection, destination, options, messages, facts, request, os.environ, places)
        return explain(call, self._project)

    def limited(self, limits: Mapping[str, float]) -> "VertexCompatClient":
        """Return a client with the deadline and retries of one call; it shares connections and memory with this one."""
        self._resolve()
        other = copy.copy(self)
        other._connection = self._connection.model_copy(update=limits)  # noqa: SLF001 - a copy of its own
        return other

    def preload(self) -> None:
        """Do the preparations of the first call without sending it; see `HoldsClient.preload`."""
        destination, source = self._resolve()
        on_demand.pool.prepare(self._route(destination), self)
        if self._new_meter is not None:
            self._new_meter.load()
        source.headers(destination.origin, self._connection.timeout)

    async def apreload(self) -> None:
        """Like `preload`."""
        destination, source = self._resolve()
        await on_demand.aload("pool")
        await on_demand.pool.aprepare(self._route(destination), self)
        if self._new_meter is not None:
            await self._new_meter.aload()
        await source.aheaders(destination.origin, self._connection.timeout)

    def close(self) -> None:
        """Release the connections; they close unless other objects use them. A later call opens new ones."""
        if on_demand.is_loaded("pool"):
            on_demand.pool.close(self)

    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""
        if on_demand.is_loaded("pool"):
            await on_demand.pool.aclose(self)

    def _gate(self, width: int) -> asyncio.Semaphore:
        """The semaphore that limits this client's concurrent batches on this event loop to `width`."""
        gates = self._gates.setdefault(asyncio.get_running_loop(), {})
        return gates.setdefault(width, asyncio.Semaphore(width))

    def _complete(self, begin: Callable[[], Call[Piece]]) -> Piece:
        """Return the whole answer to a plain call, after as many attempts as are needed."""
        if self._observer is None:
            (answer,) = self._pieces(begin)
            return answer
        call = begin()
        with self._observer.watch(call) as seen, seen.current():
            (answer,) = self._pieces(lambda: call)
            return seen.answered(answer)

    async def _acomplete(self, begin: Callable[[], Call[Piece]]) -> Piece:
        if self._observer is None:
            (answer,) = [piece async for piece in self._apieces(begin)]
            return answer
        call = begin()
        with self._observer.watch(call) as seen, seen.current():
            (answer,) = [piece async for piece in self._apieces(lambda: call)]
            return seen.answered(answer)

    def _pieces(self, begin: Callable[[], Call[Piece]]) -> Generator[Piece]:
        """Yield the pieces of the answer, after as many attempts as are needed; a plain call has one piece.

        The call begins when the first piece is requested: a stream that is never read sends nothing.
        """
        try:
            call = begin()
        except VertexCompatError as error:
            as_sdk_error(error)
            raise
        while True:
            try:
                with closing(self._send(call)) as blocks:
                    for block in blocks:
                        yield from call.read(block)
                yield from call.read(None)
            except VertexCompatError as error:
                if (rest := call.settle_for(error)) is not None:
                    yield rest
                    return
                delay = self._delay_after(call, error)
            else:
                self._remember(call)
                return
            self._timing.sleep(delay)

    async def _apieces(self, begin: Callable[[], Call[Piece]]) -> AsyncGenerator[Piece]:
        """Like `_pieces`."""
        try:
            call = begin()
        except VertexCompatError as error:
            as_sdk_error(error)
            raise
        while True:
            try:
                async with AclosingQuietly(await self._asend(call)) as blocks:
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
                self._remember(call)
                return
            await self._timing.asleep(delay)

    def _begin_chat(self, messages: Sequence[wire.Message], options: Options) -> MessagesCall[list[Reply]]:
        """Build the call; a streaming kind if an answer without streaming could not reach `max_tokens`."""
        call = self._begin(ChatCall, messages, options)
        return self._begin(GatheredCall, messages, options) if call.is_cut_short else call

    def _begin(self, kind: type[MessagesCallT], messages: Sequence[wire.Message], options: Options) -> MessagesCallT:
        """Build and check the call; nothing is sent yet."""
        destination, _ = self._resolve()
        model = resolve_model_name(options.model, destination)
        if model != options.model:
            options = options.model_copy(update={"model": model})
        terms = self._terms(destination, model, options)
        call = kind(messages, options, terms, skip_values=self._skip_values(model))
        refuse_to_move(call.request.body, self._connection.locations, self._connection.projects)
        self._warn_of(model, call.request, own_server=destination.own_server)
        if terms.facts.retires is not None:
            self._warn_of_end(model, terms.facts, destination)
        return call

    def _begin_count(self, messages: Sequence[wire.Message], options: Options) -> "CountCall":
        """Build and check the call; nothing is sent yet."""
        from vertex_compat_integrations.core.native.count_tokens import CountCall, check_native  # noqa: PLC0415 - few programs count

        destination, model, options, terms = self._terms_for(options)
        check_native(destination, model, gemini=terms.facts.gemini, what="Token counts")
        return CountCall(messages, options, terms, skip_values=self._skip_values(model))

    def _terms_for(self, options: Options) -> tuple[Destination, str, Options, CallTerms]:
        """Return destination, model, options and terms of a call with these options."""
        destination, _ = self._resolve()
        model = resolve_model_name(options.model, destination)
        options = options.model_copy(update={"model": model})
        return destination, model, options, self._terms(destination, model, options)

    @property
    def _choice_of_places(self) -> str | None:
        """What a call may move between and a context cache may not; None if there is one place."""
        if len(self._connection.locations) > 1:
            return "location"
        return "project" if len(self._connection.projects) > 1 else None

    def _native(self, call: Call[Piece]) -> Piece:
        """Return the answer to a call of Google's native API."""
        return self._complete(lambda: call)

    async def _anative(self, call: Call[Piece]) -> Piece:
        """Like `_native`."""
        return await self._acomplete(lambda: call)

    def _begin_embedding(
        self, texts: Sequence[str], options: EmbeddingOptions, purpose: Purpose
    ) -> tuple[CallTerms, list[wire.EmbeddingRequest]]:
        """Build and check the terms and the batches; nothing is sent yet."""
        destination, _ = self._resolve()
        model = resolve_model_name(options.model, destination)
        terms = self._terms(destination, model)
        check_embeds(model, terms.facts, own_server=destination.own_server)
        self._warn_of_end(model, terms.facts, destination)
        options = options.model_copy(update={"model": model})
        return terms, build_requests(texts, options, terms.facts, purpose)

    def _terms(self, destination: Destination, model: str, options: Options | None = None) -> CallTerms:
        project = destination.project or self._project
        bounded = self._connection.retry_budget

        def budget_of(place: Place) -> RetryBudget | None:
            origin = destination.at(place.location).origin
            return budget_for(BudgetKey(origin, project, model, place)) if bounded else None

        return CallTerms(
            facts_for(model, self._override),
            project,
            seconds=self._connection.timeout,
            max_retries=self._connection.max_retries,
            own_server=destination.own_server,
            takes_cut=self._connection.on_truncated == "warn",
            clock=self._timing.clock,
            chance=self._timing.chance,
            memory=self._place_memory(destination, model, options),
            budget_of=budget_of,
            distrusted=self._distrusted,
            repairs=self._connection.repair_history,
            line_of=self._line_of,
            takes_empty=self._connection.on_empty == "return",
            new_meter=self._new_meter,
        )

    def _place_memory(self, destination: Destination, model: str, options: Options | None) -> PlaceMemory:
        """What is known about the locations, projects and request types for a model."""
        kinds, tiers = (options.request_type, options.shared_request_type) if options is not None else (None, None)
        # A value that was assigned to an attribute is still the user's list.
        key = (
            model,
            tuple(kinds) if isinstance(kinds, list) else kinds,
            tuple(tiers) if isinstance(tiers, list) else tiers,
        )
        if (memory := self._place_memories.get(key)) is not None:
            return memory
        locations = self._connection.locations or (destination.location,)
        places = places_of(locations, kinds, tiers, payers_of(self._connection))
        attempts = self._connection.max_retries + 1
        if attempts < len(places):
            self.warn_once(f"max_retries={attempts - 1}: a call tries only {attempts} of {len(places)} places.")
        return self._place_memories.setdefault(key, PlaceMemory(places))

    def _resolve(self) -> tuple[Destination, TokenSource]:
        """Return destination and credential source; the first call resolves them."""
        if self._resolved is None:
            destination = resolve_destination(self._connection, self._environment)
            if destination.emulated:
                self.warn_once(
                    f"{wire.EMULATOR_HOST_VARIABLE} is set: requests go to the emulator at {destination.origin}."
                )
            resolve_media_bucket(self._connection, destination)
            self._warn_of_locations(destination)
            self._authorities = resolve_authorities(self._connection)
            self._backend = resolve_http_backend(self._connection)
            self._resolved = destination, resolve_source(self._connection, destination)
        return self._resolved

    @cached_property
    def _observer(self) -> "Observer | None":
        """The reporter of calls to OpenTelemetry, if the settings enable it."""
        if not resolve_telemetry(self._connection):
            return None
        try:
            from vertex_compat_integrations.core.telemetry.observer import Observer  # noqa: PLC0415 - OpenTelemetry is optional
        except ImportError as error:
            raise SettingsError(
                f"telemetry is on, but {error.name} is not installed.",
                hint='Run `pip install "vertex-compat-integrations[otel]"`, or turn it off.',
            ) from None
        destination, _ = self._resolve()
        return Observer(lambda place: destination.at(place.location).origin, self._timing.clock)

    @cached_property
    def _new_meter(self) -> "type[Meter] | None":
        """The class that computes the cost of an answer, if the settings ask for it."""
        if not self._connection.cost:
            return None
        from vertex_compat_integrations.core.cost.meter import Meter  # noqa: PLC0415 - few programs ask for costs

        return Meter

    def _skip_values(self, model: str) -> SkipValues:
        """The rule for sending Google's placeholder for a lost signature."""
        return "where missing" if model in self._demanding else "as the model demands"

    def _warn_of(self, model: str, request: Request, *, own_server: bool) -> None:
        if not (own_server or self._override or is_known(model)):
            self.warn_once(
                f"Nothing is known about {model}: it is treated as a plain open model. Set its facts with model_facts=."
            )
        for name in request.ignored:
            self.warn_once(f"{name} is ignored by {model or 'this model'} on this endpoint, and not sent.")
        for note in request.notes:
            self.warn_once(note)

    def _warn_of_end(self, model: str, facts: ModelFacts, destination: Destination) -> None:
        """Warn about a model that has retired or soon retires, by Google's pages; not for a user's own server."""
        left = facts.days_left(datetime.datetime.now(tz=datetime.UTC).date())
        if left is None or left > WARNED_DAYS or not destination.origin.endswith(".googleapis.com"):
            return
        end = f"{'retired' if left <= 0 else 'retires'} on {facts.retires}"
        later = " or later" if facts.may_retire_later else ""
        instead = f"; Google names {facts.replacement} in its place" if facts.replacement else ""
        self.warn_once(f"{model} {end}{later}, by Google's pages{instead}.")

    def _warn_of_locations(self, destination: Destination) -> None:
        """Warn about locations that Google's pages do not name: a new region, or a typing error."""
        if destination.endpoint is None:
            return
        for location in self._connection.locations or (destination.location,):
            if location is not None and not is_known_location(location):
                self.warn_once(unknown_location(location))

    def warn_once(self, text: str) -> None:
        """Warn the user; the same text only once."""
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, VertexCompatWarning, stacklevel=2)

    def _attempt(self, call: Call[object]) -> Attempt:
        """Destination and credentials of the next attempt."""
        destination, source = self._resolve()
        place = call.place
        if place.service_account is not None:
            source = self._source_of(place.service_account, destination, source)
        project = place.project or destination.project or self._project
        lacks_project = destination.endpoint is not None and not project
        return Attempt(destination.at(place.location, place.project), source, project, lacks_project)

    def _source_of(self, account: str | None, destination: Destination, first: TokenSource) -> TokenSource:
        """The source of the tokens of one of several service accounts; `first` is that of the first account."""
        if account is None or account == self._connection.service_accounts[0]:
            return first
        if (source := self._sources.get(account)) is None:
            source = self._sources.setdefault(account, resolve_source(self._connection, destination, account))
        return source

    def _send(self, call: Call[Any]) -> Generator[bytes]:
        """Send one attempt; yield the body of the answer block by block."""
        if self._connection.media_bucket is not None and (media := self._media_of(call)) is not None:
            media.upload(call.request.body)
        # Load the SDK before getting a token: on a busy machine this takes a second or more of the token's lifetime.
        pool = on_demand.pool
        if self._new_meter is not None:
            self._new_meter.load()
        attempt = self._attempt(call)
        headers = attempt.source.headers(attempt.destination.origin, call.remaining)
        if attempt.lacks_project:
            attempt = self._locate(call, attempt, attempt.source.account(call.remaining))
        return pool.blocks(*self._post(call, attempt, headers), self)

    async def _asend(self, call: Call[Any]) -> AsyncGenerator[bytes]:
        """Like `_send`."""
        if self._connection.media_bucket is not None and (media := self._media_of(call)) is not None:
            await media.aupload(call.request.body)
        # Load the SDK before getting a token: on a busy machine this takes a second or more of the token's lifetime.
        await on_demand.aload("pool")
        pool = on_demand.pool
        if self._new_meter is not None:
            await self._new_meter.aload()
        attempt = self._attempt(call)
        headers = await attempt.source.aheaders(attempt.destination.origin, call.remaining)
        if attempt.lacks_project:
            attempt = self._locate(call, attempt, await attempt.source.aaccount(call.remaining))
        return pool.ablocks(*self._post(call, attempt, headers), self)

    def _media_of(self, call: Call[Any]) -> CarriesMedia | None:
        """Return the uploads of the call's large media; None if the model reads no links."""
        if not call.reads_links:
            return None
        destination, source = self._resolve()
        bucket = resolve_media_bucket(self._connection, destination)
        if bucket is not None and call.media is None:
            from vertex_compat_integrations.core.media.uploads import CallMedia  # noqa: PLC0415 - few programs upload
            from vertex_compat_integrations.core.settings.media_bucket import Target  # noqa: PLC0415 - few programs upload

            source = resolve_storage_source(bucket, source)
            target = Target(bucket, source, self._connection.proxy, self._authorities)
            call.media = CallMedia(target, lambda: call.remaining)
        return call.media

    def _locate(self, call: Call[Any], attempt: Attempt, account: Account) -> Attempt:
        """Return the attempt with the credential's own project, which this client stores for further calls."""
        self._project = account.project
        call.locate(self._project)
        return attempt._replace(project=self._project, lacks_project=False)

    def _post(self, call: Call[object], attempt: Attempt, headers: Mapping[str, str]) -> tuple[Route, Post]:
        """Return the route and the request; its timeout is what the credential lookup left of the call's time."""
        destination = attempt.destination
        base_url = destination.build_base_url(attempt.project)
        if call.is_native:
            base_url = base_url.removesuffix(f"/endpoints/{OPENAPI}")
        url = call.url = base_url + call.path
        # First: a refused token is not sent again, so this must not count as a request.
        headers = call.headers(headers)
        if self._connection.projects:
            headers = charged_to(attempt.project, headers)
        return self._route(destination), Post(
            url, call.content(), headers, call.remaining, self._connection.gap_timeout, call.method
        )

    def _route(self, destination: Destination) -> Route:
        settings = self._connection
        return Route(
            destination.origin,
            settings.proxy,
            self._authorities,
            settings.http_client,
            settings.http_async_client,
            self._backend,
        )

    def _delay_after(self, call: Call[Any], error: VertexCompatError) -> float:
        """Return the seconds until the next attempt.

        Raises:
            VertexCompatError: There is no further attempt.
        """
        destination, source = self._resolve()
        if self._connection.service_accounts:
            source = self._source_of(call.place.service_account, destination, source)
        if isinstance(error, AuthenticationError):
            source.invalidate(call.auth_headers)
        error.hint = hint_of_way(error, destination.at(call.place.location), source) or error.hint
        delay = call.delay_after(error)
        if self._observer is not None:
            self._observer.retried(error, delay)
        return delay

    def _remember(self, call: Call[Any]) -> None:
        """Store what a successful call has shown."""
        call.succeed()
        for remark in call.remarks:
            self.warn_once(remark)
        if call.was_repaired(ThoughtSignatureError):
            self._demanding.add(call.request.body["model"])
            if len(self._distrusted) < MOST_DISTRUSTED:
                self._distrusted |= call.refused_signatures


KeyedClient: TypeAlias = tuple[tuple[Any, ...], VertexCompatClient]
"""A client, and the settings and the emulator that it was created for."""


class HoldsClient(Closing):
    """What the frameworks' objects do with the client in their attribute `_client`."""

    _client: KeyedClient | None

    def _core(self) -> VertexCompatClient:
        """The client for the current settings."""
        # Not an abstract method: LlamaIndex would create a span for each of its calls.
        raise NotImplementedError

    def preload(self) -> None:
        """Do the preparations of the first call in advance, so that a server's first user does not wait for them.

        Loads the OpenAI SDK, reads the certificates, and fetches a token. Nothing is sent to the model.

        Raises:
            SettingsError: The settings are invalid or contradict each other.
            CredentialsError: No credentials are found, or no token can be obtained with them.
        """
        self._core().preload()

    async def apreload(self) -> None:
        """Like `preload`, for the running event loop, which is not blocked."""
        await self._core().apreload()

    def close(self) -> None:
        """Release the connections; they close unless other objects use them. A later call opens new ones."""
        if self._client is not None:
            self._client[1].close()

    async def aclose(self) -> None:
        """Like `close`, also for connections of the running event loop."""
        if self._client is not None:
            await self._client[1].aclose()


def client_for(
    connection: Connection, facts: JsonObject | None, current: KeyedClient | None, line_of: LineOf = wire_line
) -> KeyedClient:
    """Return the client for the current settings and emulator: the existing one, if nothing has changed."""
    # The lookup enters functions of Python, so a base URL, which is never the emulator's, does without.
    emulator = None if connection.base_url is not None else os.environ.get(wire.EMULATOR_HOST_VARIABLE)
    settings = (facts, emulator, *_connection_settings(connection))
    if current is not None and current[0] == settings:
        return current
    # A separate connection object: copies of the user's object share the client, and each may be changed.
    own = Connection.model_construct(**dict(zip(_CONNECTION, settings[2:], strict=True)))
    # A stream that is created here may begin later, when the variable has another value.
    environment = ChainMap({wire.EMULATOR_HOST_VARIABLE: emulator or ""}, os.environ)
    return settings, VertexCompatClient(own, facts, line_of=line_of, environment=environment)
