"""One synchronous request and its end, which may happen during garbage collection, or in a forked child.

The garbage collector can run a generator's clean-up at any allocation, even while the same thread holds a lock of the
pool or of httpcore: taking the lock again would block forever. So each thread counts how deeply it is inside such code,
and an exchange that is left there waits in a queue until the thread is outside. This module also refers to all open
exchanges, so that the generators of the libraries, which take locks in their clean-up, are never collected alone.

In a forked child, the open exchanges belong to the parent: the child closes its copies of their sockets, and touches no
lock.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from vertex_compat_integrations.core.forking import run_in_forked_child
from vertex_compat_integrations.core.transport.watchdog import Deadline


class _Thread(threading.local):
    """The state of a thread.

    Attributes:
        depth: How deeply it is inside code that holds locks. There is no call between changing the count and the `try`
            next to it, so that no signal handler can run between them.
    """

    depth = 0


THREAD = _Thread()
_MOST_ATTEMPTS = 3
_OPEN: set["Exchange"] = set()
_LOST: list["Exchange"] = []


class Exchange:
    """One request in progress.

    Attributes:
        deadline: The time that it may take.
        shared: The client that it borrowed, counted in `busy`; None before and after.
        reading: The answer's body, block by block.
        is_lost: Whether it belongs to the parent process of this forked one.
    """

    def __init__(self, seconds: float, lock: threading.Lock, on_end: Callable[[], None]) -> None:
        """Begin an exchange; `lock` guards the count of `shared`; `on_end` runs when the connection is released."""
        self.deadline = Deadline(seconds)
        self.shared: Any = None
        self.reading: Iterator[bytes] | None = None
        self.is_lost = False
        self._lock = lock
        self._on_end = on_end
        self._response: Any = None
        self._process = os.getpid()
        self._attempts = 0
        self._is_interrupted = False
        _OPEN.add(self)

    def begin(self, stream: Any) -> None:
        """Take the stream, once the answer's headers have arrived."""
        self._response = stream.response
        self.deadline.begin(self._response)
        self.reading = iter(stream)

    def interrupt(self, on_end: Callable[[], None]) -> None:
        """Let another thread end the exchange: another code's exception may have left a lock of httpcore locked."""
        self._is_interrupted = True
        self._on_end = on_end

    def leave(self) -> None:
        """End the exchange now, or when this thread is outside of code that holds locks."""
        if self._process != os.getpid():
            # Never released: the libraries' clean-up would take locks that a thread of the parent may hold.
            _LOST.append(self)
        elif self._is_interrupted:
            try:
                threading.Thread(target=self._end, name="vertex-compat-closer", daemon=True).start()
            except RuntimeError:
                _LOST.append(self)
        elif THREAD.depth:
            LEFT.append(self)
        else:
            self._end()

    def _end(self) -> None:
        is_over = False
        self._attempts += 1
        THREAD.depth += 1
        try:
            self.deadline.release()
            with self._lock:
                if self.shared is not None:
                    self.shared.busy -= 1
                    self.shared = None
            self.reading = None
            if self._response is not None:
                self._response.close()
            is_over = True
        finally:
            if not is_over and self._attempts < _MOST_ATTEMPTS:
                # An exception of other code interrupted this: the next call does the rest.
                LEFT.append(self)
            THREAD.depth -= 1
        _OPEN.discard(self)
        self._on_end()

    def lose(self) -> None:
        """Close the child's copy of the socket, so that it neither reads the parent's answer nor keeps it open."""
        self.is_lost = True
        # Streams of a user's own transport may raise any exception.
        with suppress(Exception):
            self._response.extensions["network_stream"].get_extra_info("socket").close()


LEFT: deque[Exchange] = deque()
"""Exchanges that were left where they could not be ended."""


def end_left() -> None:
    """End the exchanges in the queue; called where this thread holds no lock."""
    for _ in range(len(LEFT)):
        # Another thread may empty the queue first; and an error in closing concerns no current caller.
        with suppress(Exception):
            LEFT.popleft()._end()  # noqa: SLF001 - this module's own class


def _lose_all() -> None:
    _LOST.extend(_OPEN)
    for exchange in _LOST:
        exchange.lose()
    _OPEN.clear()
    LEFT.clear()
    THREAD.depth = 0


run_in_forked_child(_lose_all)
