"""The README tells the truth: its code runs, its commands are the commands, its tables are what the code says."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.code_blocks import run_block
from tests.support.other_services import OtherServices
from vertex_compat_integrations.core import errors
from vertex_compat_integrations.core.settings.connection import Connection, resolve_destination
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.*)$", README, re.MULTILINE)
SUBHEADINGS = re.findall(r"^### (.*)$", README, re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON_BLOCKS = [
    (page.relative_to(ROOT).as_posix(), block)
    for page in PAGES
    if page.parts[-2:] != ("reference", "migration.md")  # tests/migration runs its code
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
]


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    table = re.search(rf"^## {heading}\n.*?^(\|.*?)\n(?!\|)", README, re.DOTALL | re.MULTILINE).group(1)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def _leaves(kind: type) -> Iterator[type]:
    if kind.__module__ == errors.__name__:
        yield kind
    for below in kind.__subclasses__():
        yield from _leaves(below)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.parametrize(
    "code",
    [code for _, code in PYTHON_BLOCKS],
    ids=[f"{name}-{number}" for number, (name, _) in enumerate(PYTHON_BLOCKS)],
)
def test_each_python_block_runs(code, emulator, tmp_path):
    environment = {EMULATOR_HOST_VARIABLE: emulator.host, "GOOGLE_CLOUD_PROJECT": "p"}
    with OtherServices() as server:
        # The server of one's own that a block embeds on is in tests/examples/test_with_packages.py the real one.
        done = run_block(code.replace("http://127.0.0.1:8000", server.url), tmp_path, environment)
    assert done.exit_code == 0, done.errors
    assert done.output


def test_the_emulator_block_shows_the_retry(tmp_path):
    code = next(block for _, block in PYTHON_BLOCKS if "http_error(429)" in block)
    done = run_block(code, tmp_path, {})
    assert done.output.splitlines()[-1] == "[200, 429, 200]"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("demo", 'python3 -m venv .venv && .venv/bin/pip install -e ".[demo]" && .venv/bin/vertex-compat demo'),
        ("test", 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m pytest -n 2'),
    ],
)
def test_a_command_can_be_taken_from_the_readme(name, command):
    assert f"\n<!-- command: {name} -->\n```bash\n{command}\n```\n" in README


def test_the_part_of_the_tests_that_takes_a_minute_is_there_and_has_as_many_as_the_readme_says():
    command = README.partition("<!-- command: quick-test -->\n```bash\n")[2].partition("\n```")[0]
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/python"
    folders = [ROOT / word for word in arguments if word.startswith("tests/")]
    assert [folder for folder in folders if not folder.is_dir()] == []
    assert len(folders) == 3
    collecting = [sys.executable, *arguments, "--collect-only", "-q"]
    done = subprocess.run(collecting, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    collected = int(re.search(r"^(\d+)(?:/\d+)? tests collected", done.stdout, re.MULTILINE).group(1))
    (stated,) = re.findall(r"about ([\d,]+) tests of what is sent", README)
    assert collected == pytest.approx(int(stated.replace(",", "")), rel=0.1)


def test_the_extras_are_those_of_the_package():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    table = README.partition("\n| extra | brings |\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == set(extras)


def test_the_order_is_a_newcomers():
    order = [
        *("When not to use it", "Two commands", "First answer on Vertex AI", "LangChain", "LlamaIndex"),
        *("What works, and where", "Swap by configuration", "Errors", "Emulator", "Promises", "Architecture"),
        "Contributing",
    ]
    assert [heading for heading in HEADINGS if heading in order] == order


def test_the_contents_lead_to_every_section():
    anchors, below = (list(map(_anchor, headings)) for headings in (HEADINGS, SUBHEADINGS))
    contents = README.partition("**Contents:**")[2].partition("\n\n")[0]
    assert re.findall(r"\]\(#([^)]+)\)", contents) == anchors
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= {*anchors, *below}


@pytest.mark.parametrize(("settings", "base_url"), _rows("Locations and endpoints"))
def test_a_location_gives_the_url_of_its_row(settings, base_url):
    arguments = dict(re.findall(r'(\w+)="([^"]*)"', settings))
    destination = resolve_destination(Connection(project="P", **arguments), {})
    assert destination.build_base_url("P") == base_url.strip("`")


@pytest.mark.parametrize("setting", [row[0] for row in _rows("Credentials") if row[0] != "none"])
def test_a_credential_setting_exists(setting):
    assert setting.strip("`=") in Connection.model_fields


def test_global_is_the_default():
    assert resolve_destination(Connection(), {}).location == "global"


@pytest.mark.parametrize(("name", "hint"), [(row[0], row[2]) for row in _rows("Errors")])
def test_an_error_gives_the_hint_of_its_row(name, hint):
    assert getattr(errors, name.strip("`")).default_hint == hint


def test_every_error_that_is_raised_has_its_row():
    listed = {row[0].strip("`") for row in _rows("Errors")}
    bases = {"VertexCompatError", "ApiError", "PartialReplyError"}
    assert {kind.__name__ for kind in _leaves(errors.VertexCompatError)} - bases == listed


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_linked_exists(path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
    assert len(links) > 10 or path.name != "README.md"
