"""Checks each Python block of the README and the docs as a typed program, by mypy --strict and pyright.

`python -m tests.typing.blocks` writes each to a file of its own, in a temporary folder, and runs both (extra `lint`).
CI does the same with an installed wheel: `python -m tests.users`.
"""

import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(
    r"^(?P<indent> *)```python(?P<title>[^\n]*)\n(?P<code>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)


def blocks_of(page: Path, *, titled: bool = True) -> Iterator[tuple[int, str]]:
    """The Python blocks of a page, each with its first line's number; blocks with a title are files, not programs."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        if titled or not block["title"]:
            yield text.count("\n", 0, block.start("code")) + 1, textwrap.dedent(block["code"])


def _identifier(page: Path) -> str:
    """The page's path from the project's root as one word, such as `docs_start_install`."""
    return "_".join(page.relative_to(ROOT).with_suffix("").parts).lower().replace("-", "_")


def write_blocks(folder: Path) -> list[str]:
    """The blocks as files, named after their page and the line that they begin at; and pyright's settings."""
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}', encoding="utf-8")
    names = []
    for page in PAGES:
        for line, block in _with_modules(page):
            names.append(f"{_identifier(page)}_{line}.py")
            (folder / names[-1]).write_text(block, encoding="utf-8")
    return names


def _with_modules(page: Path) -> Iterator[tuple[int, str]]:
    """The blocks; one that imports an earlier block of its page, by that one's title, finds it under its name here."""
    lines = page.read_text(encoding="utf-8").splitlines()
    modules: dict[str, str] = {}
    for line, block in blocks_of(page):
        imported = block
        for title, name in modules.items():
            imported = re.sub(rf"^from {title} import ", f"from {name} import ", imported, flags=re.MULTILINE)
        yield line, imported
        if title_here := re.search(r'title="(\w+)\.py"', lines[line - 2]):
            modules[title_here[1]] = f"{_identifier(page)}_{line}"


def checkers(python: str, names: Sequence[str]) -> dict[str, list[str]]:
    """By its name, the command of each checker, for the packages that this Python has."""
    return {
        "mypy --strict": [python, "-m", "mypy", "--strict", "--scripts-are-modules", *names],
        "pyright": [python, "-m", "pyright", "--pythonpath", python, *names],
    }


def main() -> int:
    """Run both checkers; 0 if neither has a word to say."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = write_blocks(folder)
        sys.stdout.write(f"{len(names)} blocks of Python\n")
        sys.stdout.flush()
        commands = checkers(sys.executable, names).values()
        return max([subprocess.run(command, cwd=folder, check=False).returncode for command in commands])


if __name__ == "__main__":
    sys.exit(main())
