"""What the package says of itself holds: lowest versions, one version number, no stray files."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import vertex_compat_integrations

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _requirements() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    untested = ("bench", "distributed", "docs", "examples", "lint", "local", "peers")
    tested = [lines for name, lines in extras.items() if name not in untested]
    lines = [*PROJECT["dependencies"], *(line for lines in tested for line in lines)]
    return {line for line in lines if not line.startswith(PROJECT["name"])}


def _lowest(requirement: str) -> tuple[str, str]:
    name, version = re.fullmatch(r"([a-z-]+)(?:\[[a-z]+\])?[>=]=([0-9.]+).*", requirement).groups()
    return name, version


def _pinned(file: str) -> dict[str, str]:
    lines = (ROOT / "tests" / "constraints" / file).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_the_lowest_versions_tested_are_the_lowest_admitted():
    admitted = {name: version.split(".") for name, version in map(_lowest, _requirements())}
    tested = {name: version.split(".")[: len(admitted[name])] for name, version in _pinned("lowest.txt").items()}
    assert tested == admitted


def test_both_majors_of_the_sdk_are_tested():
    assert {_pinned(f"openai-{major}.txt")["openai"].partition(".")[0] for major in ("2.54", "3.54")} == {"2", "3"}


def test_the_changelog_speaks_of_this_version():
    assert f"[{vertex_compat_integrations.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_users_constraints_pin_what_the_extras_ask_for_and_nothing_that_they_refuse():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = PROJECT["optional-dependencies"]
    of_users = ("langchain", "llama-index", "aiohttp", "otel", "emulator", "cli", "proxy", "demo", "compare")
    asked = [*PROJECT["dependencies"], *(line for name in of_users for line in extras[name])]
    for requirement in map(Requirement, asked):
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(pins[requirement.name]), requirement
    assert pins["pydantic"] < "2.14"  # LlamaIndex 0.14.25: doctor says why
    assert pins["openai"] == _pinned("openai-3.54.txt")["openai"]  # CI installs with both


def test_an_extra_brings_what_the_readmes_examples_of_it_import():
    extras = PROJECT["optional-dependencies"]
    for name in ("langchain", "llama-index"):
        assert "aiohttp" in " ".join(extras[name])
    assert {"langchain", "langchain-core"} <= {Requirement(line).name for line in extras["langchain"]}


def test_the_classifiers_are_the_indexes_own_and_name_systems_frameworks_and_each_python_since_the_lowest():
    of_the_index = pytest.importorskip("trove_classifiers").classifiers  # hatchling, of the extra `test`, brings it
    classifiers = PROJECT["classifiers"]
    assert [each for each in classifiers if each not in of_the_index] == []
    kinds = {each.split(" :: ")[0] for each in classifiers}
    assert {"Development Status", "Framework", "Operating System", "Programming Language", "Typing"} <= kinds
    minors = [int(each.rpartition(".")[2]) for each in classifiers if re.fullmatch(r".* :: 3\.\d+", each)]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert PROJECT["requires-python"] == f">=3.{minors[0]}"


def test_the_framework_classifiers_are_what_the_package_stands_on():
    frameworks = {each.removeprefix("Framework :: ") for each in PROJECT["classifiers"] if each.startswith("Framework")}
    assert frameworks == {"AsyncIO", "Pydantic", "Pydantic :: 2", "Pytest"}
    assert "pytest11" in PROJECT["entry-points"]


def test_the_package_names_its_authors_and_its_licence():
    assert [author["name"] for author in PROJECT["authors"]] == ["The maintainers of vertex-compat-integrations"]
    assert PROJECT["license"] == "Apache-2.0"
    assert all((ROOT / file).exists() for file in PROJECT["license-files"])


def test_each_address_of_the_project_is_in_its_repository_or_on_its_site():
    site = (ROOT / "mkdocs.yml").read_text()
    homes = tuple(re.search(rf"^{key}: (\S+)$", site, re.MULTILINE)[1] for key in ("repo_url", "site_url"))
    urls = PROJECT["urls"]
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Security"} <= set(urls)
    for label, address in urls.items():
        assert address.startswith(homes) or label == "The endpoint", label
        assert address.startswith("https://"), label
        assert len(label) <= 32, label  # PyPI refuses more
