"""The client: `chat`, `stream`, `achat`, `astream`. A credential's headers, one POST, our retry loop round it."""

import asyncio
import random
import time
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.connection import (
    Connection,
    Destination,
    resolve_destination,
    resolve_model_name,
    resolve_source,
)
from vertex_compat_integrations.core.credentials import TokenSource
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ThoughtSignatureError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.options import Options
from vertex_compat_integrations.core.reply import Reply
from vertex_compat_integrations.core.request import Resource
from vertex_compat_integrations.core.stream import ReplyDelta

if TYPE_CHECKING:
    from vertex_compat_integrations.core.call import Call
    from vertex_compat_integrations.core.pool import Post, Route

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, as arguments: tests bring their own."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


class VertexCompatClient:
    """Speaks to one destination as one principal; thread-safe, and usable from any event loop.

    Construction does no I/O: the environment is read and credentials are looked for at the first call.
    """

    def __init__(
        self, connection: Connection, facts: Mapping[str, Any] | None = None, timing: Timing | None = None
    ) -> None:
        """`facts` overrides what the catalogue says of the model."""
        self._connection = connection
        self._override = facts
        self._timing = timing or Timing()
        self._resolved: tuple[Destination, TokenSource] | None = None
        self._project: str | None = None
        self._demanding: set[str] = set()
        self._warned: set[str] = set()

    def chat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """The answers: one, or `n`.

        Raises:
            VertexCompatError: See `core.errors`.
        """
        call = self._begin(messages, options, stream=False)
        while True:
            try:
                return self._remember(call, call.decode(b"".join(self._blocks(call))))
            except VertexCompatError as error:
                delay = self._delay_after(call, error)
            self._timing.sleep(delay)

    async def achat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Like `chat`."""
        call = self._begin(messages, options, stream=False)
        while True:
            try:
                return self._remember(call, call.decode(b"".join([block async for block in self._ablocks(call)])))
            except VertexCompatError as error:
                delay = self._delay_after(call, error)
            await self._timing.asleep(delay)

    def stream(self, messages: Sequence[wire.Message], options: Options) -> Iterator[ReplyDelta]:
        """The answer piece by piece; the last piece has the ending.

        Raises:
            VertexCompatError: See `core.errors`; after the first piece nothing is tried again.
        """
        call = self._begin(messages, options, stream=True)
        while True:
            try:
                with closing(self._blocks(call)) as blocks:
                    for block in blocks:
                        yield from call.read(block)
                yield from self._remember(call, call.read(None))
            except VertexCompatError as error:
                delay = self._delay_after(call, error)
            else:
                return
            self._timing.sleep(delay)

    async def astream(self, messages: Sequence[wire.Message], options: Options) -> AsyncIterator[ReplyDelta]:
        """Like `stream`."""
        call = self._begin(messages, options, stream=True)
        while True:
            try:
                async with aclosing(self._ablocks(call)) as blocks:
                    async for block in blocks:
                        for delta in call.read(block):
                            yield delta
                for delta in self._remember(call, call.read(None)):
                    yield delta
            except VertexCompatError as error:
                delay = self._delay_after(call, error)
            else:
                return
            await self._timing.asleep(delay)

    def _begin(self, messages: Sequence[wire.Message], options: Options, *, stream: bool) -> "Call":
        """The call, built and checked; nothing is sent yet."""
        from vertex_compat_integrations.core.call import Call  # noqa: PLC0415 - the SDK is loaded by the first call

        destination, _ = self._resolve()
        model = resolve_model_name(options.model, destination)
        if model != options.model:
            options = options.model_copy(update={"model": model})
        call = Call(
            messages,
            options,
            facts_for(model, self._override),
            stream=stream,
            resource=Resource(destination.project or self._project, destination.location),
            skip_values="where missing" if model in self._demanding else "as the model demands",
            seconds=self._connection.timeout,
            max_retries=self._connection.max_retries,
            clock=self._timing.clock,
            chance=self._timing.chance,
        )
        self._warn_of(model, call.request.ignored)
        return call

    def _resolve(self) -> tuple[Destination, TokenSource]:
        """Where to, and as whom; settled by the first call."""
        if self._resolved is None:
            destination = resolve_destination(self._connection)
            if destination.emulated:
                self.warn_once(
                    f"{wire.EMULATOR_HOST_VARIABLE} is set: requests go to the emulator at {destination.origin}."
                )
            self._resolved = destination, resolve_source(self._connection, destination)
        return self._resolved

    def _warn_of(self, model: str, ignored: Sequence[str]) -> None:
        for name in ignored:
            self.warn_once(f"{name} is ignored by {model} on this endpoint, and not sent.")

    def warn_once(self, text: str) -> None:
        """Warn the user; the same words once only."""
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, VertexCompatWarning, stacklevel=2)

    def _blocks(self, call: "Call") -> Generator[bytes]:
        from vertex_compat_integrations.core import pool  # noqa: PLC0415 - the SDK is loaded by the first call

        destination, source = self._resolve()
        headers = source.headers(destination.origin, call.remaining)
        if destination.endpoint is not None and not (destination.project or self._project):
            self._project = source.account(call.remaining).project
            call.locate(self._project)
        yield from pool.blocks(*self._post(call, headers))

    async def _ablocks(self, call: "Call") -> AsyncGenerator[bytes]:
        from vertex_compat_integrations.core import pool  # noqa: PLC0415 - the SDK is loaded by the first call

        destination, source = self._resolve()
        headers = await source.aheaders(destination.origin, call.remaining)
        if destination.endpoint is not None and not (destination.project or self._project):
            self._project = (await source.aaccount(call.remaining)).project
            call.locate(self._project)
        async with aclosing(pool.ablocks(*self._post(call, headers))) as blocks:
            async for block in blocks:
                yield block

    def _post(self, call: "Call", headers: Mapping[str, str]) -> "tuple[Route, Post]":
        from vertex_compat_integrations.core.pool import Post, Route  # noqa: PLC0415 - as above

        destination, _ = self._resolve()
        url = destination.build_base_url(destination.project or self._project) + wire.CHAT_PATH
        route = Route(destination.origin, self._connection.proxy, self._connection.ca_bundle)
        return route, Post(
            url.removeprefix(destination.origin),
            call.content(),
            call.headers(headers),
            call.remaining,
            self._connection.gap_timeout,
        )

    def _delay_after(self, call: "Call", error: VertexCompatError) -> float:
        """Seconds until the next attempt.

        Raises:
            VertexCompatError: There is to be none.
        """
        if isinstance(error, AuthenticationError):
            _, source = self._resolve()
            source.invalidate(call.auth_headers)
        return call.delay_after(error)

    def _remember(self, call: "Call", answer: Answer) -> Answer:
        """The answer; what was learned of the model on the way is kept."""
        if call.was_repaired(ThoughtSignatureError):
            self._demanding.add(call.request.body["model"])
        return answer
