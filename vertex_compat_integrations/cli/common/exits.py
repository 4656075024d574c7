"""Ends a command after an error, with one line on the error stream and the exit code."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError

from vertex_compat_integrations.cli.common.printing import complain
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatError
from vertex_compat_integrations.core.settings.base import reason_of

_ALLOWED_HOST = re.compile(r"allow_hosts=\['([^']+)'\](, or that server's own token as api_key=)?")

FAILED = 1
WRONG_USAGE = 2


@contextmanager
def refusals() -> Iterator[None]:
    """End the command on an error inside: with 2 if settings are invalid, with 1 if something failed.

    Raises:
        typer.Exit: An error was raised inside.
    """
    try:
        yield
    except (SettingsError, ValidationError) as error:
        raise _ended(reason_of(error), WRONG_USAGE) from None
    except VertexCompatError as error:
        raise _ended(str(error), FAILED) from None


def reason_of_system(error: OSError) -> str:
    """Return the system's reason; if a port cannot be taken, with the option that chooses another."""
    if error.filename is None and error.errno in (errno.EADDRINUSE, errno.EACCES):
        return f"{error.strerror}. Pass another --port, or 0 for a free one."
    return str(error)


def _ended(reason: str, code: int) -> typer.Exit:
    # Errors name arguments of Python.
    complain(_ALLOWED_HOST.sub(r"--allow-host \1", " ".join(reason.split())))
    return typer.Exit(code)
