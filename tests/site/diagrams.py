"""Draw the documentation's diagrams: `python -m tests.site.diagrams`.

Each `docs/assets/diagrams/NAME.mmd` (Mermaid) becomes `NAME-light.svg` and `NAME-dark.svg` next to it, which are
committed, so that the site needs no script and no browser to be built. Each holds the digest of its source. Node.js,
npm and Chromium are needed; the package of npm is installed into a temporary folder.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "assets" / "diagrams"
PACKAGE = "@mermaid-js/mermaid-cli@11.17.0"
_FONT = "system-ui, sans-serif"
_COMMON = {"fontFamily": _FONT, "htmlLabels": False, "flowchart": {"htmlLabels": False}}
THEMES = {
    "light": {"theme": "neutral"} | _COMMON,
    "dark": {"theme": "dark"} | _COMMON,
}
_BROWSER = {"executablePath": shutil.which("chromium"), "args": ["--no-sandbox", "--disable-gpu"]}
_SIZE = re.compile(r'width="100%"((?: (?!viewBox)[\w:-]+="[^"]*")* viewBox="[-\d.]+ [-\d.]+ )([\d.]+) ([\d.]+)"')
"""Mermaid's drawings are as wide as the page; these are as wide as they were drawn."""
_DIGEST = re.compile(r"<!-- source: ([0-9a-f]{64}) -->")


def digest_of(source: Path) -> str:
    """The digest of a diagram's source."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def digest_in(drawing: Path) -> str:
    """The digest of the source that a drawing was made of; empty if it names none."""
    found = _DIGEST.search(drawing.read_text(encoding="utf-8"))
    return found[1] if found else ""


def _draw(command: Path, source: Path, name: str, work: Path) -> None:
    (work / "browser.json").write_text(json.dumps(_BROWSER))
    (work / f"{name}.json").write_text(json.dumps(THEMES[name]))
    target = FOLDER / f"{source.stem}-{name}.svg"
    files = ["-i", source, "-o", target, "-c", work / f"{name}.json", "-p", work / "browser.json"]
    subprocess.run([command, *map(str, files), "-b", "transparent", "-q"], check=True, timeout=120)
    drawing = _SIZE.sub(r'width="\2"\1\2 \3"', target.read_text(encoding="utf-8"), count=1)
    target.write_text(f"{drawing.rstrip()}\n<!-- source: {digest_of(source)} -->\n", encoding="utf-8")


def main() -> None:
    """Draw what has no drawing of its present source; `--all` draws everything."""
    stale = [
        (source, name)
        for source in sorted(FOLDER.glob("*.mmd"))
        for name in THEMES
        if "--all" in sys.argv
        or not (drawing := FOLDER / f"{source.stem}-{name}.svg").exists()
        or digest_in(drawing) != digest_of(source)
    ]
    if not stale:
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "package.json").write_text('{"private": true}')
        environment = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", PACKAGE]
        subprocess.run(install, cwd=work, env=environment, check=True, timeout=600)
        for source, name in stale:
            _draw(work / "node_modules/.bin/mmdc", source, name, work)
            sys.stdout.write(f"{source.stem}-{name}.svg\n")


if __name__ == "__main__":
    main()
