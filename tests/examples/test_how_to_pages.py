"""The list of how-to pages has each page of the site's map, in its order."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def _pages(entry: Any) -> Iterator[str]:
    """The pages in a part of the site's map."""
    match entry:
        case str():
            yield entry
        case dict():
            for below in entry.values():
                yield from _pages(below)
        case list():
            for below in entry:
                yield from _pages(below)


def test_the_list_has_every_page_in_the_order_of_the_map():
    pages = list(_pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    how_to = [page.removeprefix("how-to/") for page in pages if page.startswith("how-to/")]
    index = (ROOT / "docs" / "how-to" / "index.md").read_text(encoding="utf-8")
    assert ["index.md", *re.findall(r"\]\(([a-z-]+\.md)\) \|$", index, re.MULTILINE)] == how_to
