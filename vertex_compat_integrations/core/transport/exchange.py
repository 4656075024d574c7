"""One synchronous request and the end of it, which may come where the garbage collector runs, or in a forked child.

The collector runs the clean-up of a generator at any allocation, also where the same thread holds a lock of the pool or
of httpcore under it: taken again there, it blocks for ever. So a thread counts how deep it is inside such code; an
exchange that is left meanwhile waits in a queue until the thread is outside. An open exchange is also referred to from
here, so that the generators of the libraries, which take locks in their clean-up, are never collected by themselves.

In a forked child, the open exchanges are its parent's: their sockets are closed there, and no lock is touched.
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
    """A thread.

    Attributes:
        depth: How deep it is inside code that holds locks. It is counted up and down without a call between that and
            the `try` beside it, so that no signal's handler can come between.
    """

    depth = 0


THREAD = _Thread()
_MOST_ATTEMPTS = 3
_OPEN: set["Exchange"] = set()
_LOST: list["Exchange"] = []


class Exchange:
    """One request under way.

    Attributes:
        deadline: The time that it may take.
        shared: What it borrowed, counted in `busy`; None before and after.
        reading: The answer's body, block by block.
        is_lost: Whether it belongs to the process that this one was forked from.
    """

    def __init__(self, seconds: float, lock: threading.Lock, on_end: Callable[[], None]) -> None:
        """`lock` guards the count of `shared`; `on_end` is called when the connection was let go."""
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
        """The answer's head is there."""
        self._response = stream.response
        self.deadline.begin(self._response)
        self.reading = iter(stream)

    def interrupt(self, on_end: Callable[[], None]) -> None:
        """An exception of others may have left a lock of httpcore locked: another thread ends the exchange."""
        self._is_interrupted = True
        self._on_end = on_end

    def leave(self) -> None:
        """End the exchange now, or when this thread is outside of code that holds locks."""
        if self._process != os.getpid():
            # Referred to for good: the libraries' clean-up would take locks that a thread of the parent may hold.
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
                # Somebody's exception came between: what remains is done by the next call.
                LEFT.append(self)
            THREAD.depth -= 1
        _OPEN.discard(self)
        self._on_end()

    def lose(self) -> None:
        """Close the child's copy of the socket, so that it neither reads its parent's answer nor keeps it open."""
        self.is_lost = True
        # Streams of a user's own transport may raise anything.
        with suppress(Exception):
            self._response.extensions["network_stream"].get_extra_info("socket").close()


LEFT: deque[Exchange] = deque()
"""Exchanges that were left where they could not be ended."""


def end_left() -> None:
    """End what was left; called where this thread holds no lock."""
    for _ in range(len(LEFT)):
        # Another thread may be as fast; and what fails to close was the failure of nobody who is here.
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
