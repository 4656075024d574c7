"""Runs the consumers' programs, each in its own virtual environment: `python -m tests.consumers [--write] [NAME …]`.

Prints a table of outcomes. Fails if a program fails, or cannot be installed though its head says that it runs here.
Environments are made by uv, which is installed first, and stay in `--environments FOLDER`, if that is given.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from tests.consumers.programs import PAGE, WAYS, Program, read_program, render_page, render_row

ROOT = Path(__file__).parents[2]
UV = "uv==0.13.9"
INSTALL_SECONDS = 900
RUN_SECONDS = 300
AT_A_TIME = 2
HOLDS = "passes"
_OF_NO_PROVIDER = ("OPENAI_", "GOOGLE_", "VERTEX_COMPAT_", "ANTHROPIC_", "PYTHONPATH")


@dataclass(frozen=True)
class Outcome:
    """The result of a consumer: `passes`, or the failure, with the output that shows it."""

    program: Program
    word: str
    is_good: bool
    openai: str = "-"
    output: str = ""

    @property
    def row(self) -> str:
        """Its row of the page."""
        return render_row(self.program, self.word, platform.python_version(), self.openai)


class Place:
    """A folder with uv and an environment for each consumer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        tools = folder / "uv"
        self._uv = tools / "bin" / "uv"
        if not self._uv.exists():
            subprocess.run([sys.executable, "-m", "venv", tools], check=True)
            subprocess.run([tools / "bin" / "pip", "install", "-q", UV], check=True, timeout=INSTALL_SECONDS)

    def examine(self, program: Program) -> Outcome:
        """Install what the program needs, and run it."""
        if platform.python_version() not in SpecifierSet(program.requires_python):
            return Outcome(program, f"not run: needs Python {program.requires_python}", is_good=True)
        python = self._folder / program.name / "bin" / "python"
        installed = self._install(program, python)
        if installed.returncode != 0:
            return Outcome(program, f"not installed: {_last_line(installed)}", is_good=False, output=installed.stderr)
        openai = _done([python, "-c", "import openai; print(openai.__version__)"], 60).stdout.strip()
        ran = _done([python, "-m", f"tests.consumers.{program.name}"], RUN_SECONDS)
        word = HOLDS if ran.returncode == 0 else f"fails: {_last_line(ran)}"
        return Outcome(program, word, ran.returncode == 0, openai, ran.stderr)

    def _install(self, program: Program, python: Path) -> subprocess.CompletedProcess[str]:
        made = _done([self._uv, "venv", "-q", "--allow-existing", "--python", sys.executable, python.parents[1]], 60)
        if made.returncode != 0:
            return made
        needs = ["-e", f"{ROOT}{program.extras}", *program.pins]
        return _done([self._uv, "pip", "install", "-q", "--python", python, *needs], INSTALL_SECONDS)


def _done(command: Sequence[str | Path], seconds: float) -> subprocess.CompletedProcess[str]:
    """What a command left; one that hangs is ended, and counts as failed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_OF_NO_PROVIDER)}
    environment = {**clean, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    try:
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"took longer than {seconds} s")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
    return lines[-1].strip().replace("|", "/")[:200]


def _run(names: list[str], folder: Path, *, write: bool) -> int:
    place = Place(folder)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = list(pool.map(place.examine, map(read_program, names)))
    page = render_page([outcome.row for outcome in outcomes])
    print(page)  # noqa: T201 - this is what the command is for
    failed = [outcome for outcome in outcomes if not outcome.is_good]
    for outcome in failed:
        print(f"== {outcome.program.name}\n{outcome.output[-4000:]}", file=sys.stderr)  # noqa: T201
    if write:
        PAGE.write_text(page)
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")  # noqa: T201
    return 1 if failed else 0


def main() -> int:
    """Run what the command line names; the exit code is 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.consumers", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(WAYS), metavar="NAME", help="consumers; all, if none is named")
    parser.add_argument("--environments", type=Path, help="where environments stay; else in a folder that is removed")
    parser.add_argument("--write", action="store_true", help="write docs/project/consumers.md")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(WAYS):
        parser.error(f"no such consumer: {', '.join(sorted(unknown))}; there are {', '.join(WAYS)}")
    if chosen.environments is not None:
        return _run(chosen.names, chosen.environments.resolve(), write=chosen.write)
    with tempfile.TemporaryDirectory() as folder:
        return _run(chosen.names, Path(folder), write=chosen.write)


if __name__ == "__main__":
    sys.exit(main())
