"""Whether the main thread waits: what comes then, such as a signal, meets no step that it has yet to do."""

import sys
import threading
import time

from tests.support.busy_machine import LONG_SECONDS

WAITING = {"select", "read", "recv", "wait"}
"""Functions in which libraries wait: for a socket, or for a lock."""


def wait_for_main_thread(seconds: float = 0.03) -> None:
    """Return when it has waited at one place for so long, and so has done what it was to do before."""
    main, ends = threading.main_thread().ident or 0, time.monotonic() + LONG_SECONDS
    before = None
    while time.monotonic() < ends:
        now = sys._current_frames()[main]
        if now is before and now.f_code.co_name in WAITING:
            return
        before = now
        time.sleep(seconds)
