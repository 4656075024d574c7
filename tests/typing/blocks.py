"""Checks each Python block of the README and the docs as a typed program, by mypy --strict and pyright.

`python -m tests.typing.blocks` writes each to a file of its own, in a temporary folder, and runs both (extra `lint`).
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def write_blocks(folder: Path) -> list[Path]:
    """The blocks as files, named after their page and the line that they begin at."""
    files = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start(1)) + 1
            path = folder / f"{page.stem.lower().replace('-', '_')}_{line}.py"
            path.write_text(block[1], encoding="utf-8")
            files.append(path)
    return files


def main() -> int:
    """Run both checkers; 0 if neither has a word to say."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [path.name for path in write_blocks(folder)]
        (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}', encoding="utf-8")
        sys.stdout.write(f"{len(files)} blocks of Python\n")
        sys.stdout.flush()
        commands = (
            [sys.executable, "-m", "mypy", "--strict", "--scripts-are-modules", *files],
            [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *files],
        )
        return max([subprocess.run(command, cwd=folder, check=False).returncode for command in commands])


if __name__ == "__main__":
    sys.exit(main())
