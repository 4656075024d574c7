"""What the tests of `chat` share: running it with a pipe, and on a terminal."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[3]


def chat(emulator, *arguments: str, typed: str | bytes | None = None):
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    result = CliRunner().invoke(app, ["chat", *there, *arguments], input=typed)
    assert "Traceback" not in result.output
    return result


def on_a_terminal(emulator, typed: str, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, what the screen got, and what the error stream got, which is none."""
    environment = {**os.environ, EMULATOR_HOST_VARIABLE: emulator.host, "TERM": "xterm-256color", **variables}
    environment.pop("NO_COLOR", None)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vertex_compat_integrations", "chat", *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment | {"PYTHONPATH": str(ROOT)}
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as screen:
        try:
            while piece := screen.read(4096):
                shown += piece
        except OSError:
            pass  # the other end is closed: Linux says so by an error
    complained = process.communicate(timeout=300)[1].decode()
    return process.returncode, shown.decode().replace("\r", ""), complained


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)
