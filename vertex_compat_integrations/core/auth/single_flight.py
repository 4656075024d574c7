"""One run of some work for all who wait for it, threads and tasks of any event loop; never on an event loop."""

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
"""Nobody waits longer for a token, whatever the call's own timeout is."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Failure:
    """How a flight ended, if not well. A value, since each waiter raises a copy of its own."""

    error: BaseException


class FlightLostError(Exception):
    """The event loop that carried the flight is gone; somebody has to start another."""


class Flight(Generic[Result]):
    """One run of some work, for however many wait.

    Attributes:
        overdue_at: When it is left to itself, by the monotonic clock.
        task: What carries it, if that is an event loop.
        interruption: What a signal's handler raised in the task; it is for one of the tasks that wait, not for all.
    """

    def __init__(self) -> None:
        self.overdue_at = time.monotonic() + FETCH_LIMIT_SECONDS
        self.task: asyncio.Task[None] | None = None
        self.interruption: BaseException | None = None
        self._future: concurrent.futures.Future[Result | _Failure] = concurrent.futures.Future()
        self._waiters: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}

    @property
    def has_landed(self) -> bool:
        """Whether it is over."""
        return self._future.done()

    def land(self, outcome: Result | _Failure) -> None:
        """Release who waits."""
        self._future.set_result(outcome)
        self.wake()

    def wake(self) -> None:
        """Wake up who waits on an event loop."""
        for loop, waiters in list(self._waiters.items()):
            _wake(loop, waiters)

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
            self._await_landing(loop, waiter)
            await waiter
        finally:
            timer.cancel()
        interruption, self.interruption = self.interruption, None
        if interruption is not None:
            raise interruption
        return self.result(0)

    def _await_landing(self, loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[None]") -> None:
        """Add who waits in a loop; landing wakes up those of a loop at once, however many they are."""
        waiters = self._waiters.setdefault(loop, [])
        waiters.append(waiter)
        if self.has_landed:
            # Its wake-up may be over.
            _wake(loop, waiters)


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
            # What a signal's handler raised, for one: nobody shall wait for a flight that never began.
            self._land(begun, _Failure(FlightLostError()))
            raise
        return begun

    def _start(
        self,
        flight: Flight[Result],
        work: Callable[[], Result],
        on_loop: Callable[[], Coroutine[Any, Any, Result]] | None,
    ) -> None:
        """Begin the work, in a task or a thread."""
        if on_loop is not None:
            flight.task = asyncio.get_running_loop().create_task(self._carry(flight, on_loop))
            flight.task.add_done_callback(lambda task: self._end(flight, task))
            return
        try:
            threading.Thread(target=self._fly, args=(flight, work), name="vertex-compat-token", daemon=True).start()
        except RuntimeError as error:
            # No thread can be started while the interpreter shuts down.
            self._land(flight, _Failure(error))

    def _fly(self, flight: Flight[Result], work: Callable[[], Result]) -> None:
        outcome: Result | _Failure
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 - whatever ends the work, its waiters are released and told
            outcome = _Failure(error)
        self._land(flight, outcome)

    async def _carry(self, flight: Flight[Result], work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        outcome: Result | _Failure
        try:
            outcome = await work()
        except (asyncio.CancelledError, GeneratorExit):
            # The loop ends, or somebody cancels all its tasks: `_end` says what then lands.
            raise
        except BaseException as error:
            if is_from_signal(error):
                raise  # as above
            outcome = _Failure(error)
        self._land(flight, outcome)

    def _end(self, flight: Flight[Result], task: "asyncio.Task[None]") -> None:
        """The task is over; who waits and got nothing fetches anew, unless a signal's handler raised in the task."""
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
