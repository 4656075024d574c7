"""Runs a child program that gets our signals; its exit code becomes ours."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

NOT_EXECUTABLE = 126
NOT_FOUND = 127
"""Exit codes of a shell."""

PASSED_ON = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2})
_WAITED_FOR = PASSED_ON | {signal.SIGCHLD}
# Python ignores these at start-up, and a child program inherits ignored signals.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_SENT_BY_KERNEL = 0x80  # SI_KERNEL of <bits/siginfo-consts.h>


@contextmanager
def blocked_signals() -> Iterator[set[int]]:
    """Block the signals meant for the program, here and in threads started inside; yields those blocked before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    try:
        yield {int(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_child(command: Sequence[str], environment: Mapping[str, str], blocked: set[int]) -> int:
    """Run a program to its end, within `blocked_signals`; returns its exit code, or 128 plus its signal."""
    path = which(command[0], path=environment.get("PATH"))
    if path is None and os.sep in command[0] and Path(command[0]).exists():
        print(f"vertex-compat: {command[0]}: not an executable file.", file=sys.stderr)
        return NOT_EXECUTABLE
    if path is None:
        print(f"vertex-compat: {command[0]}: program not found.", file=sys.stderr)
        return NOT_FOUND
    try:
        # Unlike subprocess, this sets the program's signal mask before any signal can reach it, and runs no code of
        # ours between fork and exec, where another thread might hold a lock.
        number = os.posix_spawn(
            path, list(command), dict(environment), setsigmask=blocked, setsigdef=_IGNORED_BY_PYTHON
        )
    except OSError as error:
        print(f"vertex-compat: {command[0]}: {error.strerror}.", file=sys.stderr)
        return NOT_EXECUTABLE
    return _exit_code(_wait_for(number))


def _wait_for(number: int) -> int:
    """Pass signals on to the program until it ends; returns its status."""
    while True:
        received, is_known = _next_signal()
        if received != signal.SIGCHLD:
            if not is_known:
                os.kill(number, received)
            continue
        ended, status = os.waitpid(number, os.WNOHANG)
        if ended:
            return status


def _next_signal() -> tuple[int, bool]:
    """Return the next signal, and whether the program got it too: a terminal signals the whole foreground group."""
    if sys.platform == "darwin":  # macOS does not report who sent a signal
        return signal.sigwait(_WAITED_FOR), False
    received = signal.sigwaitinfo(_WAITED_FOR)
    return received.si_signo, received.si_code == _SENT_BY_KERNEL


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
