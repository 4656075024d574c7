"""Context caches: `cachedContents` of one emulator, with the documented rules.

Sources: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.cachedContents (fields, methods),
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/context-cache/context-cache-overview (fewest tokens by model,
life of at least a minute, 60 minutes by default). The text for a cache that is too small is from a public report
(zyddnys/manga-image-translator#929), that for a cache that is gone is inferred.
"""

import datetime
import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ModelResource
from vertex_compat_integrations.emulator.dialect.usage import count_items
from vertex_compat_integrations.emulator.model_traits import MediaTokens, ModelTraits, find_traits
from vertex_compat_integrations.emulator.native.content import (
    camel,
    content_refusal,
    declarations,
    instruction_refusal,
    request_items,
    request_media,
    tools_refusal,
    unknown_field,
)
from vertex_compat_integrations.emulator.refusal import Refusal, unknown_model
from vertex_compat_integrations.wire import Json

_FIELDS = frozenset(
    {
        *("model", "displayName", "contents", "systemInstruction", "tools", "toolConfig", "ttl", "expireTime"),
        *("name", "createTime", "updateTime", "usageMetadata", "encryptionSpec"),
    }
)
_UPDATED = frozenset({"ttl", "expireTime", "name"})
_MODEL = re.compile(r"projects/[^/]+/locations/[^/]+/publishers/([^/]+)/models/([^/]+)")
_TTL = re.compile(r"(\d+(?:\.\d+)?)s")
_DEFAULT_SECONDS = 3600.0
_LEAST_SECONDS = 60.0
_MOST_SECONDS = 1e10
"""About 300 years: later moments have more than four digits in their year."""
_LONGEST_NAME = 128
_NO_MEDIA = MediaTokens(0, 0, 0)
_CHOICES = {"ANY": "required", "NONE": "none"}


@dataclass(slots=True)
class Cache:
    """One stored cache.

    Attributes:
        name: Full resource name.
        model: Name of the model, with publisher.
        fields: The fields that are shown: not the content.
        tokens: Number of tokens.
        ends: When it expires, in seconds since 1970.
        tools: `tools` and `tool_choice` in the form of a chat request; without functions, it is empty.
    """

    name: str
    model: str
    fields: Json
    tokens: int
    ends: float
    tools: Json

    def shown(self) -> Json:
        """Return the resource."""
        usage = {"totalTokenCount": self.tokens}
        return {"name": self.name, **self.fields, "expireTime": _moment(self.ends), "usageMetadata": usage}


