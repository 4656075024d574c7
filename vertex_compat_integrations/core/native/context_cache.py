"""Explicit context caches: the marked beginning of a conversation is stored once, and named in each request.

Its life is extended while it is used. Any failure of a cache falls back to the plain request.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.builder import CallBuilder
from vertex_compat_integrations.core.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    SettingsError,
    VertexCompatError,
)
from vertex_compat_integrations.core.native.cache_calls import CacheCall, path_of
from vertex_compat_integrations.core.native.cache_plan import (
    DELETION_SECONDS,
    OTHER_TOOLS,
    PAUSE_SECONDS,
    Entries,
    Plan,
    TooShortError,
    has_own_tools,
    make_plan,
    plain_call,
)
from vertex_compat_integrations.core.native.cache_steps import RunningSteps, is_gone
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

Piece = TypeVar("Piece")


class Client(Protocol):
    """The client whose prompts are cached."""

    def limited(self, limits: Mapping[str, float]) -> "Client":
        """Return a client with these limits."""

    def warn_once(self, text: str) -> None:
        """Warn once."""

    def chat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Answer."""

    async def achat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Answer."""

    def stream(self, messages: Sequence[wire.Message], options: Options) -> Iterator[ReplyDelta]:
        """Answer in pieces."""

    def astream(self, messages: Sequence[wire.Message], options: Options) -> AsyncIterator[ReplyDelta]:
        """Answer in pieces."""


class Prompt(NamedTuple):
    """What an attempt sends: to the client with the time that is left."""

    client: Client
    messages: Sequence[wire.Message]
    options: Options

    def answer(self) -> Generator[list[Reply]]:
        """Send the prompt, and yield the whole answer as one piece."""
        yield self.client.chat(self.messages, self.options)

    async def aanswer(self) -> AsyncGenerator[list[Reply]]:
        """Like `answer`."""
        yield await self.client.achat(self.messages, self.options)

    def stream(self) -> Generator[ReplyDelta]:
        """Send it, and yield the answer in pieces."""
        return cast("Generator[ReplyDelta]", self.client.stream(self.messages, self.options))

    def astream(self) -> AsyncGenerator[ReplyDelta]:
        """Like `stream`."""
        return cast("AsyncGenerator[ReplyDelta]", self.client.astream(self.messages, self.options))


class PromptAttempts:
    """The attempts of one call: with the cache; once more, if the cache is gone; then with the whole prompt. No I/O.

    Attributes:
        plan: The plan of the cache that the next attempt needs; None if it sends the whole prompt.
    """

    def __init__(self, caches: "ContextCaches", messages: MarkedMessages, options: Options) -> None:
        """Plan the cache, unless it is paused or the prefix cannot be cached; the user is warned of the latter."""
        self._client, self._messages, self._options = caches.client, messages, options
        self._planned = self.plan = _planned(caches, messages, options)
        self._was_gone = False

    def prompt(self, name: str | None) -> Prompt:
        """Return what the next attempt sends: the rest, with the cache of this name, or the whole prompt.

        Raises:
            DeadlineExceededError: No time is left.
        """
        timed = self._planned
        client = self._client if timed is None else self._client.limited({"timeout": timed.seconds})
        if self.plan is None or name is None:
            return Prompt(client, *plain_call(self._messages, self._options))
        return Prompt(client, self.plan.rest, self.plan.using(name))

    def fail(self, error: VertexCompatError) -> None:
        """Prepare another attempt after one whose cache is gone.

        Raises:
            VertexCompatError: The error, if it is the call's own.
        """
        if self.plan is None or not is_gone(error):
            raise error
        self.plan.entry.name = None
        if self._was_gone:
            self.give_up(error)
        self._was_gone = True

    def give_up(self, error: VertexCompatError) -> None:
        """Send the whole prompt next, and in the calls of the next minute; the user is warned."""
        if self.plan is not None:
            refused = isinstance(error, InvalidRequestError)
            self.plan.entry.paused = inf if refused else self.plan.terms.clock() + PAUSE_SECONDS
            reason = f"{error.message} {error.hint}"
            self._client.warn_once(f"The marked prefix is not cached, the whole prompt is sent: {reason}")
        self.plan = None


def _planned(caches: "ContextCaches", messages: MarkedMessages, options: Options) -> Plan | None:
    if has_own_tools(messages, options):
        caches.client.warn_once(f"{OTHER_TOOLS} The whole prompt is sent.")
        return None
    try:
        plan = caches.plan(messages, options)
    except TooShortError:
        return None
    except SettingsError as error:
        caches.client.warn_once(f"The marked prefix is not cached: {error.message}")
        return None
    return plan if plan.terms.clock() >= plan.entry.paused else None


@dataclass(frozen=True, slots=True)
class ContextCaches:
    """The context caches of one client.

    Attributes:
        client: The client.
        calls: Builds its calls.
        entries: What it knows about caches.
        native: Returns the answer to a call about a cache.
        anative: Like `native`.
    """

    client: Client
    calls: CallBuilder
    entries: Entries
    native: Callable[[CacheCall], Mapping[str, Any]]
    anative: Callable[[CacheCall], Awaitable[Mapping[str, Any]]]

    def plan(self, messages: MarkedMessages, options: Options) -> Plan:
        """Return the plan of a cache for the marked prefix.

        Raises:
            SettingsError: The prefix cannot be cached here.
        """
        return make_plan(self.calls, self.entries, messages, options)

    def ensure(self, plan: Plan) -> str:
        """Return the name of the cache, which exists then; threads that need the same wait for the first.

        Raises:
            VertexCompatError: It could not be created.
        """
        plan, failures = plan.halved(), plan.entry.failures
        if not plan.entry.lock.acquire(timeout=plan.seconds):
            raise as_sdk_error(DeadlineExceededError("Another thread did not create the context cache in time."))
        try:
            with plan.entry.attempt(failures):
                return self._walk(plan)
        finally:
            plan.entry.lock.release()

    def _walk(self, plan: Plan) -> str:
        """Make the calls of all steps; return the name of the cache."""
        running = RunningSteps(plan)
        while running.call is not None:
            try:
                answer = self.native(running.call)
            except VertexCompatError as error:
                running.fail(error)
            else:
                running.answer(answer)
        return running.name

    async def aensure(self, plan: Plan) -> str:
        """Like `ensure`, for the tasks of an event loop."""
        plan, failures = plan.halved(), plan.entry.failures
        lock = plan.entry.async_lock()
        try:
            async with asyncio.timeout(plan.seconds):
                await lock.acquire()
        except TimeoutError:
            late = DeadlineExceededError("Another task did not create the context cache in time.")
            raise as_sdk_error(late) from None
        try:
            with plan.entry.attempt(failures):
                return await self._awalk(plan)
        finally:
            lock.release()

    async def _awalk(self, plan: Plan) -> str:
        """Like `_walk`."""
        running = RunningSteps(plan)
        while running.call is not None:
            try:
                answer = await self.anative(running.call)
            except VertexCompatError as error:
                running.fail(error)
            else:
                running.answer(answer)
        return running.name

    def chat(self, messages: MarkedMessages, options: Options) -> list[Reply]:
        """Answer with the prefix from a cache; a cache that is gone is created again, once."""
        (replies,) = self._pieces(messages, options, Prompt.answer)
        return replies

    async def achat(self, messages: MarkedMessages, options: Options) -> list[Reply]:
        """Like `chat`."""
        (replies,) = [answer async for answer in self._apieces(messages, options, Prompt.aanswer)]
        return replies

    def stream(self, messages: MarkedMessages, options: Options) -> Generator[ReplyDelta]:
        """Like `chat`, piece by piece."""
        return self._pieces(messages, options, Prompt.stream)

    def astream(self, messages: MarkedMessages, options: Options) -> AsyncGenerator[ReplyDelta]:
        """Like `stream`."""
        return self._apieces(messages, options, Prompt.astream)

    def _pieces(
        self, messages: MarkedMessages, options: Options, send: Callable[[Prompt], Generator[Piece]]
    ) -> Generator[Piece]:
        """Yield the pieces of the answer, after as many attempts as are needed."""
        attempts = PromptAttempts(self, messages, options)
        while True:
            name = None
            if attempts.plan is not None:
                try:
                    name = self.ensure(attempts.plan)
                except VertexCompatError as error:
                    attempts.give_up(error)
            with closing(send(attempts.prompt(name))) as pieces:
                try:
                    first = next(pieces)
                except VertexCompatError as error:
                    attempts.fail(error)
                    continue
                yield first
                yield from pieces
                return

    async def _apieces(
        self, messages: MarkedMessages, options: Options, send: Callable[[Prompt], AsyncGenerator[Piece]]
    ) -> AsyncGenerator[Piece]:
        """Like `_pieces`."""
        attempts = PromptAttempts(self, messages, options)
        while True:
            name = None
            if attempts.plan is not None:
                try:
                    name = await self.aensure(attempts.plan)
                except VertexCompatError as error:
                    attempts.give_up(error)
            async with AclosingQuietly(send(attempts.prompt(name))) as pieces:
                try:
                    first = await anext(pieces)
                except VertexCompatError as error:
                    attempts.fail(error)
                    continue
                yield first
                async for piece in pieces:
                    yield piece
                return


class OpenedCache:
    """The cache of a `with` statement: created at its beginning, deleted at its end."""

    def __init__(self, caches: ContextCaches, messages: MarkedMessages, options: Options) -> None:
        """Plan it; nothing is sent yet.

        Raises:
            SettingsError: The prefix cannot be cached.
        """
        self._caches, self._plan = caches, caches.plan(messages, options)

    def open(self) -> None:
        """Create or find the cache."""
        with self._scope():
            self._caches.ensure(self._plan.renewed())

    async def aopen(self) -> None:
        """Like `open`."""
        with self._scope():
            await self._caches.aensure(self._plan.renewed())

    def delete(self) -> None:
        """Delete it, and those with tools of calls; a failure is only warned about, since a cache expires by itself."""
        for call in self._deletions():
            with self._failures_as_warnings():
                self._caches.native(call)

    async def adelete(self) -> None:
        """Like `delete`."""
        for call in self._deletions():
            with self._failures_as_warnings():
                await self._caches.anative(call)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        """Count this statement, unless it cannot begin."""
        scopes = self._plan.entry.scopes
        if self in scopes:
            yield
            return
        scopes.append(self)
        try:
            yield
        except BaseException:
            scopes.remove(self)
            raise

    def _deletions(self) -> Iterator[CacheCall]:
        """Yield the calls that delete what this process created; none if another statement still uses the messages."""
        own = self._plan.entry
        if self in own.scopes:
            own.scopes.remove(self)
        # A copy, as other threads may add to them.
        all_entries = [*self._caches.entries.items()]
        others = [entry for (process, _), entry in all_entries if process == os.getpid() and entry is not own]
        entries = [own, *(entry for entry in others if entry.content == own.content)]
        if any(entry.scopes for entry in entries):
            return
        for entry in entries:
            name = entry.name
            if name is not None and (os.getpid(), name) in entry.own:
                entry.name = None
                entry.own.discard((os.getpid(), name))
                yield self._plan.renewed(DELETION_SECONDS).call("delete", path_of(name))

    @contextmanager
    def _failures_as_warnings(self) -> Iterator[None]:
        try:
            yield
        except VertexCompatError as error:
            if error.code != 404:
                text = f"A context cache was not deleted, and expires by itself: {error.message}"
                self._caches.client.warn_once(text)
