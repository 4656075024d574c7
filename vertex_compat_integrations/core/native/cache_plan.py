"""The plan of one context cache: which part of a call it contains, and which calls are made about it. No I/O.

A cache holds contents, instructions, tools and the choice among them, since the endpoint refuses the latter three in a
request that names a cache. It is found again by a digest of them in its `displayName`, also by other processes.
"""

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.builder import CallBuilder
from vertex_compat_integrations.core.calls.call import CallTerms
from vertex_compat_integrations.core.errors import DeadlineExceededError, SettingsError, VertexCompatError
from vertex_compat_integrations.core.json_values import encode_json, google_extras
from vertex_compat_integrations.core.native.cache_calls import CacheCall
from vertex_compat_integrations.core.native.contents import native_request
from vertex_compat_integrations.core.native.count_tokens import check_native
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import Destination
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

CALLED = "vertex-compat-"
"""The beginning of the `displayName` of this package's caches."""

MOST_CACHES = 1000
"""Prefixes that a client remembers, at most; of a forgotten one, the cache is found again by its digest."""

PLACEHOLDER: wire.UserMessage = {"role": "user", "content": "-"}
"""Takes the place of the messages of a call, which are not part of the cache."""

PAUSE_SECONDS = 60.0
"""How long a cache, or its extension, is not attempted after a failure; a refused cache (400) is never again."""

DELETION_SECONDS = 30.0
"""The most that a deletion takes: the answers were received, and a cache that is not deleted expires by itself."""

MOST_BYTES = 10_000_000
"""Larger contents must be in Cloud Storage; source: …/docs/context-cache/context-cache-create."""

OTHER_TOOLS = "A call has other tools than its context cache."

_OF_TOOLS = ("tools", "toolConfig")
_LEAST_CHARACTERS_OF_A_TOKEN = 2
"""A prefix with fewer characters for each token that a cache needs is surely too short."""


class TooShortError(SettingsError):
    """The prefix is shorter than any cache of the model."""


@dataclass(slots=True)
class Entry:
    """What this process knows about one cache.

    Attributes:
        content: Digest of the model and the messages, without tools; equal for caches that differ only in their tools.
        name: Full resource name; None if no existing cache is known.
        ends: Expiry time of the cache, by the client's clock.
        paused: Time before which the cache is not used, after a failure, by the client's clock; `inf` after a 400.
        unextended: Time before which its life is not extended, after a failed extension, by the client's clock.
        own: Caches created by this process, as (process id, name): a forked child inherits the entry, not the caches.
        scopes: The open `with` statements that use the cache.
        failures: Number of failed attempts to find or create it; those that ran out of time are not counted.
        failure: Error of the last attempt counted in `failures`.
    """

    content: str
    name: str | None = None
    ends: float = 0.0
    paused: float = 0.0
    unextended: float = 0.0
    own: set[tuple[int, str]] = field(default_factory=set)
    scopes: list[object] = field(default_factory=list)
    failures: int = 0
    failure: VertexCompatError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    loops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = field(default_factory=WeakKeyDictionary)

    def async_lock(self) -> asyncio.Lock:
        """The lock for the running event loop."""
        return self.loops.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    @contextmanager
    def attempt(self, failures: int) -> Iterator[None]:
        """Find or create the cache inside, with a lock taken; `failures` is their number when the wait for it began.

        Raises:
            VertexCompatError: An attempt failed during the wait: it is not repeated, unless it had too little time.
        """
        if self.failures != failures and self.failure is not None:
            raise copy(self.failure) from None
        try:
            yield
        except DeadlineExceededError:
            raise
        except VertexCompatError as error:
            # A copy, without the frames of the traceback.
            self.failures, self.failure = self.failures + 1, copy(error)
            raise


Entries: TypeAlias = dict[tuple[int, str], Entry]
"""What a client knows about caches, by process and digest."""


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
        return replace(self, ends=self.terms.clock() + self.seconds / 2)

    def renewed(self, most_seconds: float = inf) -> "Plan":
        """Return the plan for a call that begins now, and takes no more than these seconds."""
        return replace(self, ends=self.terms.clock() + min(self.terms.seconds, most_seconds))

    @property
    def seconds(self) -> float:
        """The seconds that are left.

        Raises:
            DeadlineExceededError: Nothing is left.
        """
        left = self.ends - self.terms.clock()
        if left <= 0:
            raise as_sdk_error(DeadlineExceededError("The call took longer than its timeout."))
        return left

    def call(self, method: Any, path: str, body: wire.Json | None = None) -> CacheCall:
        """Create a call."""
        terms = replace(self.terms, seconds=self.seconds)
        return CacheCall(self.model, terms, method, path, body=body, base_url=self.base_url)

    def using(self, name: str) -> Options:
        """Return the options of a call that names the cache."""
        return self.options.model_copy(update={"cached_content": name})


