"""The command `vertex-compat`. A command's modules are imported when it runs, so `--help` needs only typer."""

import io
import sys

from vertex_compat_integrations.cli.common.extras import needs

__all__ = ["main"]


def main() -> None:
    """Run the command line; exits with 0 (success), 1 (something failed) or 2 (wrong usage)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character prints a question mark instead of raising an exception.
            stream.reconfigure(errors="replace")
    with needs("cli"):
        from vertex_compat_integrations.cli.app import app  # noqa: PLC0415 - typer is an extra
    app(prog_name="vertex-compat")
