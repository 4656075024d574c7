"""Tokens that stay fresh: when to fetch the next one, once for all who wait, never on an event loop.

A token has two windows. In the advisory window, up to 225 seconds before expiry, callers get the token that they have
while one background thread fetches the next; a failure there is kept quiet and tried again later. In the mandatory
window, the last moments, everybody waits for the one fetch. Tokens of a few seconds get the same windows, scaled down.
"""

import asyncio
import concurrent.futures
import contextlib
import copy
import math
import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

FETCH_LIMIT_SECONDS = 10.0
"""Nobody waits longer for a token, whatever the call's own timeout is."""

ADVISORY_SECONDS = 225.0
"""google-auth's own threshold; a metadata server hands out the same token until four minutes before its expiry."""

MANDATORY_SECONDS = 30.0
BACKOFF_SECONDS = 5.0
SETTLING_SECONDS = 60.0
"""So long after a fetch, headers may still arrive from google-auth's background lookup."""

BOUNDARY_HEADER = "x-allowed-locations"

Result = TypeVar("Result")


class AuthHeaders(dict[str, str]):
    """Headers that authorise a request; values stay out of repr, and so out of tracebacks that show locals."""

    def __repr__(self) -> str:
        return f"<AuthHeaders {', '.join(self)}>"

    __str__ = __repr__


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


@dataclass(frozen=True, slots=True)
class _Failure:
    """How a flight ended, if not well. A value, since each waiter raises a copy of its own."""

    error: Exception


class FlightLostError(Exception):
    """The event loop that carried the flight is gone; somebody has to start another."""


class Flight(Generic[Result]):
    """One run of some work, for however many wait."""

    def __init__(self) -> None:
        self.overdue_at = time.monotonic() + FETCH_LIMIT_SECONDS
        self.task: asyncio.Task[None] | None = None
        self._future: concurrent.futures.Future[Result | _Failure] = concurrent.futures.Future()
        self._waiters: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}

    @property
    def has_landed(self) -> bool:
        """Whether it is over."""
        return self._future.done()

    def land(self, outcome: Result | _Failure) -> None:
        """Release who waits."""
        self._future.set_result(outcome)

    def result(self, seconds: float) -> Result:
        """What the work brought.

        Raises:
            TimeoutError: It brought nothing in this time.
        """
        return _unwrap(self._future.result(seconds))

    async def aresult(self, seconds: float) -> Result:
        """What the work brought; cancelling one waiter leaves the others alone.

        Raises:
            TimeoutError: It brought nothing in this time.
        """
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        timer = loop.call_later(seconds, _release, [waiter])
        try:
            self._waiters_of(loop).append(waiter)
            await waiter
        finally:
            timer.cancel()
        return self.result(0)

    def _waiters_of(self, loop: asyncio.AbstractEventLoop) -> "list[asyncio.Future[None]]":
        """Who waits in a loop, which landing wakes up once, however many they are."""
        waiters = self._waiters.get(loop)
        if waiters is None:
            waiters = self._waiters[loop] = []
            self._future.add_done_callback(lambda _: _wake(loop, waiters))
        elif self.has_landed:
            # Its wake-up may be over.
            _wake(loop, waiters)
        return waiters


def _wake(loop: asyncio.AbstractEventLoop, waiters: "list[asyncio.Future[None]]") -> None:
    # A loop that is closed by now has nobody waiting in it.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_release, waiters)


def _release(waiters: "list[asyncio.Future[None]]") -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def _unwrap(outcome: Result | _Failure) -> Result:
    """The result of a flight; a failure is raised as a copy, since many waiters raise it at once."""
    if isinstance(outcome, _Failure):
        raise copy.copy(outcome.error) from None
    return outcome


class SingleFlight(Generic[Result]):
    """Runs work in a thread of its own (or a task), one run at a time, and hands the result to all who wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flight: Flight[Result] | None = None

    def reset(self) -> bool:
        """Whether a flight was under way, which is forgotten: a forked child has neither its thread nor its lock."""
        was_busy = self._flight is not None
        self._lock = threading.Lock()
        self._flight = None
        return was_busy

    def join(
        self,
        work: Callable[[], Result],
        is_due: Callable[[], bool],
        on_loop: Callable[[], Coroutine[Any, Any, Result]] | None = None,
    ) -> Flight[Result] | None:
        """The flight under way, else a new one if it is due; None if it is not.

        A flight that hangs is left to itself and replaced. `on_loop`, if given, is what runs, as a task of this loop.
        """
        with self._lock:
            flight = self._flight
            if flight is not None and time.monotonic() < flight.overdue_at:
                return flight
            if not is_due():
                return None
            flight = self._flight = Flight()
        if on_loop is not None:
            flight.task = asyncio.get_running_loop().create_task(self._carry(flight, on_loop))
            flight.task.add_done_callback(lambda _: self._land(flight, _Failure(FlightLostError())))
            return flight
        try:
            threading.Thread(target=self._fly, args=(flight, work), name="vertex-compat-token", daemon=True).start()
        except RuntimeError as error:
            # No thread can be started while the interpreter shuts down.
            self._land(flight, _Failure(error))
        return flight

    def _fly(self, flight: Flight[Result], work: Callable[[], Result]) -> None:
        outcome: Result | _Failure
        try:
            outcome = work()
        except Exception as error:  # noqa: BLE001 - whatever ends the work, its waiters are released and told
            outcome = _Failure(error)
        self._land(flight, outcome)

    async def _carry(self, flight: Flight[Result], work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        outcome: Result | _Failure
        try:
            outcome = await work()
        except Exception as error:  # noqa: BLE001 - as in a thread
            outcome = _Failure(error)
        self._land(flight, outcome)

    def _land(self, flight: Flight[Result], outcome: Result | _Failure) -> None:
        with self._lock:
            if flight.has_landed:
                return
            if self._flight is flight:
                self._flight = None
            flight.land(outcome)


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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
