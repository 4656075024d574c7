"""Ends reads whose time is over: a read can be timed one by one, a body that drips for ever cannot.

One thread serves all synchronous reads of a process; it is started by the first and waits for the nearest deadline.
On an event loop the loop itself keeps the time.
"""

import asyncio
import heapq
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any


class Deadline:
    """The time that one read may take.

    Attributes:
        has_expired: Whether its time is over, and its connection was shut down.
    """

    def __init__(self) -> None:
        """No read yet."""
        self._response: Any = None
        self._closing: asyncio.Task[None] | None = None
        self.has_expired = False

    def begin(self, response: object) -> None:
        """The read of this HTTP response begins."""
        self._response = response

    def expire(self) -> None:
        """Shut the connection down, so that the read ends; a response that shows none is left to its own timeouts."""
        response = self._response
        if response is not None:
            self.has_expired = True
            stream = response.extensions.get("network_stream")
            if stream is not None:
                _shut_down(stream)

    def expire_on_loop(self) -> None:
        """Like `expire`; a response that shows no connection, such as aiohttp's, is closed."""
        self.expire()
        response = self._response
        if response is not None and "network_stream" not in response.extensions:
            self._closing = asyncio.get_running_loop().create_task(_close(response))

    def release(self) -> None:
        """The read is over."""
        self._response = None

    @property
    def is_released(self) -> bool:
        """Whether the read is over."""
        return self._response is None


async def _close(response: Any) -> None:
    # Closing ends the read; a second error from here would only be logged by the loop as never retrieved.
    with suppress(Exception):
        await response.aclose()


def _shut_down(stream: Any) -> None:
    connection = stream.get_extra_info("socket")
    if connection is None:
        return
    try:
        if isinstance(connection, socket.socket):
            # Not through an SSL socket's own method: it would take the TLS state away under the reading thread.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        else:
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It is closed already.
        return


class DeadlineThread:
    """Keeps the time of synchronous reads."""

    def __init__(self) -> None:
        """No thread yet."""
        self._changed = threading.Condition()
        self._deadlines: list[tuple[float, int, Deadline]] = []
        self._numbers = count()
        self._released = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def enforce(self, deadline: Deadline, response: Any, seconds: float) -> Iterator[None]:
        """Inside, the response's connection is shut down when the seconds are over."""
        deadline.begin(response)
        with self._changed:
            heapq.heappush(self._deadlines, (time.monotonic() + seconds, next(self._numbers), deadline))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="vertex-compat-watchdog", daemon=True)
                self._thread.start()
            elif self._deadlines[0][2] is deadline:
                self._changed.notify()
        try:
            yield
        finally:
            deadline.release()
            self._forget()

    def _forget(self) -> None:
        """Drop the deadlines of reads that are over, once they are the greater part."""
        with self._changed:
            self._released += 1
            if self._released > max(64, len(self._deadlines) // 2):
                self._deadlines = [entry for entry in self._deadlines if not entry[2].is_released]
                heapq.heapify(self._deadlines)
                self._released = 0

    def _run(self) -> None:
        while True:
            with self._changed:
                due = self._next_due()
            due.expire()

    def _next_due(self) -> Deadline:
        while True:
            while self._deadlines and self._deadlines[0][0] <= time.monotonic():
                return heapq.heappop(self._deadlines)[2]
            seconds = self._deadlines[0][0] - time.monotonic() if self._deadlines else threading.TIMEOUT_MAX
            self._changed.wait(min(seconds, threading.TIMEOUT_MAX))


@contextmanager
def enforce_on_loop(deadline: Deadline, response: object, seconds: float) -> Iterator[None]:
    """Like `DeadlineThread.enforce`, on the running event loop."""
    deadline.begin(response)
    timer = asyncio.get_running_loop().call_later(seconds, deadline.expire_on_loop)
    try:
        yield
    finally:
        timer.cancel()
        deadline.release()
