"""Each tutorial does what it says: its files are written, its commands run offline, and print what the page shows.

A block with a title is a file, and replaces an earlier one of its name. A line of a `bash` block that begins with
`python ` is a command; the `text` block behind it, if there is one, is what it prints, but for lines with `…`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.tutorials import PAGES, blocks_of, commands_of, reader_environment, run_command
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

WHOLE_SUITE = "python -m pytest -q"
"""Where it comes later, a command for a part of it is not run."""

NEEDS_A_PACKAGE = {"e5.py"}
"""A file that needs a package of its own; test_with_packages.py runs it."""


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Of a reader whose requests go to an emulator."""
    with Emulator() as emulator:
        yield reader_environment(**{EMULATOR_HOST_VARIABLE: emulator.host, "GOOGLE_CLOUD_PROJECT": "p"})


@pytest.mark.parametrize("page", PAGES)
def test_its_files_and_commands_do_what_the_page_shows(page, environment, tmp_path):
    blocks = blocks_of(page)
    ran, output = 0, ""
    for number, block in enumerate(blocks, 1):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        later = [command for each in blocks[number:] for command in commands_of(each)]
        for command in commands_of(block):
            if command.startswith(f"{WHOLE_SUITE} ") and WHOLE_SUITE in later:
                continue
            output = run_command(command, tmp_path, environment)
            ran += 1
        if block.language == "text" and output and not block.file:
            shown = [line for line in block.text.splitlines() if "…" not in line]
            assert [line for line in shown if line not in output] == []
            output = ""
    assert ran > 0


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_is_a_file_that_is_run(page):
    """Without a title, a block is run by tests/structure/test_pages.py."""
    files = {block.file for block in blocks_of(page) if block.language == "python" and block.file}
    commands = " ".join(command for block in blocks_of(page) for command in commands_of(block))
    imported = "\n".join(block.text for block in blocks_of(page))
    started = {name for name in files if name in commands or ("pytest" in commands and name.startswith("test_"))}
    used = {name for name in files if re.search(rf"^(?:from|import) {Path(name).stem}\b", imported, re.MULTILINE)}
    assert files == started | used | (files & NEEDS_A_PACKAGE)
