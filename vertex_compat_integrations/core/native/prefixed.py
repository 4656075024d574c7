"""A client whose calls begin with the same cached messages, and the `with` statement that gives a model of it."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import encode_json
from vertex_compat_integrations.core.native.cache_plan import PLACEHOLDER, plain_call
from vertex_compat_integrations.core.native.context_cache import ContextCaches, OpenedCache
from vertex_compat_integrations.core.native.marked import DEFAULT_TTL, MarkedMessages, ttl_seconds
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta
from vertex_compat_integrations.core.settings.options import Options

Model = TypeVar("Model")
Errors: TypeAlias = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the calls of a model have in common.

    Attributes:
        messages: The messages.
        tools: The tools; None means those of each call.
        tool_choice: The choice among the tools.
        ttl: Seconds from the last use to the cache's end.
    """

    messages: tuple[wire.Message, ...]
    tools: tuple[Any, ...] | None = None
    tool_choice: Any = None
    ttl: float = DEFAULT_TTL

    @property
    def digest(self) -> str:
        """What distinguishes the prefix from others."""
        return sha256(encode_json([self.messages, self.tools, self.tool_choice])).hexdigest()

    def before(self, messages: Sequence[wire.Message]) -> MarkedMessages:
        """Return the messages of a call, after these."""
        return MarkedMessages(self.messages, list(messages), self.ttl, self.tools, self.tool_choice)


def prefix_of(
    messages: Sequence[wire.Message], tools: Sequence[Any] | None, tool_choice: Any, ttl: float | str | None
) -> Prefix:
    """Return the prefix with these values.

    Raises:
        SettingsError: `ttl` is not a time.
    """
    return Prefix(tuple(messages), tuple(tools) if tools else None, tool_choice, ttl_seconds(ttl))


class PrefixedClient:
    """A client whose calls begin with a prefix; everything else is the plain client's."""

    def __init__(self, plain: Any, prefix: Prefix) -> None:
        """Put the prefix before the messages of each call of `plain`."""
        self._plain, self._prefix = plain, prefix

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the plain client."""
        return getattr(self._plain, name)

    def chat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Answer."""
        return self._caches.chat(self._prefix.before(messages), options)

    async def achat(self, messages: Sequence[wire.Message], options: Options) -> list[Reply]:
        """Answer."""
        return await self._caches.achat(self._prefix.before(messages), options)

    def stream(self, messages: Sequence[wire.Message], options: Options) -> Iterator[ReplyDelta]:
        """Answer in pieces."""
        return self._caches.stream(self._prefix.before(messages), options)

    def astream(self, messages: Sequence[wire.Message], options: Options) -> AsyncIterator[ReplyDelta]:
        """Answer in pieces."""
        return self._caches.astream(self._prefix.before(messages), options)

    def count_tokens(self, messages: Sequence[wire.Message], options: Options) -> int:
        """Count the whole prompt."""
        count: int = self._plain.count_tokens(*self._whole(messages, options))
        return count

    async def acount_tokens(self, messages: Sequence[wire.Message], options: Options) -> int:
        """Count the whole prompt."""
        count: int = await self._plain.acount_tokens(*self._whole(messages, options))
        return count

    def explain(self, messages: Sequence[wire.Message], options: Options, *, stream: bool) -> Any:
        """Explain the cache and the request."""
        return self._plain.explain(self._prefix.before(messages), options, stream=stream)

    def limited(self, limits: Mapping[str, float]) -> "PrefixedClient":
        """Return a client with the limits of one call."""
        return PrefixedClient(self._plain.limited(limits), self._prefix)

    @property
    def _caches(self) -> ContextCaches:
        caches: ContextCaches = self._plain.context_caches
        return caches

    def _whole(self, messages: Sequence[wire.Message], options: Options) -> tuple[list[wire.Message], Options]:
        return plain_call(self._prefix.before(messages), options)


class CachingClient(Protocol):
    """A client, as far as its context caches are concerned."""

    @property
    def context_caches(self) -> ContextCaches:
        """Its context caches."""


class CacheScope(Generic[Model]):
    """The `with` or `async with` statement around the use of one context cache.

    The cache is created, or found, at the beginning; the statement gives the model. At the end the cache is deleted, if
    this process created it.
    """

    def __init__(
        self, client: CachingClient, prefix: Prefix, options: Options, model: Model, errors: Errors = nullcontext
    ) -> None:
        """Plan the cache; nothing is sent yet. `errors` converts the errors that leave the statement's beginning.

        Raises:
            SettingsError: The prefix cannot be cached.
        """
        self._opened, self._model = OpenedCache(client.context_caches, prefix.before([PLACEHOLDER]), options), model
        self._errors = errors

    def __enter__(self) -> Model:
        with self._errors():
            self._opened.open()
        return self._model

    def __exit__(self, *_: object) -> None:
        self._opened.delete()

    async def __aenter__(self) -> Model:
        with self._errors():
            await self._opened.aopen()
        return self._model

    async def __aexit__(self, *_: object) -> None:
        await self._opened.adelete()
