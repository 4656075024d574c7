"""The steps to a context cache: it is found, its life is extended while it is used, or it is created. No I/O."""

from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from vertex_compat_integrations.core.errors import ApiError, UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.json_values import mappings_in
from vertex_compat_integrations.core.native.cache_calls import PATH, CacheCall, path_of
from vertex_compat_integrations.core.native.cache_plan import Plan

Result = TypeVar("Result")

Steps: TypeAlias = Generator[CacheCall, Mapping[str, Any], Result]
"""Yields the calls to be made; each is followed by its answer, or by its error."""


def steps(plan: Plan) -> Steps[str]:
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
        entry.is_own = False
        entry.ends = clock() + seconds
        if seconds > plan.ttl / 2 or (yield from _extended(plan)):
            return entry.name
    created = yield plan.call("post", PATH, {**plan.body, "ttl": f"{plan.ttl:g}s"})
    name = created.get("name")
    if not isinstance(name, str):
        raise UnexpectedReplyError("The new context cache has no name.")
    entry.name, entry.ends, entry.is_own = name, clock() + plan.ttl, True
    return name


def _extended(plan: Plan) -> Steps[bool]:
    """Extend the cache's life; return whether it still exists."""
    path = f"{path_of(str(plan.entry.name))}?updateMask=ttl"
    try:
        yield plan.call("patch", path, {"ttl": f"{plan.ttl:g}s"})
    except ApiError:
        return False
    plan.entry.ends = plan.terms.clock() + plan.ttl
    return True


def _listed(plan: Plan) -> Steps[tuple[str, float] | None]:
    """Find the cache among the location's, as another process may have created it; return its name and seconds left."""
    token = ""
    while True:
        more = f"&pageToken={quote(token, safe='')}" if token else ""
        page = yield plan.call("get", f"{PATH}?pageSize=1000{more}")
        for cache in mappings_in(page.get("cachedContents")):
            seconds = _seconds_left(cache.get("expireTime"))
            if cache.get("displayName") == plan.body["displayName"] and seconds > 0:
                return str(cache.get("name")), seconds
        if not (token := str(page.get("nextPageToken") or "")):
            return None


def _seconds_left(expires: object) -> float:
    try:
        moment = datetime.fromisoformat(str(expires))
    except ValueError:
        return 0.0
    return (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else 0.0


def is_gone(error: VertexCompatError) -> bool:
    """Whether a request was refused because its cache does not exist any more."""
    text = error.message.lower().replace(" ", "").replace("_", "")
    return isinstance(error, ApiError) and error.code in (400, 403, 404) and "cachedcontent" in text
