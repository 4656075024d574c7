"""The pages of tutorials as their readers use them: blocks that are files, and commands."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "tutorials"
PAGES = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "index")

_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A block of code: its language, the file that it is, and its text."""

    language: str
    file: str
    text: str


def blocks_of(page: str) -> list[Block]:
    """The blocks of code of a page."""
    return [Block(*found) for found in _BLOCK.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8"))]


def commands_of(block: Block) -> list[str]:
    """The lines of a block that are commands to run."""
    if block.language != "bash":
        return []
    return [line for line in block.text.splitlines() if line.startswith("python ")]


def reader_environment(**more: str) -> dict[str, str]:
    """Of a reader who has this package, with more variables."""
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": python_path, **more}


def run_command(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What a command prints, which must end with 0."""
    _, *arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
