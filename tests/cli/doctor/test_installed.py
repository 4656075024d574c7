"""Checks of what is installed."""

import tomllib
from pathlib import Path

import pytest

from tests.cli.doctor.examining import at, failed_only, run
from vertex_compat_integrations import __version__
from vertex_compat_integrations.cli.doctor.installed import check_frameworks, check_python, check_sdk, is_in

ROOT = Path(__file__).parents[3]


def test_an_old_python():
    finding = check_python((3, 10, 9))
    assert finding.verdict == "failed"
    assert "3.10.9" in finding.text
    assert finding.paste


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder of installed packages' metadata that goes before the environment's own, with ours from the tree."""
    folder = tmp_path / "site"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["langchain"], *extras["llama-index"]]
    write_metadata(folder, project["name"], __version__, lines)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write_metadata(folder: Path, name: str, version: str, requirements=()) -> None:
    path = folder / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
    path.parent.mkdir(parents=True)
    required = "".join(f"Requires-Dist: {line}\n" for line in requirements)
    path.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}")


@pytest.mark.parametrize(
    ("package", "version", "check", "paste"),
    [
        ("openai", "1.99.1", "SDK", 'pip install "openai>=2.45,<4"'),
        ("langchain-core", "0.3.1", "frameworks", "[langchain]"),
        ("llama-index-core", "0.13.0", "frameworks", "[llama-index]"),
    ],
)
def test_a_version_that_does_not_fit(emulator, site, package, version, check, paste):  # noqa: PLR0917 - fixtures
    write_metadata(site, package, version)
    finding = failed_only(run(*at(emulator)), check)
    assert version in finding["text"]
    assert paste in finding["paste"]


@pytest.mark.parametrize(("version", "library"), [("2.54.0", "httpx"), ("3.54.0", "httpx2")])
def test_an_sdk_without_its_http_library(site, version, library):
    other = {"httpx": "httpx2", "httpx2": "httpx"}[library]
    finding = check_sdk({"openai": version, other: "1.0"}.get)
    assert finding.verdict == "failed"
    assert finding.paste == f'pip install "openai=={version}" {library}'


def test_no_sdk_at_all(site):
    finding = check_sdk({}.get)
    assert (finding.verdict, "not installed" in finding.text) == ("failed", True)
    assert finding.paste == 'pip install "openai>=2.45,<4"'


@pytest.mark.parametrize(
    ("version", "asked", "expected"),
    [
        ("3.54.0", "<4,>=2.45", True),
        ("2.44.9", "<4,>=2.45", False),
        ("4", "<4,>=2.45", False),
        ("2.45", ">=2.45.0", True),
        ("1.0.1", "==1.0.1", True),
        ("1.0.1", "<=1.0,>0.9", False),
        ("1.7.2", "", True),
    ],
)
def test_what_lies_in_a_range(version, asked, expected):
    assert is_in(version, asked) is expected


@pytest.mark.parametrize(
    ("pydantic", "llama_index", "verdict"),
    [
        ("2.14.4", "0.14.25", "warning"),
        ("2.13.5", "0.14.25", "ok"),
        ("2.14.4", "0.14.26", "ok"),
    ],
)
def test_a_pydantic_that_breaks_llama_indexs_own_stores(site, pydantic, llama_index, verdict):
    write_metadata(site, "pydantic", pydantic)
    write_metadata(site, "llama-index-core", llama_index)
    finding = check_frameworks()
    assert finding.verdict == verdict
    if verdict == "warning":
        assert "SimpleChatStore.persist" in finding.text
        assert finding.paste == 'pip install "pydantic<2.14"'
