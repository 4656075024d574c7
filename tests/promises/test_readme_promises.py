"""The page of promises names the test modules that enforce them, every one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "promises.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_each_of_the_17_modules_stands_behind_a_promise():
    modules = {path.name for path in Path(__file__).parent.glob("test_[0-9][0-9]_*.py")}
    assert len(modules) == 17
    assert modules == set(re.findall(r"\]\(../../tests/promises/(test_[0-9]{2}_\w+\.py)\)", TEXT))


def test_each_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
