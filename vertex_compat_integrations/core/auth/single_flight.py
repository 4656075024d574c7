"""One run of some work for all waiting threads and tasks of any event loop; it never blocks an event loop."""

import asyncio
import concurrent.futures
import contextlib
import copy
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vertex_compat_integrations.core.interruptions import is_from_signal

FETCH_LIMIT_SECONDS = 10.0
"""Longest wait for a token, whatever the call's own timeout is."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Failure:
    """The failure of a flight. A value, since each waiter raises its own copy."""

    error: BaseException


class FlightLostError(Exception):
    """The event loop that ran the flight is gone; a waiter has to start another flight."""


class Flight(Generic[Result]):
    """One run of some work, for any number of waiters.

    Attributes:
        overdue_at: When the flight is abandoned, by the monotonic clock.
        task: The task that runs it, if it runs on an event loop.
        interruption: An exception that a signal handler raised in the task; one of the waiting tasks gets it, not all.
    """

    def __init__(self) -> None:
        self.overdue_at = time.monotonic() + FETCH_LIMIT_SECONDS
        self.task: asyncio.Task[None] | None = None
        self.interruption: BaseException | None = None
        self._future: concurrent.futures.Future[Result | _Failure] = concurrent.futures.Future()
        self._waiters: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}

    @property
    def has_landed(self) -> bool:
        """Whether the flight is over."""
        return self._future.done()

    def land(self, outcome: Result | _Failure) -> None:
        """Set the outcome and release the waiters."""
        self._future.set_result(outcome)
        self.wake()

    def wake(self) -> None:
        """Wake the waiters on event loops."""
        for loop, waiters in list(self._waiters.items()):
            _wake(loop, waiters)

    def result(self, seconds: float) -> Result:
        """Wait for the result of the work.

        Raises:
            TimeoutError: There was no result in this time.
        """
        return _unwrap(self._future.result(seconds))

    async def aresult(self, seconds: float) -> Result:
        """Wait for the result of the work; cancelling one waiter does not affect the others.

        Raises:
            TimeoutError: There was no result in this time.
        """
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        timer = loop.call_later(seconds, _release, [waiter])
        try:
            self._await_landing(loop, waiter)
            await waiter
        finally:
            timer.cancel()
        interruption, self.interruption = self.interruption, None
        if interruption is not None:
            raise interruption
        return self.result(0)

    def _await_landing(self, loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[None]") -> None:
        """Add a waiter on a loop; landing wakes all waiters of a loop with one call."""
        waiters = self._waiters.setdefault(loop, [])
        waiters.append(waiter)
        if self.has_landed:
            # The wake-up may already be over.
            _wake(loop, waiters)


def _wake(loop: asyncio.AbstractEventLoop, waiters: "list[asyncio.Future[None]]") -> None:
    # A closed loop has no waiters.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_release, waiters)


def _release(waiters: "list[asyncio.Future[None]]") -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def _unwrap(outcome: Result | _Failure) -> Result:
    """Return the result of a flight; a failure is raised as a copy, since many waiters raise it at once."""
    if isinstance(outcome, _Failure):
        raise copy.copy(outcome.error) from None
    return outcome


class SingleFlight(Generic[Result]):
    """Runs work in a separate thread (or task), one run at a time, and gives the result to all waiters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flight: Flight[Result] | None = None

    def reset(self) -> bool:
        """Forget the flight, whose thread and lock do not exist in a forked child; return whether there was one."""
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
        """Return the current flight, or start one if work is due; None if it is not.

        A flight that hangs is abandoned and replaced. `on_loop`, if passed, is run instead of `work`, as a task of this
        loop.
        """
        begun = Flight[Result]()
        try:
            with self._lock:
                flight = self._flight
                if flight is not None and time.monotonic() < flight.overdue_at:
                    return flight
                if not is_due():
                    return None
                self._flight = begun
            self._start(begun, work, on_loop)
        except BaseException:
            # An exception of a signal handler, for example: no caller must wait for a flight that never began.
            self._land(begun, _Failure(FlightLostError()))
            raise
        return begun

    def _start(
        self,
        flight: Flight[Result],
        work: Callable[[], Result],
        on_loop: Callable[[], Coroutine[Any, Any, Result]] | None,
    ) -> None:
        """Start the work, in a task or a thread."""
        if on_loop is not None:
            flight.task = asyncio.get_running_loop().create_task(self._carry(flight, on_loop))
            flight.task.add_done_callback(lambda task: self._end(flight, task))
            return
        try:
            threading.Thread(target=self._fly, args=(flight, work), name="vertex-compat-token", daemon=True).start()
        except RuntimeError as error:
            # No thread can be started during the interpreter's shutdown.
            self._land(flight, _Failure(error))

    def _fly(self, flight: Flight[Result], work: Callable[[], Result]) -> None:
        outcome: Result | _Failure
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 - however the work ends, its waiters must be released
            outcome = _Failure(error)
        self._land(flight, outcome)

    async def _carry(self, flight: Flight[Result], work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        outcome: Result | _Failure
        try:
            outcome = await work()
        except (asyncio.CancelledError, GeneratorExit):
            # The loop ends, or all its tasks are cancelled: `_end` then sets the outcome.
            raise
        except BaseException as error:
            if is_from_signal(error):
                raise  # as above
            outcome = _Failure(error)
        self._land(flight, outcome)

    def _end(self, flight: Flight[Result], task: "asyncio.Task[None]") -> None:
        """End the flight with its task; waiters without a result fetch again, except after a signal handler's error."""
        error = None if task.cancelled() else task.exception()
        if error is not None and is_from_signal(error):
            flight.interruption = error
        self._land(flight, _Failure(FlightLostError()))
        flight.wake()

    def _land(self, flight: Flight[Result], outcome: Result | _Failure) -> None:
        with self._lock:
            if flight.has_landed:
                return
            if self._flight is flight:
                self._flight = None
            flight.land(outcome)
