"""Waiting and measuring beside other programs, which may stop this one for seconds at any place."""

import time
from collections.abc import Awaitable, Callable

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
