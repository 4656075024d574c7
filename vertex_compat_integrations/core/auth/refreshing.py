"""Tokens that stay fresh: when to fetch the next one, once for all who wait, never on an event loop.

from vertex_compat_integrations.core.forking import run_in_forked_child

A token has two windows. In the advisory window, up to 225 seconds before expiry, callers get the token that they have
while one background thread fetches the next; a failure there is kept quiet and tried again later. In the mandatory
window, the last moments, everybody waits for the one fetch. Tokens of a few seconds get the same windows, scaled down.
"""

import math
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vertex_compat_integrations.core.auth.single_flight import FETCH_LIMIT_SECONDS, FlightLostError, SingleFlight
from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.forking import run_in_forked_child

ADVISORY_SECONDS = 225.0
"""google-auth's own threshold; a metadata server hands out the same token until four minutes before its expiry."""

MANDATORY_SECONDS = 30.0
BACKOFF_SECONDS = 5.0
SETTLING_SECONDS = 60.0
"""So long after a fetch, headers may still arrive from google-auth's background lookup."""

BOUNDARY_HEADER = "x-allowed-locations"


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """What a fetch brings.

    Attributes:
        headers: The headers that carry the token.
        life_seconds: How long it lives from the fetch's beginning; infinite if it does not expire, 0 if it is not kept.
        settles: Whether further headers may arrive in the first minute.
    """

    headers: AuthHeaders
    life_seconds: float
    settles: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class _Held:
    """The token in use and its moments by the clock; replaced as a whole, so that readers need no lock."""

    headers: AuthHeaders
    fresh_until: float
    settled_at: float
    advisory_at: float
    mandatory_at: float
    expires: float


def _hold(token: Token, began: float) -> _Held:
    """The token with its moments."""
    expires = began + token.life_seconds
    if math.isinf(expires):
        advisory_at = mandatory_at = expires
    else:
        mandatory_at = expires - min(MANDATORY_SECONDS, token.life_seconds / 20)
        advisory_at = expires - min(ADVISORY_SECONDS, token.life_seconds / 4)
    settled_at = began + SETTLING_SECONDS if token.settles else began
    return _Held(token.headers, began if token.settles else advisory_at, settled_at, advisory_at, mandatory_at, expires)


def _hold_again(held: _Held, previous: _Held, began: float) -> _Held:
    """A token that came a second time: it is asked for again in its mandatory window, and in that, at its expiry."""
    again_at = previous.mandatory_at if began < previous.mandatory_at else held.expires
    return replace(held, fresh_until=min(held.fresh_until, again_at), advisory_at=again_at, mandatory_at=again_at)


def _postpone(held: _Held, now: float) -> _Held:
    """A token whose successor could not be fetched: it serves on, and the next attempt waits."""
    next_at = min(now + max(BACKOFF_SECONDS, (held.expires - now) / 4), held.expires)
    mandatory_at = held.mandatory_at if now < held.mandatory_at else next_at
    advisory_at = min(next_at, mandatory_at)
    fresh_until = advisory_at if now >= held.settled_at else held.fresh_until
    return replace(held, fresh_until=fresh_until, advisory_at=advisory_at, mandatory_at=mandatory_at)


