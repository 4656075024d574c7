"""Counts running requests, for a graceful shutdown."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.02


class Running:
    """Counts the running requests of one event loop.

    Attributes:
        is_draining: Whether new requests are refused.
    """

    def __init__(self) -> None:
        self.is_draining = False
        self._count = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request while the block runs."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    async def drained(self, seconds: float, unsent: Callable[[], int], hurry: Callable[[], bool]) -> bool:
        """Refuse new requests and wait for the running ones; returns whether all have ended.

        Args:
            seconds: Longest wait.
            unsent: Returns the number of bytes of answers not sent yet.
            hurry: Returns True to stop waiting.
        """
        self.is_draining = True
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._count or unsent():
            if loop.time() >= end or hurry():
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True
