"""The command `vertex-compat`. A command's modules are imported when it runs, so `--help` needs only typer."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vertex_compat_integrations.cli.common.extras import needs

__all__ = ["main"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FAILED = 1


def main() -> None:
    """Run the command line; exits with 0 (success), 1 (something failed) or 2 (wrong usage)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character prints a question mark instead of raising an exception.
            stream.reconfigure(errors="replace")
    with needs("cli"):
        from vertex_compat_integrations.cli.app import app  # noqa: PLC0415 - typer is an extra
    with _written_output():
        app(prog_name="vertex-compat")


@contextmanager
def _written_output() -> Iterator[None]:
    """Write out what is buffered at the end; a full disk ends the command with one line instead of a traceback."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        if error.errno not in _FULL and error.errno != errno.EPIPE:
            raise
        # The interpreter would write the rest at its end, and fail again.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            place = error.filename or "the output"
            print(f"vertex-compat: {place} cannot be written: {error.strerror}.", file=sys.stderr)
        sys.exit(_FAILED)
