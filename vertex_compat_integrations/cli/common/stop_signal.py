"""Until when a command serves."""

import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """Whether the user or the system has asked the process to end.

    No `threading.Event`: a signal that comes as the wait begins, or that another thread receives, would not wake the
    main thread, and a handler that sets the event may wait for a lock that the thread under it has.

    Attributes:
        number: The first signal that came; None until then.
        is_repeated: Whether another one came.
    """

    def __init__(self, woken: socket.socket) -> None:
        """`woken`: what a byte arrives at with each signal."""
        self.number: int | None = None
        self.is_repeated = False
        self._woken = woken

    def receive(self, number: int, _: FrameType | None = None) -> None:
        """Note a signal; what `signal.signal` takes."""
        self.is_repeated = self.number is not None
        self.number = self.number or number

    def wait(self, timeout: float | None = None) -> bool:
        """Whether a signal has come, which is waited for as long as `timeout` (seconds) says; without it, for ever."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.number is None:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._woken], [], [], left)[0]:
                break
            self._woken.recv(64)
        return self.number is not None


@contextmanager
def stop_signal() -> Iterator[StopSignal]:
    """What is noted when the user or the system asks the process to end; for the main thread."""
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
