"""`vertex-compat migrate`: shows how programs that use six other classes are migrated, as a list and as a diff."""

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vertex_compat_integrations.cli.common.exits import FAILED, WRONG_USAGE, refusals
from vertex_compat_integrations.cli.common.printing import complain, counted, harmless
from vertex_compat_integrations.cli.migrate.rewrite import Rewritten, Use, rewrite
from vertex_compat_integrations.cli.migrate.source import decode, write_sound
from vertex_compat_integrations.core.endpoint import resolve_model

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(slots=True)
class Outcome:
    """The result for all files.

    Attributes:
        files: Number of files read.
        uses: Number of uses found.
        open_uses: Number of uses that need review.
        changed: Number of files that change.
        failed: Number of files that could not be read or written.
    """

    files: int = 0
    uses: int = 0
    open_uses: int = 0
    changed: int = 0
    failed: int = 0

    def text(self, *, written: bool) -> str:
        """Return the result as a sentence."""
        parts = [
            f"{counted(self.files, 'file')}, {counted(self.uses, 'use')}",
            f"{counted(self.changed, 'file')} {'written' if written else 'to change'}",
        ]
        if self.open_uses:
            parts.append(f"{counted(self.open_uses, 'use')} to review (!)")
        if self.failed:
            parts.append(f"{counted(self.failed, 'file')} failed")
        return ", ".join(parts) + "."


def execute(paths: Sequence[Path], *, write: bool, model: str | None) -> int:
    """Run the command; returns the exit code: 1 if something is lost, needs review or failed, 2 if a path is wrong.

    Raises:
        typer.Exit: The model name is invalid.
    """
    files = list(dict.fromkeys(each for path in paths for each in python_files(path)))
    if wrong := [path for path in paths if not path.exists() or path.suffix == ".ipynb"]:
        reason = "notebooks are not supported" if wrong[0].exists() else "file not found"
        complain(f"{wrong[0]}: {reason}.")
        return WRONG_USAGE
    with refusals():
        named = resolve_model(model, own_server=False) if model is not None else None
    outcome = Outcome()
    for path in files:
        migrate(path, outcome, write=write, model=named)
    complain(outcome.text(written=write))
    return FAILED if outcome.open_uses or outcome.failed else 0


def python_files(path: Path) -> Iterator[Path]:
    """Yield a file itself, or all Python files of a folder, without hidden folders, environments and packages."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        yield from (here / name for name in sorted(names) if name.endswith(".py"))


def _is_skipped(folder: Path) -> bool:
    return folder.name in _SKIPPED or folder.name.startswith(".") or folder.joinpath("pyvenv.cfg").exists()


def migrate(path: Path, outcome: Outcome, *, write: bool, model: str | None) -> None:
    """Migrate one file and print the result; write the file if `write` is set."""
    outcome.files += 1
    try:
        decoded = decode(path.read_bytes())
        rewritten = rewrite(decoded.text, model)
        show(path, rewritten)
        outcome.uses += len(rewritten.uses)
        outcome.open_uses += sum(use.is_open for use in rewritten.uses)
        if rewritten.after != rewritten.before:
            if write:
                write_sound(path, rewritten.after, decoded.encoding)
            outcome.changed += 1
    except SyntaxError as error:
        outcome.failed += 1
        line = f", line {error.lineno}" if error.lineno else ""
        complain(f"{path}{line}: {error.msg or error}.")
    except (OSError, UnicodeEncodeError) as error:
        outcome.failed += 1
        complain(f"{path}: {getattr(error, 'strerror', None) or error}.")


def show(path: Path, rewritten: Rewritten) -> None:
    """Print the uses and the diff."""
    for use in rewritten.uses:
        print(harmless("\n".join(lines_of(path, use))))
    if diff := diff_of(path, rewritten):
        print(harmless(diff), end="")


def lines_of(path: Path, use: Use) -> Iterator[str]:
    """Yield the lines of text about a use."""
    yield f"{path}:{use.line}: {'! ' if use.by_hand else ''}{use.text}"
    for argument in use.arguments:
        yield f"  {'!' if argument.is_open else ' '} {argument.name:<22} {argument.text}"


def diff_of(path: Path, rewritten: Rewritten) -> str:
    """Return the change as a unified diff; empty if there is none."""
    name = path.as_posix().lstrip("/")
    before, after = (_lines(text) for text in (rewritten.before, rewritten.after))
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; `splitlines` would also split at characters allowed in Python strings."""
    *whole, last = text.split("\n")
    return [*(f"{line}\n" for line in whole), *filter(None, [last])]
