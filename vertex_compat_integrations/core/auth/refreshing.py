"""Keeps tokens fresh: when to fetch the next one, once for all waiting callers, never on an event loop.

A token has two windows. In the advisory window, which starts up to 225 seconds before expiry, callers get the current
token while one background thread fetches the next; a failure there is ignored and retried later. In the mandatory
window, the last seconds, all callers wait for the one fetch. Tokens that live only seconds have the same windows,
scaled down.
"""

import asyncio
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
from vertex_compat_integrations.core.interruptions import interruption_in, is_from_signal

ADVISORY_SECONDS = 225.0
"""google-auth's own threshold; a metadata server returns the same token until four minutes before its expiry."""

MANDATORY_SECONDS = 30.0
BACKOFF_SECONDS = 5.0
_MOST_LOST_FLIGHTS = 10
"""Maximum number of consecutive fetches that are lost with their event loop, or cancelled from outside."""

SETTLING_SECONDS = 60.0
"""How long after a fetch google-auth's background lookup may still add headers."""

BOUNDARY_HEADER = "x-allowed-locations"


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """The result of a fetch.

    Attributes:
        headers: The headers with the token.
        life_seconds: Lifetime from the start of the fetch; infinite if the token does not expire, 0 if it is not
            stored.
        settles: Whether further headers may be added in the first minute.
    """

    headers: AuthHeaders
    life_seconds: float
    settles: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class _TokenInUse:
    """The current token and its times by the clock; replaced as a whole, so that readers need no lock.

    Attributes:
        headers: The headers with the token.
        fresh_until: Until this time, the headers are returned without further checks.
        settled_at: After this time, google-auth's background lookup no longer adds headers.
        advisory_at: After this time, one thread fetches the next token while callers get this one.
        mandatory_at: After this time, callers wait for the next token.
        expires: After this time, the server refuses the token.
    """

    headers: AuthHeaders
    fresh_until: float
    settled_at: float
    advisory_at: float
    mandatory_at: float
    expires: float


def _take_into_use(token: Token, began: float) -> _TokenInUse:
    """Compute when the token must be refreshed."""
    # Count from the start of the fetch: a token that took long to arrive has already lost that time.
    expires = began + token.life_seconds
    if math.isinf(expires):
        advisory_at = mandatory_at = expires
    else:
        # Tests, and some identity providers, issue tokens that live only seconds: their windows shrink with them.
        mandatory_at = expires - min(MANDATORY_SECONDS, token.life_seconds / 20)
        advisory_at = expires - min(ADVISORY_SECONDS, token.life_seconds / 4)
    settled_at = began + SETTLING_SECONDS if token.settles else began
    fresh_until = began if token.settles else advisory_at
    return _TokenInUse(token.headers, fresh_until, settled_at, advisory_at, mandatory_at, expires)


def _as_before(current: _TokenInUse, previous: _TokenInUse, began: float) -> _TokenInUse:
    """Return the times for a token that a fetch returned a second time.

    The next fetch is at its `mandatory_at`; if that has passed, when the token expires.
    """
    # A metadata server returns the same token until minutes before its expiry; fetching in each call would not help.
    again_at = previous.mandatory_at if began < previous.mandatory_at else current.expires
    return replace(current, fresh_until=min(current.fresh_until, again_at), advisory_at=again_at, mandatory_at=again_at)


def _postpone(current: _TokenInUse, now: float) -> _TokenInUse:
    """Return the times for a token that stays in use, because no other could be fetched; a fetch follows later."""
    next_at = min(now + max(BACKOFF_SECONDS, (current.expires - now) / 4), current.expires)
    mandatory_at = current.mandatory_at if now < current.mandatory_at else next_at
    advisory_at = min(next_at, mandatory_at)
    fresh_until = advisory_at if now >= current.settled_at else current.fresh_until
    return replace(current, fresh_until=fresh_until, advisory_at=advisory_at, mandatory_at=mandatory_at)


