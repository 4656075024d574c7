"""README.md is a front page: short, in its order, with links that work anywhere and commands that CI runs."""

import re
from pathlib import Path

import pytest
import yaml

from tests.structure.code_blocks import run_block
from tests.typing.blocks import blocks_of

ROOT = Path(__file__).parents[2]
README_FILE = ROOT / "README.md"
README = README_FILE.read_text(encoding="utf-8")
REPOSITORY = "https://github.com/vertex-compat-integrations/vertex-compat-integrations"
SITE = "https://vertex-compat-integrations.github.io/vertex-compat-integrations/"
LINKS = sorted(set(re.findall(r"\]\(([^)\s]+)\)", README)))
ORDER = [
    *("Install", "Sixty seconds offline", "LangChain", "LlamaIndex", "OpenAI SDK, and programs you cannot edit"),
    *("Moving from ChatOpenAI", "When something fails", "Why not plain ChatOpenAI?", "What is unverified"),
    *("Features", "Documentation and contributing"),
]


class _MkDocsLoader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags name Python objects, without importing these."""


_MkDocsLoader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def _pages(entry: object) -> list[str]:
    """The pages of a part of the navigation."""
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [page for part in parts for page in _pages(part)]


def _address(page: str) -> str:
    """The page's address on the site, in the version that mike calls the latest."""
    return f"{SITE}latest/" + re.sub(r"(?:^|(?<=/))index\.md$", "", page).replace(".md", "/")


NAVIGATION = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_MkDocsLoader)["nav"]
ADDRESSES = {_address(page) for page in _pages(NAVIGATION)}


def test_it_is_short():
    assert len(README.splitlines()) <= 250


def test_its_sections_are_in_a_newcomers_order():
    assert re.findall(r"^## (.*)$", README, re.MULTILINE) == ORDER


def test_the_status_is_before_the_first_section():
    assert "Not yet run against live Vertex AI" in README.partition("\n## ")[0]


@pytest.mark.parametrize("link", LINKS)
def test_each_link_is_absolute_and_leads_to_a_file_or_a_page_of_the_site(link):
    """The package index shows this file, and has neither the repository's files nor the anchors of headings."""
    assert link.startswith("https://")
    if link.startswith(SITE):
        assert link == SITE or link in ADDRESSES  # the root leads to the latest version
    elif link.startswith(f"{REPOSITORY}/blob/main/"):
        assert (ROOT / link.removeprefix(f"{REPOSITORY}/blob/main/")).is_file()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("demo", 'python3 -m venv .venv && .venv/bin/pip install -e ".[demo]" && .venv/bin/vertex-compat demo'),
        ("test", 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m pytest -n 2'),
    ],
)
def test_a_command_can_be_taken_from_the_readme(name, command):
    assert f"\n<!-- command: {name} -->\n```bash\n{command}\n```\n" in README


def test_the_emulator_block_shows_the_retry(tmp_path):
    code = next(block for _, block in blocks_of(README_FILE) if "http_error(429)" in block)
    done = run_block(code, tmp_path, {})
    assert done.output.splitlines()[-1] == "[200, 429, 200]"


@pytest.mark.parametrize(
    "figure",
    [
        "no: 10 + 5 of 45",
        "AttributeError: 'list' object has no attribute 'model_dump'",
        "`DeadlineExceededError`",
        "`StreamInterruptedError",
        "in 6 s",
        "1.7.3",
    ],
)
def test_the_figures_of_the_comparison_are_those_of_the_measured_tables(figure):
    measured = [ROOT / "docs/start/when-not-to-use-it.md", ROOT / "docs/explanation/peers.md"]
    assert figure in README.partition("## Why not plain ChatOpenAI?")[2]
    assert any(figure in page.read_text(encoding="utf-8") for page in measured)
