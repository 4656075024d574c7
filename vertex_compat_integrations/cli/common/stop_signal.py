"""Until when a command serves."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal(threading.Event):
    """Set when the user or the system asks the process to end.

    Attributes:
        number: The first signal that did; None until then.
        is_repeated: Whether another one came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.number: int | None = None
        self.is_repeated = False

    def receive(self, number: int, _: FrameType | None = None) -> None:
        """Note a signal; what `signal.signal` takes."""
        self.is_repeated = self.number is not None
        self.number = self.number or number
        self.set()


@contextmanager
def stop_signal() -> Iterator[StopSignal]:
    """An event that is set when the user or the system asks the process to end."""
    stopped = StopSignal()
    before = {number: signal.signal(number, stopped.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