def make_plan(calls: CallBuilder, entries: Entries, messages: MarkedMessages, options: Options) -> Plan:
    """Return the plan of a cache for the marked prefix; what is known about it is in `entries`.

    Raises:
        SettingsError: The prefix cannot be cached here.
    """
    destination, options, terms = calls.terms_for(options)
    options = with_tools(messages, options)
    model = options.model
    _check(destination, options, terms, calls.connection)
    body = _body(messages, options, terms)
    tools = {key: value for key, value in body.items() if key in _OF_TOOLS}
    content = _digest([model, {key: value for key, value in body.items() if key not in tools}])
    digest = _digest([content, tools])
    body = {"model": model, "displayName": CALLED + digest, **body}
    if len(entries) >= MOST_CACHES:
        entries.clear()
    entry = entries.setdefault((os.getpid(), digest), Entry(content))
    without = options.model_copy(update={"tools": None, "tool_choice": None, "web_search_options": None})
    google = google_extras({"extra_body": options.extra_body or {}})
    if google.get("tools"):
        raise SettingsError("Google's own tools in extra_body are not cached.", hint="Pass them as tools=.")
    ends = terms.clock() + terms.seconds
    return Plan(entry, model, terms, body, messages.ttl, destination.base_url, without, messages.rest, ends)


def _digest(value: Any) -> str:
    return hashlib.sha256(encode_json(value)).hexdigest()[:40]


def _body(messages: MarkedMessages, options: Options, terms: CallTerms) -> wire.Json:
    """Return the content of the cache.

    Raises:
        SettingsError: It cannot be cached.
    """
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
    _check_size(len(encode_json(body)), messages, options, terms)
    return body


def _check_size(size: int, messages: MarkedMessages, options: Options, terms: CallTerms) -> None:
    if not messages.rest or size < terms.facts.cache_tokens * _LEAST_CHARACTERS_OF_A_TOKEN:
        raise TooShortError(
            f"The prefix has about {size // 4:,} tokens; a cache of {options.model} needs "
            f"{terms.facts.cache_tokens:,}.",
            hint="Leave the cache out, or cache more.",
        )
    if size > MOST_BYTES:
        raise SettingsError(
            f"The prefix has {size / 1e6:.1f} MB; a context cache takes at most {MOST_BYTES / 1e6:g} MB.",
            hint="Name large media by their gs:// links.",
        )


def _check(destination: Destination, options: Options, terms: CallTerms, connection: Connection) -> None:
    check_native(destination, options.model, gemini=terms.facts.gemini, what="Context caches")
    if "cached_content" in terms.facts.refuses | terms.facts.ignores:
        raise SettingsError(
            f"{options.model} has no explicit context cache.", hint="Send the whole prompt with each request."
        )
    for place, several in (("location", connection.locations), ("project", connection.projects)):
        if len(several) > 1:
            raise SettingsError(
                f"A context cache is stored in one {place}; {place}s= has several.", hint=f"Pass {place}= for caches."
            )
    if options.cached_content:
        raise SettingsError("The call already names a cache (cached_content).", hint="Leave one of the two out.")


def plain_call(messages: MarkedMessages, options: Options) -> tuple[list[wire.Message], Options]:
    """Return the call without a cache."""
    return list(messages), with_tools(messages, options)


def with_tools(messages: MarkedMessages, options: Options) -> Options:
    """Return the options with the tools of the prefix, if it has some of its own and the call has no others."""
    if messages.tools is None or (options.tools and not _is_same(options.tools, messages.tools)):
        return options
    choice = messages.tool_choice if options.tool_choice is None else options.tool_choice
    return options.model_copy(update={"tools": [*messages.tools], "tool_choice": choice})


def has_own_tools(messages: MarkedMessages, options: Options) -> bool:
    """Whether the call has other tools than the prefix, or another choice among them."""
    if messages.tools is None:
        return False
    if options.tools and not _is_same(options.tools, messages.tools):
        return True
    return options.tool_choice not in (None, messages.tool_choice)


def _is_same(tools: Sequence[Any], others: Sequence[Any]) -> bool:
    return [*tools] == [*others]
