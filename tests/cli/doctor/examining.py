"""What the tests of `doctor` share: running it, and picking one finding."""

import json
import os

from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.examination import CHECKS, examine
from vertex_compat_integrations.core.settings.connection import Connection


def use_credentials(monkeypatch, folder, info) -> None:
    path = folder / "credentials.json"
    path.write_text(json.dumps(info))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def run(*arguments: str) -> tuple[int, dict[str, dict]]:
    """Exit code, and the findings by name."""
    result = CliRunner().invoke(app, ["doctor", "--json", *arguments])
    assert "Traceback" not in result.output
    assert "ya29." not in result.output
    record = json.loads(result.stdout)
    assert record["passed"] is (result.exit_code == 0)
    return result.exit_code, {each.pop("name"): each for each in record["checks"]}


def at(emulator) -> list[str]:
    return ["--base-url", emulator.base_url(), "--allow-host", emulator.url]


def failed_only(outcome, name: str) -> dict:
    """The finding of the one check that failed; what it stands in the way of was skipped."""
    code, findings = outcome
    assert [each for each, finding in findings.items() if finding["verdict"] == "failed"] == [name]
    assert code == 1
    assert findings[name]["paste"]
    return findings[name]


def case_for(deadline: float | None = None, **connection) -> Case:
    limits = {} if deadline is None else {"deadline": deadline}
    return Case(Connection(**connection), "google/gemini-3.5-flash", os.environ, **limits)


def look(case: Case, *names: str) -> dict:
    return {each.name: each.finding for each in examine(case, [check for check in CHECKS if check.name in names])}