class Caches:
    """The caches of an emulator; a cache whose life is over does not exist."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns the time in seconds since 1970."""
        self._clock = clock
        self._caches: dict[str, Cache] = {}
        self._lock = threading.Lock()
        self._number = 0

    def find(self, name: str) -> Cache | None:
        """Return a cache by its full name."""
        with self._lock:
            cache = self._caches.get(name)
        return cache if cache is not None and cache.ends > self._clock() else None

    def gone(self, name: str) -> Refusal:
        """Return the refusal of a request that names a cache which was deleted, or whose life is over.

        The text for the latter is from a public report: https://github.com/clawvisor/clawvisor/pull/360.
        """
        with self._lock:
            is_expired = name in self._caches
        return Refusal(f"Cache content {name.rpartition('/')[2]} is expired.") if is_expired else not_found(name)

    def clear(self) -> None:
        """Remove all caches."""
        with self._lock:
            self._caches.clear()

    def create(
        self, body: Any, place: ModelResource, models: Collection[str], *, today: datetime.date | None
    ) -> Json | Refusal:
        """Create a cache, or return the refusal."""
        if not isinstance(body, dict):
            return Refusal("Expected a valid JSON object in the request.")
        request = camel(body)
        named = _MODEL.fullmatch(str(request.get("model")))
        traits = find_traits("/".join(named.groups()), place.endpoint, models, today=today) if named else None
        if named is None:
            return Refusal()
        model = "/".join(named.groups())
        if traits is None or traits.surface != "gemini":
            return unknown_model(model, place)
        if refusal := _refusal(request, traits):
            return refusal
        media = request_media(request, traits.media or _NO_MEDIA)
        tokens = count_items(request_items(request)) + sum(media.values())
        if tokens < traits.least_cached:
            least = f"total_token_count={tokens}, min_total_token_count={traits.least_cached}"
            return Refusal(f"Cached content is too small. {least}")
        return self._add(request, place, model, tokens).shown()

    def _add(self, request: Json, place: ModelResource, model: str, tokens: int) -> Cache:
        now = self._clock()
        with self._lock:
            self._number += 1
            name = f"projects/{place.project}/locations/{place.location}/cachedContents/{4_000 + self._number}"
            fields = {key: request[key] for key in ("model", "displayName") if key in request}
            seconds = _seconds(request)
            times = {"createTime": _moment(now), "updateTime": _moment(now)}
            ends = now + (seconds or _DEFAULT_SECONDS)
            cache = Cache(name, model, fields | times, tokens, ends, _chat_tools(request))
            self._caches[name] = cache
        return cache

    def listed(self, place: ModelResource) -> Json:
        """Return the caches of a location."""
        start = f"projects/{place.project}/locations/{place.location}/"
        with self._lock:
            caches = [cache for name, cache in self._caches.items() if name.startswith(start)]
        shown = [cache.shown() for cache in caches if cache.ends > self._clock()]
        return {"cachedContents": shown} if shown else {}

    def changed(self, name: str, body: Any, mask: str) -> Json | Refusal:
        """Set a cache's life, which is all that can be changed; the mask names the field."""
        cache = self.find(name)
        if cache is None:
            return not_found(name)
        request = camel(body)
        if refusal := unknown_field(request, _UPDATED):
            return refusal
        seconds = _seconds(request)
        if seconds is None or seconds < _LEAST_SECONDS or camel({mask: None}).keys() - {"ttl", "expireTime"}:
            return Refusal()
        cache.ends = self._clock() + seconds
        return cache.shown()

    def deleted(self, name: str) -> Json | Refusal:
        """Delete a cache."""
        if self.find(name) is None:
            return not_found(name)
        with self._lock:
            self._caches.pop(name, None)
        return {}


def not_found(name: str) -> Refusal:
    """Return the refusal of a cache that does not exist, or no longer."""
    return Refusal(f"Not found: cached content metadata for {name.rpartition('/')[2]} (CachedContent).", 404)


def _refusal(request: Json, traits: ModelTraits) -> Refusal | None:
    if not traits.has_cache:
        return Refusal()
    if len(str(request.get("displayName") or "")) > _LONGEST_NAME:
        return Refusal()
    seconds = _seconds(request)
    if ("ttl" in request or "expireTime" in request) and (seconds is None or seconds < _LEAST_SECONDS):
        return Refusal()
    return (
        unknown_field(request, _FIELDS)
        or (content_refusal(request["contents"]) if "contents" in request else None)
        or instruction_refusal(request.get("systemInstruction"))
        or tools_refusal(request.get("tools"))
    )


def _seconds(request: Json) -> float | None:
    """Return the life in a request; None if there is none, or an invalid one."""
    if (ttl := _TTL.fullmatch(str(request.get("ttl")))) is not None:
        return float(ttl[1]) if float(ttl[1]) < _MOST_SECONDS else None
    try:
        moment = datetime.datetime.fromisoformat(str(request.get("expireTime")))
    except ValueError:
        return None
    return (moment - datetime.datetime.now(datetime.UTC)).total_seconds() if moment.tzinfo else None


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")


def _chat_tools(request: Json) -> Json:
    """Return the functions and the choice among them in the form of a chat request."""
    functions = declarations(request.get("tools"))
    if not functions:
        return {}
    config = camel(camel(request.get("toolConfig")).get("functionCallingConfig"))
    allowed = config.get("allowedFunctionNames")
    choice: Any = _CHOICES.get(str(config.get("mode")), "auto")
    if choice == "required" and isinstance(allowed, list):
        functions = [function for function in functions if function.get("name") in allowed] or functions
    return {"tools": [{"type": "function", "function": function} for function in functions], "tool_choice": choice}
