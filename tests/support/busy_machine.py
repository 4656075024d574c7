"""Waiting and measuring beside other programs, which may stop this one for seconds at any place."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

LONG_SECONDS = 60.0
"""How long a condition is waited for that a busy machine brings late, and a fault never."""


def eventually(is_true: Callable[[], object], seconds: float = LONG_SECONDS) -> bool:
    """Whether it comes to hold; a quick machine does not wait."""
    ends = time.monotonic() + seconds
    while not is_true() and time.monotonic() < ends:
        time.sleep(0.01)
    return bool(is_true())


def calmest(measure: Callable[[], float], bound: float, tries: int = 20) -> float:
    """The least of so many measures: a busy machine spoils some, a fault all. The first below the bound is enough."""
    least = measure()
    for _ in range(tries - 1):
        if least < bound:
            break
        least = min(least, measure())
    return least


async def acalmest(measure: Callable[[], Awaitable[float]], bound: float, tries: int = 20) -> float:
    """The same of what is awaited."""
    least = await measure()
    for _ in range(tries - 1):
        if least < bound:
            break
        least = min(least, await measure())
    return least


class WorkBesideLoop:
    """Long work that ends once the event loop goes on beside it, and fails the test where it does not."""

    def __init__(self) -> None:
        self._has_begun, self._goes_on = threading.Event(), threading.Event()
        self._ends: list[bool] = []

    def __call__(self, *_: object) -> None:
        self._has_begun.set()
        self._ends.append(self._goes_on.wait(30))

    async def ends_within(self, caller: Coroutine[Any, Any, Any]) -> Any:
        """What the caller of the work returns."""
        task = asyncio.create_task(caller)
        while not (self._has_begun.is_set() or task.done()):  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)
        self._goes_on.set()
        result = await task
        assert self._ends == [True], "the event loop stood still, or there was no work"
        return result
