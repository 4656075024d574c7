"""What a fork waits for, and what a forked child process resets."""

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

_LONGEST_WAIT_SECONDS = 10.0
"""After this time the fork happens anyway, as with locks of other libraries' threads."""


class _Uncut:
    """Work that no fork may interrupt: the lock is held by one thread at a time, and by a fork while it happens."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Create a new lock in a child: the thread that held the old one does not exist in that process."""
        self.lock = threading.RLock()

    def before(self) -> None:
        self.lock.acquire(timeout=_LONGEST_WAIT_SECONDS)

    def after_in_parent(self) -> None:
        with suppress(RuntimeError):  # the wait timed out, and another thread owns the lock
            self.lock.release()


_UNCUT = _Uncut()


def uncut_by_forks() -> AbstractContextManager[bool]:
    """Protect work that holds locks of other libraries, such as OpenSSL's, which a child could never release.

    A fork in another thread waits until the work is done, 10 s at most.
    """
    return _UNCUT.lock


def run_in_forked_child(renew: Callable[[], object]) -> None:
    """Call `renew` in each forked child, where a lock can be held by a thread that exists only in the parent."""
    # Windows and WebAssembly cannot fork, and have no such hook.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_UNCUT.before, after_in_parent=_UNCUT.after_in_parent, after_in_child=_UNCUT.renew)
