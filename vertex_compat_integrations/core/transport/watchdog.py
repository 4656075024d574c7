"""Ends synchronous reads at their deadline: each read can have a timeout, but not a body that arrives endlessly slowly.

One thread serves a process; the first read starts it, and later ones restart it if it is gone. On an event loop, the
loop itself applies the deadline.

Nothing here waits for a lock that another thread or the garbage collector may need: reads are passed on in a queue.
"""

import heapq
import math
import threading
import time
from _socket import socket as plain_socket  # not the replacement of gevent or eventlet
from collections import deque
from contextlib import suppress
from itertools import count
from os import dup
from socket import SHUT_RDWR
from typing import Any

from vertex_compat_integrations.core.errors import ConnectionFailedError

_MOST_INCOMING = 64
"""Number of deadlines that wait before the thread checks them; most are over by then."""


class Deadline:
    """The time that one read may take.

    Attributes:
        ends: When it is over, by the monotonic clock.
        has_expired: Whether its time is over, and its connection was shut down.
        is_released: Whether the read is over.
    """

    def __init__(self, seconds: float) -> None:
        """Start the time; the read begins later."""
        self._response: Any = None
        self.ends = time.monotonic() + seconds
        self.has_expired = False
        self.is_released = False

    def begin(self, response: object) -> None:
        """Record that the read of this HTTP response begins."""
        self._response = response
        if time.monotonic() >= self.ends:
            self.expire()

    def expire(self) -> None:
        """Shut the connection down, so that the read ends; without a known connection, only its own timeouts apply."""
        response = self._response
        if response is not None:
            self.has_expired = True
            # Streams of a user's own transport may raise any exception.
            with suppress(Exception):
                _shut_down(response.extensions.get("network_stream"))

    def release(self) -> None:
        """Record that the read is over."""
        self._response = None
        self.is_released = True


def _shut_down(stream: Any) -> None:
    connection = stream.get_extra_info("socket") if stream is not None else None
    if connection is None:
        return
    with suppress(OSError):  # it is already closed
        if isinstance(connection, plain_socket):
            # Not with an SSL socket's own method: it would remove the TLS state while the other thread is reading.
            plain_socket.shutdown(connection, SHUT_RDWR)
        elif (number := connection.fileno()) >= 0:
            # gevent's and eventlet's own methods work only in the thread of their hub.
            same = plain_socket(fileno=dup(number))
            try:
                same.shutdown(SHUT_RDWR)
            finally:
                same.close()


class DeadlineThread:
    """Applies the deadlines of synchronous reads."""

    def __init__(self) -> None:
        """Start without a thread."""
        self._incoming: deque[Deadline] = deque()
        self._deadlines: list[tuple[float, int, Deadline]] = []
        self._numbers = count()
        self._purge_at = _MOST_INCOMING
        self._sleeps_until = math.inf
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        # This lock is a signal: the thread waits for its release.
        self._bell = threading.Lock()
        self._bell.acquire()

    def watch(self, deadline: Deadline) -> None:
        """Expire the deadline at its time, unless it is released before.

        Raises:
            ConnectionFailedError: The system cannot start another thread for this process.
        """
        self._incoming.append(deadline)
        if self._thread is None or not self._thread.is_alive():
            self._start()
        elif deadline.ends < self._sleeps_until or len(self._incoming) > _MOST_INCOMING:
            self._ring()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                return
            thread = threading.Thread(target=self._run, name="vertex-compat-watchdog", daemon=True)
            self._thread = thread
            try:
                thread.start()
            except RuntimeError as error:
                # At the interpreter's shutdown no thread can be started; the deadline is checked after each block
                # instead.
                is_shortage = "shutdown" not in str(error)
            else:
                return
        if is_shortage:
            raise ConnectionFailedError(
                "No thread could be started to enforce the call's deadline; nothing was sent.",
                hint="The system gives this process no more threads: see `ulimit -u`, or the container's pids limit.",
            )

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it is already released
            self._bell.release()

    def _run(self) -> None:
        me = threading.current_thread()
        while self._thread is me:
            self._take_in()
            while self._deadlines and self._deadlines[0][0] <= time.monotonic():
                heapq.heappop(self._deadlines)[2].expire()
            self._sleeps_until = self._deadlines[0][0] if self._deadlines else math.inf
            # Check once more after setting when this thread wakes up: later callers ring.
            if not self._incoming:
                seconds = max(0.0, self._sleeps_until - time.monotonic())
                self._bell.acquire(timeout=min(seconds, threading.TIMEOUT_MAX))

    def _take_in(self) -> None:
        """Take over new deadlines, and drop those of finished reads when they may be the majority."""
        while self._incoming:
            deadline = self._incoming.popleft()
            if not deadline.is_released:
                heapq.heappush(self._deadlines, (deadline.ends, next(self._numbers), deadline))
        if len(self._deadlines) > self._purge_at:
            self._deadlines = [entry for entry in self._deadlines if not entry[2].is_released]
            heapq.heapify(self._deadlines)
            self._purge_at = max(_MOST_INCOMING, 2 * len(self._deadlines))
