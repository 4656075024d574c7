"""Runs the command line in forked processes, so that each begins within milliseconds: arguments in, pid and end out."""

import json
import os
import sys

from vertex_compat_integrations.cli import batch
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.core.calls import chat
from vertex_compat_integrations.core.request import build as request
from vertex_compat_integrations.core.transport import pool

LOADED = (batch, chat, pool, request)
"""What a run loads by and by."""


def run(arguments: list[str]) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    code = 1
    try:
        app(arguments)
    except SystemExit as end:
        code = end.code
    finally:
        os._exit(code)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(json.loads(line))
        print(pid, flush=True)  # noqa: T201 - the caller reads it
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
