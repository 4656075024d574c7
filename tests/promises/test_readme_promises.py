"""README's promises name the test modules that hold them, every one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECTION = re.search(r"^## Promises\n(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)[1]


def test_each_of_the_17_modules_stands_behind_a_promise():
    modules = {path.name for path in Path(__file__).parent.glob("test_[0-9][0-9]_*.py")}
    assert len(modules) == 17
    assert modules == set(re.findall(r"\]\(tests/promises/(test_[0-9]{2}_\w+\.py)\)", SECTION))


def test_each_link_leads_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", SECTION)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
