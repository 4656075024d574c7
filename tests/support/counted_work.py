"""Work is counted, not timed: what runs is the same on a machine that stands still for a second."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import vertex_compat_integrations

OURS = str(Path(vertex_compat_integrations.__file__).parent)


def functions_called(work: Callable[[], object], *, under: str = OURS) -> int:
    """How often functions of the files under a folder are entered; a generator counts each time that it goes on."""
    entered = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal entered
        entered += event == "call" and frame.f_code.co_filename.startswith(under)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return entered


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
