"""The command `vertex-compat`; a command's modules are loaded when it runs, so that `--help` needs typer alone."""

import io
import sys

from vertex_compat_integrations.cli.common.extras import needs

__all__ = ["main"]


def main() -> None:
    """Run the command line; ends the process with 0 (well), 1 (something failed) or 2 (wrong usage)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without these characters gets a question mark instead of an exception.
            stream.reconfigure(errors="replace")
    with needs("cli"):
        from vertex_compat_integrations.cli.app import app  # noqa: PLC0415 - typer is an extra
    app(prog_name="vertex-compat")
