"""The files of a public project exist and agree: citation, security, support, templates, workflows, hooks."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.structure.test_packaging import PROJECT
from vertex_compat_integrations import __version__

ROOT = Path(__file__).parents[2]
FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))
FORMS = sorted((FORGE / "ISSUE_TEMPLATE").glob("*_*.yml"))
TEXTS = ["CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "SUPPORT.md", ".github/ISSUE_TEMPLATE/config.yml"]
SITE = "https://vertex-compat-integrations.github.io/vertex-compat-integrations/"


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: Path) -> Iterator[dict]:
    for job in read(workflow)["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("name", [*TEXTS, "LICENSE", "CHANGELOG.md", ".github/pull_request_template.md"])
def test_the_file_exists_and_has_text(name):
    assert len((ROOT / name).read_text(encoding="utf-8")) > 300


def test_the_citation_is_of_this_version_and_has_what_the_format_requires():
    citation = read(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]
    assert f"## [{__version__}] - {citation['date-released']}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_changelog_has_sections_by_keep_a_changelog_and_newest_first():
    text = (ROOT / "CHANGELOG.md").read_text()
    releases = re.findall(r"^## \[(.+)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert len(releases) == len(re.findall(r"^## ", text, re.MULTILINE))
    assert releases[0] == ("Unreleased", "")
    dates = [date for _, date in releases[1:]]
    assert dates == sorted(dates, reverse=True)
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    for name, _ in releases:
        assert f"\n[{name}]: https://" in text


def test_security_supports_the_current_minor_version():
    assert f"| {__version__.rpartition('.')[0]}.x (latest release) | yes |" in (ROOT / "SECURITY.md").read_text()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_pinned_by_a_commit_and_its_tag_is_a_comment(workflow):
    uses = re.findall(r"uses: (.*)", workflow.read_text())
    assert len(uses) == len([step for step in steps(workflow) if "uses" in step]) > 0
    assert [
        action for action in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+(?:\.\d+)*", action)
    ] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_script_that_a_workflow_runs_exists_and_its_shell_is_valid(workflow):
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    for command in commands:
        subprocess.run(["bash", "-n"], input=command, text=True, check=True)
        for script in re.findall(r"(?:^|\s)(\.ci/[\w-]+)", command):
            assert (ROOT / script).stat().st_mode & 0o111, script
    if workflow.name == "ci.yml":
        assert {command.split()[0] for command in commands} >= {".ci/run", ".ci/one", ".ci/nightly"}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_only_the_rights_that_it_names(workflow):
    text = read(workflow)
    assert text["permissions"] in ({}, {"contents": "read"})
    assert [name for name, job in text["jobs"].items() if "timeout-minutes" not in job] == []


def test_a_matrix_has_each_python_and_both_majors_of_the_sdk():
    matrix = read(FORGE / "workflows" / "ci.yml")["jobs"]["one"]["strategy"]["matrix"]
    stated = {each.rpartition(" ")[2] for each in PROJECT["classifiers"] if re.fullmatch(r".* :: 3\.\d+", each)}
    assert stated <= set(matrix["python"])
    assert {name.partition("-")[2].partition(".")[0] for name in matrix["versions"]} == {"2", "3"}
    assert all((ROOT / "tests" / "constraints" / f"{name}.txt").exists() for name in matrix["versions"])


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_a_form_has_what_the_forge_requires(form):
    text = read(form)
    assert {"name", "description", "body"} <= set(text)
    fields = [field for field in text["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


@pytest.mark.parametrize("name", TEXTS)
def test_each_link_to_the_site_leads_to_a_page(name):
    for page in re.findall(rf"{re.escape(SITE)}(?:latest/)?([^)\s#]*)", (ROOT / name).read_text()):
        path = ROOT / "docs" / page
        assert path.with_suffix(".md").exists() or (path / "index.md").exists(), page


def test_the_hooks_run_programs_of_the_extra_lint_or_modules_of_the_tests():
    hooks = [hook for group in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in group["hooks"]]
    programs = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    of_packages = {"lint-imports": "import-linter"}
    lint = " ".join(PROJECT["optional-dependencies"]["lint"])
    assert [name for name in programs - {"python"} if of_packages.get(name, name) not in lint] == []
    assert {"ruff", "codespell", "mypy"} <= programs


def test_yamllint_finds_nothing():
    if shutil.which("yamllint") is None:
        pytest.skip("yamllint is not installed (extra lint)")
    rules = "{extends: default, rules: {line-length: {max: 180}}}"
    command = ["yamllint", "--strict", "-d", rules, str(FORGE), str(ROOT / ".pre-commit-config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
