"""Nobody is sent to a model whose end is announced: neither by the README, nor by examples, defaults and hints."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vertex_compat_integrations.core.catalogue import catalogue_rows, facts_for

ROOT = Path(__file__).parents[3]
PUBLISHERS = sorted({row.facts.prefix.partition("/")[0] for row in catalogue_rows() if row.facts.prefix})
NAME = re.compile(rf"\b(?:{'|'.join(map(re.escape, PUBLISHERS))})/[a-z0-9][\w.-]*[a-z0-9]")
ELSEWHERE = ("core/catalogue/", "emulator/model_traits.py")
"""Where retired models have to be named: facts about them."""


def _named(path: Path) -> Iterator[str]:
    yield from NAME.findall(path.read_text(encoding="utf-8"))


def _paths() -> list[Path]:
    package = ROOT / "vertex_compat_integrations"
    sources = [path for path in package.rglob("*.py") if not str(path.relative_to(package)).startswith(ELSEWHERE)]
    examples = [path for path in (ROOT / "examples").rglob("*.*") if "__pycache__" not in path.parts]
    return [ROOT / "README.md", *examples, *sources]


def test_names_are_found():
    assert set(_named(ROOT / "README.md")) > {"google/gemini-3.5-flash"}
    assert NAME.findall('"google/gemini-2.5-flash", `meta/llama-3.3-70b-instruct-maas`.') == [
        "google/gemini-2.5-flash",
        "meta/llama-3.3-70b-instruct-maas",
    ]


@pytest.mark.parametrize("path", _paths(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_retired_model_is_named(path):
    """E5 has no replacement: no other model is known to be served on its route, and what names it says so."""
    retired = {name for name in _named(path) if facts_for(name).replacement}
    assert not retired
