"""Work is counted, not timed: what runs is the same on a machine that stands still for a second."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, Self

import vertex_compat_integrations

OURS = str(Path(vertex_compat_integrations.__file__).parent)


class _Counter:
    """Counts how often functions of the files under a folder are entered, while it is the thread's profiler."""

    def __init__(self, under: str) -> None:
        self.entered = 0
        self._under = under

    def __enter__(self) -> Self:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        self.entered += event == "call" and frame.f_code.co_filename.startswith(self._under)


def functions_called(work: Callable[[], object], *, under: str = OURS) -> int:
    """How often functions of the files under a folder are entered; a generator counts each time that it continues.

    The counter's own exit is one of them where `under` is empty.
    """
    with _Counter(under) as counter:
        work()
    return counter.entered


async def functions_entered(work: Callable[[], Awaitable[object]], *, under: str = "") -> int:
    """Like `functions_called`, of asynchronous work; the event loop's own functions count, too."""
    with _Counter(under) as counter:
        await work()
    return counter.entered


def lines_run(work: Callable[[], object], *, under: str = OURS) -> int:
    """How many lines of the files under a folder are run, each as often as it is: a loop in a loop shows."""
    lines = 0

    def note(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(under):
            return None
        lines += event == "line"
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines
