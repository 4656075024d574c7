"""Waiting for the signal that ends a server command."""

import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """Records a signal by which the user or the system asks the process to end.

    Not a `threading.Event`: a signal that arrives as the wait begins, or in another thread, would not wake the main
    thread; and a handler that sets the event may wait for a lock that the interrupted thread holds.

    Attributes:
        number: The first signal received; None until then.
        is_repeated: Whether another one was received.
    """

    def __init__(self, woken: socket.socket) -> None:
        """`woken` is a socket that receives a byte with each signal."""
        self.number: int | None = None
        self.is_repeated = False
        self._woken = woken

    def receive(self, number: int, _: FrameType | None = None) -> None:
        """Record a signal; a handler for `signal.signal`."""
        self.is_repeated = self.number is not None
        self.number = self.number or number

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds (None: without limit) for a signal; returns whether one was received."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.number is None:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._woken], [], [], left)[0]:
                break
            self._woken.recv(64)
        return self.number is not None


@contextmanager
def stop_signal() -> Iterator[StopSignal]:
    """Record SIGINT and SIGTERM instead of ending the process; only for the main thread."""
    woken, waker = socket.socketpair()
    with woken, waker:
        waker.setblocking(False)
        stopped = StopSignal(woken)
        wakeup = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, stopped.receive) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield stopped
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
