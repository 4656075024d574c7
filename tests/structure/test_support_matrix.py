"""docs/project/support-matrix.md has the versions of pyproject.toml, tests/constraints and constraints.txt."""

import re

import pytest
from packaging.requirements import Requirement

from tests.structure.test_packaging import PROJECT, ROOT

PAGE = (ROOT / "docs" / "project" / "support-matrix.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([\w-]+)` \| (?:`([\w-]+)`)? ?\| `([^`]+)` \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
EXTRAS = PROJECT["optional-dependencies"]


def pins(path: str) -> dict[str, str]:
    lines = (ROOT / path).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize(("name", "extra", "admitted", "lowest", "together"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_has_the_versions_of_the_files(name, extra, admitted, lowest, together):
    requirements = {each.name: each for each in map(Requirement, EXTRAS[extra] if extra else PROJECT["dependencies"])}
    assert requirements[name].specifier == Requirement(f"{name}{admitted}").specifier
    assert lowest == pins("tests/constraints/lowest.txt")[name]
    assert together == pins("constraints.txt")[name]


def test_each_package_that_the_code_of_users_meets_has_a_row():
    of_users = ("langchain", "llama-index", "aiohttp", "otel")
    lines = [*PROJECT["dependencies"], *(line for extra in of_users for line in EXTRAS[extra])]
    assert {Requirement(line).name for line in lines} <= {row[0] for row in ROWS}


def test_the_text_names_the_pythons_and_the_sdks_that_ci_runs():
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert f"**Python.** {lowest} or later." in PAGE
    for major in ("2.54", "3.54"):
        assert pins(f"tests/constraints/openai-{major}.txt")["openai"] in PAGE
