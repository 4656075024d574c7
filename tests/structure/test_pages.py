"""README and the pages of the site tell the truth: their code runs, their files exist, their tables are the code's."""

import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.structure.code_blocks import run_block
from tests.support.other_services import OtherServices
from tests.typing.blocks import PAGES, ROOT, blocks_of
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

PROGRAMS = [
    (f"{page.relative_to(ROOT).as_posix()}-{line}", code)
    for page in PAGES
    if page.parts[-2:] != ("reference", "migration.md")  # tests/migration runs its code
    for line, code in blocks_of(page, titled=False)
]


def _rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    table = re.search(rf"^## {heading}\n.*?^(\|.*?)\n(?!\|)", text, re.DOTALL | re.MULTILINE)[1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


LOCATIONS = _rows("start/locations.md", "Where requests go")
CREDENTIALS = [row[0].strip("`=") for row in _rows("start/credentials.md", "Settings") if row[0] != "none"]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.parametrize("code", [code for _, code in PROGRAMS], ids=[name for name, _ in PROGRAMS])
def test_each_python_block_runs(code, emulator, tmp_path):
    environment = {EMULATOR_HOST_VARIABLE: emulator.host, "GOOGLE_CLOUD_PROJECT": "p"}
    with OtherServices() as server:
        # tests/examples/test_with_packages.py has the real server, on which a block of the pages embeds.
        done = run_block(code.replace("http://127.0.0.1:8000", server.url), tmp_path, environment)
    assert done.exit_code == 0, done.errors
    assert done.output


def test_the_extras_are_those_of_the_package():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {row[0].strip("`") for row in _rows("start/install.md", "Extras")} == set(extras)


def test_an_installation_line_names_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    named = [
        name
        for line in lines
        for names in re.findall(r"(?:-integrations|\.)\[([\w,-]+)\]", line)
        for name in names.split(",")
    ]
    assert len(named) > 10
    assert set(named) <= set(extras)


@pytest.mark.parametrize(("settings", "base_url"), LOCATIONS)
def test_a_location_gives_the_url_of_its_row(settings, base_url):
    arguments = dict(re.findall(r'(\w+)="([^"]*)"', settings))
    destination = resolve_destination(Connection(project="P", **arguments), {})
    assert destination.build_base_url("P") == base_url.strip("`")


def test_global_is_the_default():
    assert resolve_destination(Connection(), {}).location == "global"


@pytest.mark.parametrize("setting", CREDENTIALS)
def test_a_credential_setting_exists(setting):
    assert setting in Connection.model_fields


def test_the_tables_have_rows():
    assert len(LOCATIONS) == 6
    assert len(CREDENTIALS) == 6


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_linked_exists(path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)[^)]*\)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
