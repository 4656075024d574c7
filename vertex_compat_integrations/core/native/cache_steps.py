"""The steps to a context cache: it is found, its life is extended while it is used, or it is created. No I/O."""

import os
import re
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from vertex_compat_integrations.core.errors import ApiError, UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.json_values import mappings_in
from vertex_compat_integrations.core.native.cache_calls import PATH, CacheCall, name_in, path_of
from vertex_compat_integrations.core.native.cache_plan import PAUSE_SECONDS, Plan
from vertex_compat_integrations.core.native.marked import ttl_text
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

Result = TypeVar("Result")

MOST_PAGES = 20
"""Pages of a location's list that are read, at most, each of up to 1,000 caches."""

_OF_CACHES = re.compile(r"cached?[ _]?content", re.IGNORECASE)

Steps: TypeAlias = Generator[CacheCall, Mapping[str, Any], Result]
"""Yields the calls to be made; each is followed by its answer, or by its error."""


class RunningSteps:
    """The steps to one cache, under way: `call` is to be made, and its outcome is passed to `answer` or `fail`.

    Attributes:
        call: The next call; None at the end.
        name: The cache's name, at the end.
    """

    def __init__(self, plan: Plan) -> None:
        """Find out the first call."""
        self.call: CacheCall | None = None
        self.name = ""
        self._steps = _steps(plan)
        self._continue(partial(next, self._steps))

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Continue after the answer to the call."""
        self._continue(partial(self._steps.send, answer))

    def fail(self, error: VertexCompatError) -> None:
        """Continue after the call's error.

        Raises:
            VertexCompatError: The error, if there is no cache without this call.
        """
        self._continue(partial(self._steps.throw, error))

    def _continue(self, step: Callable[[], CacheCall]) -> None:
        try:
            self.call = step()
        except StopIteration as end:
            self.call, self.name = None, end.value


def _steps(plan: Plan) -> Steps[str]:
    """Find, extend or create the cache; the result is its name."""
    entry, clock = plan.entry, plan.terms.clock
    left = entry.ends - clock()
    if entry.name is not None and left > plan.ttl / 2:
        return entry.name
    if entry.name is not None and left > 0 and (yield from _extended(plan)):
        return entry.name
    entry.name = None
    match = yield from _listed(plan)
    if match is not None:
        entry.name, seconds = match
        entry.ends = clock() + seconds
        if seconds > plan.ttl / 2 or (yield from _extended(plan)):
            return entry.name
    created = yield plan.call("post", PATH, {**plan.body, "ttl": ttl_text(plan.ttl)})
    if (name := name_in(created)) is None:
        raise as_sdk_error(UnexpectedReplyError("The new context cache has no name."))
    entry.name, entry.ends = name, clock() + plan.ttl
    entry.own.add((os.getpid(), name))
    return name


def _extended(plan: Plan) -> Steps[bool]:
    """Extend the cache's life; return whether it still exists. One that cannot be extended is used to its end."""
    clock = plan.terms.clock
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


def _listed(plan: Plan) -> Steps[tuple[str, float] | None]:
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


def is_gone(error: VertexCompatError) -> bool:
    """Whether a request was refused because its cache does not exist any more.

    An expired one is a 400, "Cache content … is expired": https://github.com/clawvisor/clawvisor/pull/360.
    """
    return isinstance(error, ApiError) and error.code in (400, 403, 404) and bool(_OF_CACHES.search(error.message))