class RefreshingSource(ABC):
    """Auth headers from a token that is fetched again before it expires; for threads, tasks and forked children."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: _Held | None = None
        self._refused: str | None = None
        self._state_lock = threading.Lock()
        self._fetching: SingleFlight[AuthHeaders] = SingleFlight()
        self._fetches_on_loop = False
        _LIVING.add(self)

    @abstractmethod
    def _fetch(self, url: str, refused: str | None) -> Token:
        """A token from its origin, other than the refused one if that can be helped; runs in the fetching thread."""

    @abstractmethod
    def _explain(self, error: Exception, seconds: float) -> Exception:
        """The error to raise for what went wrong in a fetch, without a secret in it."""

    async def _fetch_on_loop(self) -> Token:
        """A token from its origin; for sources that fetch on the caller's event loop."""
        raise NotImplementedError

    def _applied(self) -> AuthHeaders | None:
        """The headers as they stand in the first minute of a token that settles."""
        return None

    @property
    def expires(self) -> float | None:
        """When the token in use dies, by the clock; None if there is none yet, or it does not die."""
        held = self._held
        return held.expires if held is not None and math.isfinite(held.expires) else None

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:
        """The headers that authorise a request to `url`; waits at most `timeout` or ten seconds if a fetch is due."""
        held = self._held
        if held is not None and self._clock() < held.fresh_until:
            return held.headers
        return self._serve(url) or self._wait(url, min(timeout, FETCH_LIMIT_SECONDS))

    async def aheaders(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ASYNC109 - as in headers()
        """The headers that authorise a request to `url`; nothing is fetched, and nothing blocks, on the event loop."""
        held = self._held
        if held is not None and self._clock() < held.fresh_until:
            return held.headers
        return self._serve(url) or await self._await(url, min(timeout, FETCH_LIMIT_SECONDS))

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Forget the token of these headers, to which the endpoint answered 401; a newer one is kept."""
        with self._state_lock:
            held = self._held
            if held is not None and held.headers["Authorization"] == headers.get("Authorization"):
                self._refused = held.headers["Authorization"]
                self._held = None

    def _serve(self, url: str) -> AuthHeaders | None:
        """The headers of a token that is good; in its advisory window, the next one is fetched meanwhile."""
        held, now = self._held, self._clock()
        if held is None or now >= held.mandatory_at:
            return None
        if now >= held.advisory_at:
            self._fetching.join(lambda: self._renew(url), self._is_wanted)
            return held.headers
        return self._settle(held, now)

    def _settle(self, held: _Held, now: float) -> AuthHeaders:
        """The headers, with those that came late."""
        headers = self._applied() or held.headers
        if now >= held.settled_at or BOUNDARY_HEADER in headers:
            with self._state_lock:
                if self._held is held:
                    self._held = replace(held, headers=headers, fresh_until=held.advisory_at)
        return headers

    def _is_wanted(self) -> bool:
        held = self._held
        return held is None or self._clock() >= held.advisory_at

    def _is_due(self) -> bool:
        held = self._held
        return held is None or self._clock() >= held.mandatory_at

    def _wait(self, url: str, seconds: float) -> AuthHeaders:
        deadline = time.monotonic() + seconds
        while True:
            flight = self._fetching.join(lambda: self._renew(url), self._is_due)
            try:
                if flight is not None:
                    return flight.result(max(0.0, deadline - time.monotonic()))
            except FlightLostError:
                continue
            except Exception as error:  # noqa: BLE001 - raised again unless the old token serves
                return self._fall_back(error, seconds)
            if held := self._held:
                return held.headers

    async def _await(self, url: str, seconds: float) -> AuthHeaders:
        deadline = time.monotonic() + seconds
        on_loop = self._renew_on_loop if self._fetches_on_loop else None
        while True:
            flight = self._fetching.join(lambda: self._renew(url), self._is_due, on_loop)
            try:
                if flight is not None:
                    return await flight.aresult(max(0.0, deadline - time.monotonic()))
            except FlightLostError:
                continue
            except Exception as error:  # noqa: BLE001 - raised again unless the old token serves
                return self._fall_back(error, seconds)
            if held := self._held:
                return held.headers

    def _fall_back(self, error: Exception, seconds: float) -> AuthHeaders:
        """The token in use if it has life left, else the error."""
        held = self._held
        if held is not None and self._clock() < held.expires:
            return held.headers
        if isinstance(error, TimeoutError):
            raise self._explain(error, seconds) from None
        raise error

    def _renew(self, url: str) -> AuthHeaders:
        """The headers of a fetched token, which is in use from here on."""
        began, refused = self._clock(), self._refused
        try:
            token = self._fetch(url, refused)
            if token.headers["Authorization"] == self._refused != refused:
                # The endpoint refused it while this fetch was under way.
                token = self._fetch(url, self._refused)
        except Exception as error:  # noqa: BLE001 - explained below
            failure = self._explain(error, FETCH_LIMIT_SECONDS)
        else:
            return self._keep(token, began)
        # Outside the handler, so that the cause, which may hold a key, is not chained.
        self._postpone()
        raise failure

    async def _renew_on_loop(self) -> AuthHeaders:
        began = self._clock()
        try:
            token = await self._fetch_on_loop()
        except Exception as error:  # noqa: BLE001 - explained below
            failure = self._explain(error, FETCH_LIMIT_SECONDS)
        else:
            return self._keep(token, began)
        self._postpone()
        raise failure

    def _keep(self, token: Token, began: float) -> AuthHeaders:
        if not token.life_seconds:
            return token.headers
        held = _hold(token, began)
        with self._state_lock:
            previous = self._held
            if previous and previous.headers["Authorization"] == held.headers["Authorization"]:
                held = _hold_again(held, previous, began)
            self._held = held
            self._refused = None
        return held.headers

    def _postpone(self) -> None:
        with self._state_lock:
            if self._held is not None:
                self._held = _postpone(self._held, self._clock())

    def _after_fork(self) -> bool:
        """Whether a fetch was under way in the parent; its thread and locks do not exist in the child."""
        self._state_lock = threading.Lock()
        return self._fetching.reset()


_LIVING: weakref.WeakSet[RefreshingSource] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for source in list(_LIVING):
        source._after_fork()  # noqa: SLF001 - this module's own class


run_in_forked_child(_after_fork_in_child)
