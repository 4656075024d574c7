"""What a fork waits for, and what a forked child process begins anew."""

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

_LONGEST_WAIT_SECONDS = 10.0
"""Then the child takes its chance, as it does beside threads of others."""


class _Uncut:
    """What no fork may cut: held by one thread at a time, and by a fork while it happens."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew in a child: whoever else held it is not in that process."""
        self.lock = threading.RLock()

    def before(self) -> None:
        self.lock.acquire(timeout=_LONGEST_WAIT_SECONDS)

    def after_in_parent(self) -> None:
        with suppress(RuntimeError):  # it was waited for in vain, and is another thread's
            self.lock.release()


_UNCUT = _Uncut()


def uncut_by_forks() -> AbstractContextManager[bool]:
    """Around work that holds locks of other libraries, such as OpenSSL's, which a child could never have released.

    A fork of another thread waits until the work is done, 10 s at most.
    """
    return _UNCUT.lock


def run_in_forked_child(renew: Callable[[], object]) -> None:
    """Have `renew` called in each forked child, where a lock can be held by a thread that only the parent has."""
    # Windows and WebAssembly cannot fork, and have no such hook.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_UNCUT.before, after_in_parent=_UNCUT.after_in_parent, after_in_child=_UNCUT.renew)
