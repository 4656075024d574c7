"""How many requests the calls of a piece of code took, counted where they are sent."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Body = Mapping[str, Any]


class Tally:
    """The requests of one piece of code, its threads and tasks included that carry its context on."""

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self._bodies: list[Body | None] = []

    @property
    def requests(self) -> int:
        """Requests that were sent, or tried to be."""
        return len(self._bodies)

    @property
    def first_body(self) -> Body | None:
        """The first request's body; None if nothing was sent."""
        return self._bodies[0] if self._bodies else None

    def add(self, body: Callable[[], Body | None]) -> None:
        """Count a request; only the first one's body is asked for and kept."""
        # Appending is atomic, so threads of one answer may count at a time.
        self._bodies.append(None if self._bodies else body())


_TALLY: ContextVar[Tally | None] = ContextVar("vertex_compat_tally", default=None)


@contextmanager
def counted() -> Iterator[Tally]:
    """A tally of the requests that are sent inside."""
    tally = Tally()
    token = _TALLY.set(tally)
    try:
        yield tally
    finally:
        _TALLY.reset(token)


def count_request(body: Callable[[], Body | None]) -> None:
    """Tell whoever counts that a request goes out; where nobody counts, nothing happens."""
    tally = _TALLY.get()
    if tally is not None:
        tally.add(body)
