"""The requests that are being answered, and the end of taking new ones."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.02


class Running:
    """Counts the requests under way, in one event loop.

    Attributes:
        is_draining: Whether no new ones are taken.
    """

    def __init__(self) -> None:
        self.is_draining = False
        self._count = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request as long as the block runs."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    async def drained(self, seconds: float, unsent: Callable[[], int], hurry: Callable[[], bool]) -> bool:
        """Take no new requests and wait for the end of those under way; gives whether all have ended.

        Args:
            seconds: How long to wait at most.
            unsent: How many bytes of answers have not left yet.
            hurry: Whether to wait no longer.
        """
        self.is_draining = True
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._count or unsent():
            if loop.time() >= end or hurry():
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True