class RefreshingSource(ABC):
    """Auth headers with a token that is fetched again before it expires; for threads, tasks and forked children."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._in_use: _TokenInUse | None = None
        self._refused: str | None = None
        self._state_lock = threading.Lock()
        self._fetching: SingleFlight[AuthHeaders] = SingleFlight()
        self._fetches_on_loop = False
        _LIVING.add(self)

    @abstractmethod
    def _fetch(self, url: str, refused: str | None) -> Token:
        """Fetch a token from its origin, if possible another one than the refused one; runs in the fetching thread."""

    @abstractmethod
    def _explain(self, error: BaseException, seconds: float) -> Exception:
        """Return the error to raise for a failed fetch, without secrets in it."""

    def _explained(self, error: BaseException) -> BaseException:
        """Return the error to raise; exits and exceptions of signal handlers are returned unchanged.

        Other exceptions that are not `Exception`, such as a cancellation from inside, would end a task or a thread of
        the caller.
        """
        if isinstance(error, KeyboardInterrupt | SystemExit) or is_from_signal(error):
            return error
        return self._explain(error, FETCH_LIMIT_SECONDS)

    async def _fetch_on_loop(self) -> Token:
        """Fetch a token from its origin; for sources that fetch on the caller's event loop."""
        raise NotImplementedError

    def _applied(self) -> AuthHeaders | None:
        """Return the current headers if further headers may be added in the token's first minute; None otherwise."""
        return None

    @property
    def expires(self) -> float | None:
        """When the current token expires, by the clock; None if there is no token, or it does not expire."""
        current = self._in_use
        return current.expires if current is not None and math.isfinite(current.expires) else None

    def headers(self, url: str, timeout: float) -> Mapping[str, str]:
        """Return the headers that authorise a request to `url`.

        If a token must be fetched, this waits for at most `timeout` seconds, and never longer than 10 s.
        """
        current = self._in_use
        if current is not None and self._clock() < current.fresh_until:
            return current.headers
        return self._serve(url) or self._wait(url, min(timeout, FETCH_LIMIT_SECONDS))

    async def aheaders(self, url: str, timeout: float) -> Mapping[str, str]:  # noqa: ASYNC109 - as in headers()
        """Return the headers that authorise a request to `url`; tokens are fetched without blocking the event loop."""
        current = self._in_use
        if current is not None and self._clock() < current.fresh_until:
            return current.headers
        return self._serve(url) or await self._await(url, min(timeout, FETCH_LIMIT_SECONDS))

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Forget the token of these headers, which the endpoint refused with 401; a newer token is kept."""
        with self._state_lock:
            current = self._in_use
            if current is not None and current.headers["Authorization"] == headers.get("Authorization"):
                self._refused = current.headers["Authorization"]
                self._in_use = None

    def _serve(self, url: str) -> AuthHeaders | None:
        """Return the headers of the valid token; None if callers must wait for another one.

        Shortly before the token expires (`advisory_at`), the next one is fetched in the background.
        """
        current, now = self._in_use, self._clock()
        if current is None or now >= current.mandatory_at:
            return None
        if now >= current.advisory_at:
            self._fetching.join(lambda: self._renew(url), self._is_wanted)
            return current.headers
        return self._settle(current, now)

    def _settle(self, current: _TokenInUse, now: float) -> AuthHeaders:
        """Return the headers, with those that were added after the fetch."""
        headers = self._applied() or current.headers
        if now >= current.settled_at or BOUNDARY_HEADER in headers:
            with self._state_lock:
                if self._in_use is current:
                    self._in_use = replace(current, headers=headers, fresh_until=current.advisory_at)
        return headers

    def _is_wanted(self) -> bool:
        current = self._in_use
        return current is None or self._clock() >= current.advisory_at

    def _is_due(self) -> bool:
        current = self._in_use
        return current is None or self._clock() >= current.mandatory_at

    def _wait(self, url: str, seconds: float) -> AuthHeaders:
        deadline = time.monotonic() + seconds
        for _ in range(_MOST_LOST_FLIGHTS):
            flight = self._fetching.join(lambda: self._renew(url), self._is_due)
            try:
                if flight is not None:
                    return flight.result(max(0.0, deadline - time.monotonic()))
            except FlightLostError:
                # The fetch was lost with its thread or event loop: the next caller starts another.
                continue
            except Exception as error:  # noqa: BLE001 - raised again unless the old token serves
                return self._fall_back(error, seconds)
            # No fetch was due: another thread finished one after `_serve` looked.
            if current := self._in_use:
                return current.headers
        return self._fall_back(FlightLostError(), seconds)

    async def _await(self, url: str, seconds: float) -> AuthHeaders:
        deadline = time.monotonic() + seconds
        on_loop = self._renew_on_loop if self._fetches_on_loop else None
        for _ in range(_MOST_LOST_FLIGHTS):
            flight = self._fetching.join(lambda: self._renew(url), self._is_due, on_loop)
            try:
                if flight is not None:
                    return await flight.aresult(max(0.0, deadline - time.monotonic()))
            except FlightLostError:
                continue
            except Exception as error:  # noqa: BLE001 - raised again unless the old token serves
                return self._fall_back(error, seconds)
            if current := self._in_use:
                return current.headers
        return self._fall_back(FlightLostError(), seconds)

    def _fall_back(self, error: Exception, seconds: float) -> AuthHeaders:
        """Return the current token if it has not expired, else raise; an error of other code is always raised."""
        if interruption_in(error) is not None:
            raise error
        current = self._in_use
        if current is not None and self._clock() < current.expires:
            return current.headers
        raise self._explain(error, seconds) from None

    def _renew(self, url: str) -> AuthHeaders:
        """Fetch a token, use it from now on, and return its headers."""
        began, refused = self._clock(), self._refused
        try:
            token = self._fetch(url, refused)
            if token.headers["Authorization"] == self._refused != refused:
                # The endpoint refused this token during the fetch.
                token = self._fetch(url, self._refused)
        except BaseException as error:  # noqa: BLE001 - explained below
            failure = self._explained(error)
        else:
            return self._keep(token, began)
        # Outside the handler, so that the cause, which may hold a key, is not chained.
        self._postpone()
        raise failure

    async def _renew_on_loop(self) -> AuthHeaders:
        began = self._clock()
        try:
            token = await self._fetch_on_loop()
        except GeneratorExit:
            raise  # the loop is gone
        except BaseException as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            failure = self._explained(error)
        else:
            return self._keep(token, began)
        self._postpone()
        raise failure

    def _keep(self, token: Token, began: float) -> AuthHeaders:
        # A callable that returns no expiry is called each time; its token is not stored.
        if not token.life_seconds:
            return token.headers
        current = _take_into_use(token, began)
        with self._state_lock:
            previous = self._in_use
            if previous and previous.headers["Authorization"] == current.headers["Authorization"]:
                current = _as_before(current, previous, began)
            self._in_use = current
            self._refused = None
        return current.headers

    def _postpone(self) -> None:
        with self._state_lock:
            if self._in_use is not None:
                self._in_use = _postpone(self._in_use, self._clock())

    def _after_fork(self) -> bool:
        """Reset threads and locks, which the child does not have; return whether the parent was fetching a token."""
        self._state_lock = threading.Lock()
        return self._fetching.reset()


_LIVING: weakref.WeakSet[RefreshingSource] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for source in list(_LIVING):
        source._after_fork()  # noqa: SLF001 - this module's own class


run_in_forked_child(_after_fork_in_child)
