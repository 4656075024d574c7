"""Explicit context caches: the marked beginning of a conversation is stored once, and named in each request.

A cache holds contents, instructions, tools and the choice among them, since the endpoint refuses the latter three in a
request that names a cache. It is found again by a digest of them in its `displayName`, also by other processes; its
life is extended while it is used. Any failure of a cache falls back to the plain request.
"""

# ruff: noqa: SLF001 - this module is a part of the client, loaded only if a cache is wanted

import asyncio
import hashlib
import os
import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from typing import Any, Protocol, cast
from urllib.parse import quote
from weakref import WeakKeyDictionary

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.call import Call, CallTerms
from vertex_compat_integrations.core.errors import (
    ApiError,
    DeadlineExceededError,
    InvalidRequestError,
    SettingsError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.json_values import encode_json, google_extras, mappings_in
from vertex_compat_integrations.core.native.cache_calls import PATH, CacheCall, name_in, path_of
from vertex_compat_integrations.core.native.contents import native_request
from vertex_compat_integrations.core.native.count_tokens import check_native
from vertex_compat_integrations.core.native.marked import MarkedMessages, ttl_text
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.settings.connection import Destination
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

CALLED = "vertex-compat-"
"""The beginning of the `displayName` of this package's caches."""

PAUSE_SECONDS = 60.0
"""How long a cache is not attempted after a failure; after a refusal (400), never again."""

MOST_CACHES = 1000
"""Prefixes that a client remembers, at most; of a forgotten one, the cache is found again by its digest."""

MOST_PAGES = 20
"""Pages of a location's list that are read, at most, each of up to 1,000 caches."""

PLACEHOLDER: wire.UserMessage = {"role": "user", "content": "-"}
"""Takes the place of the messages of a call, which are not part of the cache."""

_OF_CACHES = re.compile(r"cached?[ _]?content", re.IGNORECASE)

MOST_BYTES = 10_000_000
"""Larger contents must be in Cloud Storage; source: …/docs/context-cache/context-cache-create."""

_LEAST_CHARACTERS_OF_A_TOKEN = 2
"""A prefix with fewer characters for each token that a cache needs is surely too short."""


@dataclass(slots=True)
class Entry:
    """What this process knows about one cache.

    Attributes:
        name: Full resource name; None if there is none.
        ends: When it expires, by the client's clock.
        paused: Until when it is not attempted, after a failure, by the client's clock.
        unextended: Until when an extension is not attempted, after a failure, by the client's clock.
        own: The names of those that this process created.
        scopes: The `with` statements that use it.
    """

    name: str | None = None
    ends: float = 0.0
    paused: float = 0.0
    unextended: float = 0.0
    own: set[str] = field(default_factory=set)
    scopes: list[object] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    loops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = field(default_factory=WeakKeyDictionary)

    def async_lock(self) -> asyncio.Lock:
        """The lock for the running event loop."""
        return self.loops.setdefault(asyncio.get_running_loop(), asyncio.Lock())


@dataclass(frozen=True, slots=True)
class Plan:
    """One cache to be used: its content, and the calls about it.

    Attributes:
        entry: What is known about it.
        model: The model's name.
        terms: Terms of the calls.
        body: The native request that creates it, without its life.
        ttl: Seconds from its last use to its end.
        base_url: The user's base URL.
        options: The options of a call that names the cache.
        rest: The messages of that call.
        ends: When the call ends, by the client's clock.
    """

    entry: Entry
    model: str
    terms: CallTerms
    body: wire.Json
    ttl: float
    base_url: str | None
    options: Options
    rest: Sequence[wire.Message]
    ends: float

    def halved(self) -> "Plan":
        """Return the plan for the calls about the cache: half of what is left, so that the prompt can still be sent.

        Raises:
            DeadlineExceededError: Nothing is left.
        """
        now = self.terms.clock()
        return replace(self, ends=now + _left(self.ends, self.terms.clock) / 2)

    def renewed(self) -> "Plan":
        """Return the plan for a call that begins now."""
        return replace(self, ends=self.terms.clock() + self.terms.seconds)

    @property
    def seconds(self) -> float:
        """The seconds that are left.

        Raises:
            DeadlineExceededError: Nothing is left.
        """
        return _left(self.ends, self.terms.clock)

    def call(self, method: Any, path: str, body: wire.Json | None = None) -> CacheCall:
        """Create a call."""
        terms = replace(self.terms, seconds=self.seconds)
        return CacheCall(self.model, terms, method, path, body=body, base_url=self.base_url)

    def using(self, name: str) -> Options:
        """Return the options of a call that names the cache."""
        return self.options.model_copy(update={"cached_content": name})


class Host(Protocol):
    """What is needed of the client."""

    _caches: dict[tuple[int, str], Any]
    _timing: Any

    @property
    def _choice_of_places(self) -> str | None: ...

    def _terms_for(self, options: Options) -> tuple[Destination, str, Options, CallTerms]: ...

    def _native(self, call: Call[Mapping[str, Any]]) -> Mapping[str, Any]: ...

    async def _anative(self, call: Call[Mapping[str, Any]]) -> Mapping[str, Any]: ...

    def limited(self, limits: Mapping[str, float]) -> "Host":
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


Steps = Generator[CacheCall, Mapping[str, Any], str]
"""Calls to be made in order; the result is the cache's name."""


def make_plan(client: Host, messages: MarkedMessages, options: Options) -> Plan:
    """Return the plan of a cache for the marked prefix.

    Raises:
        SettingsError: The prefix cannot be cached here.
    """
    destination, model, options, terms = client._terms_for(options)
    options = _with_tools(messages, options)
    _check(destination, model, options, terms, choice=client._choice_of_places)
    request = build_request([*messages.prefix, PLACEHOLDER], options, terms.facts)
    if request.own_names:
        raise SettingsError(
            "Tools whose names are changed are not cached.", hint="Use letters, digits and underscores."
        )
    body = native_request(request.body)
    body.pop("generationConfig", None)
    body["contents"] = body["contents"][:-1]
    if not body["contents"]:
        del body["contents"]
    if terms.new_meter is not None and any("functionDeclarations" not in tool for tool in body.get("tools", ())):
        # The cost of an answer is that of its tokens; that of a search is unknown, which a named cache would hide.
        raise SettingsError("Google's own tools are not cached with cost=True.", hint="Leave one of the two out.")
    size = len(encode_json(body))
    if not messages.rest or size < terms.facts.cache_tokens * _LEAST_CHARACTERS_OF_A_TOKEN:
        raise TooShortError(
            f"The prefix has about {size // 4:,} tokens; a cache of {model} needs {terms.facts.cache_tokens:,}.",
            hint="Leave the cache out, or cache more.",
        )
    if size > MOST_BYTES:
        raise SettingsError(
            f"The prefix has {size / 1e6:.1f} MB; a context cache takes at most {MOST_BYTES / 1e6:g} MB.",
            hint="Name large media by their gs:// links.",
        )
    digest = hashlib.sha256(encode_json([model, body])).hexdigest()[:40]
    body = {"model": model, "displayName": CALLED + digest, **body}
    if len(client._caches) >= MOST_CACHES:
        client._caches.clear()
    entry = client._caches.setdefault((os.getpid(), digest), Entry())
    without = options.model_copy(update={"tools": None, "tool_choice": None, "web_search_options": None})
    google = google_extras({"extra_body": options.extra_body or {}})
    if google.get("tools"):
        raise SettingsError("Google's own tools in extra_body are not cached.", hint="Pass them as tools=.")
    ends = terms.clock() + terms.seconds
    return Plan(entry, model, terms, body, messages.ttl, destination.base_url, without, messages.rest, ends)


def _left(ends: float, clock: Callable[[], float]) -> float:
    left = ends - clock()
    if left <= 0:
        raise as_sdk_error(DeadlineExceededError("The call took longer than its timeout."))
    return left


class TooShortError(SettingsError):
    """The prefix is shorter than any cache of the model."""


def _check(destination: Destination, model: str, options: Options, terms: CallTerms, *, choice: str | None) -> None:
    check_native(destination, model, gemini=terms.facts.gemini, what="Context caches")
    if "cached_content" in terms.facts.refuses | terms.facts.ignores:
        raise SettingsError(f"{model} has no explicit context cache.", hint="Send the whole prompt with each request.")
    if choice is not None:
        raise SettingsError(
            f"A context cache is stored in one {choice}; {choice}s= has several.", hint=f"Pass {choice}= for caches."
        )
    if options.cached_content:
        raise SettingsError("The call already names a cache (cached_content).", hint="Leave one of the two out.")


def steps(plan: Plan, clock: Any) -> Steps:
    """Find, extend or create the cache."""
    entry = plan.entry
    left = entry.ends - clock()
    if entry.name is not None and left > plan.ttl / 2:
        return entry.name
    if entry.name is not None and left > 0 and (yield from _extended(plan, clock)):
        return entry.name
    entry.name = None
    match = yield from _listed(plan)
    if match is not None:
        entry.name, seconds = match
        entry.ends = clock() + seconds
        if seconds > plan.ttl / 2 or (yield from _extended(plan, clock)):
            return entry.name
    created = yield plan.call("post", PATH, {**plan.body, "ttl": ttl_text(plan.ttl)})
    if (name := name_in(created)) is None:
        raise as_sdk_error(UnexpectedReplyError("The new context cache has no name."))
    entry.name, entry.ends = name, clock() + plan.ttl
    entry.own.add(name)
    return name


def _extended(plan: Plan, clock: Any) -> Generator[CacheCall, Mapping[str, Any], bool]:
    """Extend the cache's life; return whether it still exists. One that cannot be extended is used to its end."""
    if clock() < plan.entry.unextended:
        return True
    path = f"{path_of(str(plan.entry.name))}?updateMask=ttl"
    try:
        yield plan.call("patch", path, {"ttl": ttl_text(plan.ttl)})
    except VertexCompatError as error:
        if error.code == 404:
            return False
        plan.entry.unextended = clock() + PAUSE_SECONDS
    else:
        plan.entry.ends = clock() + plan.ttl
    return True


def _listed(plan: Plan) -> Generator[CacheCall, Mapping[str, Any], tuple[str, float] | None]:
    """Find the cache among the location's, as another process may have created it; return its name and seconds left."""
    token = ""
    for _ in range(MOST_PAGES):
        more = f"&pageToken={quote(token, safe='')}" if token else ""
        page = yield plan.call("get", f"{PATH}?pageSize=1000{more}")
        for cache in mappings_in(page.get("cachedContents")):
            seconds, name = _seconds_left(cache.get("expireTime")), name_in(cache)
            if cache.get("displayName") == plan.body["displayName"] and seconds > 0 and name is not None:
                return name, seconds
        if not (token := str(page.get("nextPageToken") or "")):
            break
    return None


def _seconds_left(expires: object) -> float:
    try:
        moment = datetime.fromisoformat(str(expires))
    except ValueError:
        return 0.0
    return (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else 0.0


def ensure(client: Host, plan: Plan) -> str:
    """Return the name of the cache, which exists then; threads that need the same wait for the first.

    Raises:
        VertexCompatError: It could not be created.
    """
    plan = plan.halved()
    if not plan.entry.lock.acquire(timeout=plan.seconds):
        raise as_sdk_error(DeadlineExceededError("Another thread did not create the context cache in time."))
    try:
        doing = steps(plan, client._timing.clock)
        answer: Mapping[str, Any] | None = None
        failure: VertexCompatError | None = None
        while True:
            try:
                call = doing.throw(failure) if failure else doing.send(cast("Any", answer))
            except StopIteration as end:
                return cast("str", end.value)
            try:
                answer, failure = client._native(call), None
            except VertexCompatError as error:
                failure = error
    finally:
        plan.entry.lock.release()


async def aensure(client: Host, plan: Plan) -> str:
    """Like `ensure`, for the tasks of an event loop."""
    plan = plan.halved()
    lock = plan.entry.async_lock()
    try:
        async with asyncio.timeout(plan.seconds):
            await lock.acquire()
    except TimeoutError:
        raise as_sdk_error(DeadlineExceededError("Another task did not create the context cache in time.")) from None
    try:
        doing = steps(plan, client._timing.clock)
        answer: Mapping[str, Any] | None = None
        failure: VertexCompatError | None = None
        while True:
            try:
                call = doing.throw(failure) if failure else doing.send(cast("Any", answer))
            except StopIteration as end:
                return cast("str", end.value)
            try:
                answer, failure = await client._anative(call), None
            except VertexCompatError as error:
                failure = error
    finally:
        lock.release()


def is_gone(error: VertexCompatError) -> bool:
    """Whether a request was refused because its cache does not exist any more.

    An expired one is a 400, "Cache content … is expired": https://github.com/clawvisor/clawvisor/pull/360.
    """
    return isinstance(error, ApiError) and error.code in (400, 403, 404) and bool(_OF_CACHES.search(error.message))


def _planned(client: Host, messages: MarkedMessages, options: Options) -> Plan | None:
    """Return the plan; None if the prefix is not cached, with one warning unless it is only too short."""
    if _has_own_tools(messages, options):
        client.warn_once("A call has other tools than its context cache: the whole prompt is sent.")
        return None
    try:
        plan = make_plan(client, messages, options)
    except TooShortError:
        return None
    except SettingsError as error:
        client.warn_once(f"The marked prefix is not cached: {error.message}")
        return None
    return plan if client._timing.clock() >= plan.entry.paused else None


def _give_up(client: Host, plan: Plan, error: VertexCompatError) -> None:
    plan.entry.paused = inf if isinstance(error, InvalidRequestError) else client._timing.clock() + PAUSE_SECONDS
    client.warn_once(f"The marked prefix is not cached, the whole prompt is sent: {error.message}")


def plain_call(messages: MarkedMessages, options: Options) -> tuple[list[wire.Message], Options]:
    """Return the call without a cache."""
    return list(messages), _with_tools(messages, options)


def _with_tools(messages: MarkedMessages, options: Options) -> Options:
    """Return the options with the tools of the prefix, if it has some of its own and the call has no others."""
    if messages.tools is None or (options.tools and not _is_same(options.tools, messages.tools)):
        return options
    choice = messages.tool_choice if options.tool_choice is None else options.tool_choice
    return options.model_copy(update={"tools": [*messages.tools], "tool_choice": choice})


def _is_same(tools: Sequence[Any], others: Sequence[Any]) -> bool:
    return [*tools] == [*others]


def _has_own_tools(messages: MarkedMessages, options: Options) -> bool:
    """Whether the call has other tools than the prefix, or another choice among them."""
    if messages.tools is None:
        return False
    if options.tools and not _is_same(options.tools, messages.tools):
        return True
    return options.tool_choice not in (None, messages.tool_choice)


def chat(client: Host, messages: MarkedMessages, options: Options) -> list[Reply]:
    """Answer with the prefix from a cache; a cache that is gone is created again, once."""
    plan = _planned(client, messages, options)
    for is_last in (False, True):
        if plan is None:
            break
        try:
            name = ensure(client, plan)
        except VertexCompatError as error:
            _give_up(client, plan, error)
            break
        try:
            return _rest_of(client, plan).chat(plan.rest, plan.using(name))
        except VertexCompatError as error:
            _forget(client, plan, error, is_last=is_last)
    return _rest_of(client, plan).chat(*plain_call(messages, options))


async def achat(client: Host, messages: MarkedMessages, options: Options) -> list[Reply]:
    """Like `chat`."""
    plan = _planned(client, messages, options)
    for is_last in (False, True):
        if plan is None:
            break
        try:
            name = await aensure(client, plan)
        except VertexCompatError as error:
            _give_up(client, plan, error)
            break
        try:
            return await _rest_of(client, plan).achat(plan.rest, plan.using(name))
        except VertexCompatError as error:
            _forget(client, plan, error, is_last=is_last)
    return await _rest_of(client, plan).achat(*plain_call(messages, options))


def _rest_of(client: Host, plan: Plan | None) -> Host:
    """Return the client with the time that is left of a call.

    Raises:
        DeadlineExceededError: Nothing is left.
    """
    return client if plan is None else client.limited({"timeout": _left(plan.ends, plan.terms.clock)})


def _forget(client: Host, plan: Plan, error: VertexCompatError, *, is_last: bool) -> None:
    """Forget a cache that is gone; any other error is the call's own.

    Raises:
        VertexCompatError: The error.
    """
    if not is_gone(error):
        raise error
    plan.entry.name = None
    if is_last:
        _give_up(client, plan, error)


def stream(client: Host, messages: MarkedMessages, options: Options) -> Iterator[ReplyDelta]:
    """Like `chat`, piece by piece."""
    plan = _planned(client, messages, options)
    for is_last in (False, True):
        if plan is None:
            break
        try:
            name = ensure(client, plan)
        except VertexCompatError as error:
            _give_up(client, plan, error)
            break
        deltas = cast("Generator[ReplyDelta]", _rest_of(client, plan).stream(plan.rest, plan.using(name)))
        with closing(deltas):
            try:
                first = next(deltas)
            except VertexCompatError as error:
                _forget(client, plan, error, is_last=is_last)
                continue
            yield first
            yield from deltas
            return
    with closing(cast("Generator[ReplyDelta]", _rest_of(client, plan).stream(*plain_call(messages, options)))) as plain:
        yield from plain


async def astream(client: Host, messages: MarkedMessages, options: Options) -> AsyncIterator[ReplyDelta]:
    """Like `stream`."""
    plan = _planned(client, messages, options)
    for is_last in (False, True):
        if plan is None:
            break
        try:
            name = await aensure(client, plan)
        except VertexCompatError as error:
            _give_up(client, plan, error)
            break
        deltas = cast("AsyncGenerator[ReplyDelta]", _rest_of(client, plan).astream(plan.rest, plan.using(name)))
        async with AclosingQuietly(deltas):
            try:
                first = await anext(deltas)
            except VertexCompatError as error:
                _forget(client, plan, error, is_last=is_last)
                continue
            yield first
            async for delta in deltas:
                yield delta
            return
    async with AclosingQuietly(
        cast("AsyncGenerator[ReplyDelta]", _rest_of(client, plan).astream(*plain_call(messages, options)))
    ) as plain:
        async for delta in plain:
            yield delta


class OpenedCache:
    """The cache of a `with` statement: created at its beginning, deleted at its end."""

    def __init__(self, client: Host, messages: MarkedMessages, options: Options) -> None:
        """Plan it; nothing is sent yet.

        Raises:
            SettingsError: The prefix cannot be cached.
        """
        self._client, self._plan = client, make_plan(client, messages, options)

    def open(self) -> None:
        """Create or find the cache."""
        with self._scope():
            ensure(self._client, self._plan.renewed())

    async def aopen(self) -> None:
        """Like `open`."""
        with self._scope():
            await aensure(self._client, self._plan.renewed())

    def delete(self) -> None:
        """Delete it; a failure is only warned about, since the cache expires by itself."""
        if (call := self._deletion()) is not None:
            try:
                self._client._native(call)
            except VertexCompatError as error:
                self._warn(error)

    async def adelete(self) -> None:
        """Like `delete`."""
        if (call := self._deletion()) is not None:
            try:
                await self._client._anative(call)
            except VertexCompatError as error:
                self._warn(error)

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

    def _deletion(self) -> CacheCall | None:
        """Return the call that deletes the cache; None if others created it, or another statement still uses it."""
        entry = self._plan.entry
        if self in entry.scopes:
            entry.scopes.remove(self)
        if entry.scopes or entry.name not in entry.own:
            return None
        name, entry.name = entry.name, None
        entry.own.discard(name)
        return self._plan.renewed().call("delete", path_of(name))

    def _warn(self, error: VertexCompatError) -> None:
        if error.code != 404:
            self._client.warn_once(f"A context cache was not deleted, and expires by itself: {error.message}")
