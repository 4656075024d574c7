"""Counts the requests of a piece of code where they are sent."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Body = Mapping[str, Any]


class Tally:
    """The requests of one piece of code, including threads and tasks that inherit its context."""

    def __init__(self) -> None:
        """Start at zero."""
        self._bodies: list[Body | None] = []

    @property
    def requests(self) -> int:
        """Number of requests that were sent, or that failed while being sent."""
        return len(self._bodies)

    @property
    def first_body(self) -> Body | None:
        """The first request's body; None if nothing was sent."""
        return self._bodies[0] if self._bodies else None

    def add(self, body: Callable[[], Body | None]) -> None:
        """Count a request; only the body of the first one is built and stored."""
        # Appending is atomic, so several threads can count at the same time.
        self._bodies.append(None if self._bodies else body())


_TALLY: ContextVar[Tally | None] = ContextVar("vertex_compat_tally", default=None)


@contextmanager
def counted() -> Iterator[Tally]:
    """Count the requests that are sent inside the block."""
    tally = Tally()
    token = _TALLY.set(tally)
    try:
        yield tally
    finally:
        _TALLY.reset(token)


def count_request(body: Callable[[], Body | None]) -> None:
    """Count a request, if any code is counting; otherwise do nothing."""
    tally = _TALLY.get()
    if tally is not None:
        tally.add(body)
