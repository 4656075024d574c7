"""What a forked child process begins anew."""

import os
from collections.abc import Callable


def run_in_forked_child(renew: Callable[[], object]) -> None:
    """Have `renew` called in each forked child, where a lock can be held by a thread that only the parent has."""
    # Windows and WebAssembly cannot fork, and have no such hook.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)
