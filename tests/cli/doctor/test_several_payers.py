"""Several projects and service accounts: the checks that depend on them are run for each."""

import shlex

import pytest
from typer.testing import CliRunner

from tests.cli.doctor.examining import case_for, look, run
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor.examination import CHECKS, paste_for
from vertex_compat_integrations.core.auth.google import IMPERSONATION_HINT
from vertex_compat_integrations.core.errors import CredentialsError
from vertex_compat_integrations.emulator import http_error

ACCOUNTS = ("caller@team-a.iam.gserviceaccount.com", "caller@team-b.iam.gserviceaccount.com")
TWO = ("--project", "team-a", "--project", "team-b")
TWO_ACCOUNTS = ("--service-account", ACCOUNTS[0], "--service-account", ACCOUNTS[1])
OF_EACH = ["project", "quota project", "token", "call", "stream", "tool turn"]


def failures(findings) -> list[str]:
    return [name for name, finding in findings.items() if finding["verdict"] == "failed"]


def test_each_project_is_checked(hosted):
    code, findings = run(*TWO)
    assert code == 0
    shared = [check.name for check in CHECKS if check.name not in OF_EACH]
    assert list(findings) == [*shared, *(f"{name}: {team}" for team in ("team-a", "team-b") for name in OF_EACH)]
    assert [findings[f"project: {team}"]["text"] for team in ("team-a", "team-b")] == ["team-a", "team-b"]
    assert [entry.project for entry in hosted.journal.chat] == ["team-a"] * 4 + ["team-b"] * 4


def test_each_project_is_called_by_its_account(hosted):
    code, _ = run(*TWO, *TWO_ACCOUNTS)
    assert code == 0
    called = dict.fromkeys((entry.project, entry.principal) for entry in hosted.journal.chat)
    assert list(called) == list(zip(("team-a", "team-b"), ACCOUNTS, strict=True))


def test_accounts_of_one_project_are_checked_under_their_names(hosted):
    code, findings = run("--project", "p", *TWO_ACCOUNTS)
    assert code == 0
    assert [name.partition(": ")[2] for name in findings if name.startswith("call")] == list(ACCOUNTS)
    assert {entry.project for entry in hosted.journal.chat} == {"p"}


def test_one_project_that_fails_is_named_and_the_others_are_checked(hosted):
    hosted.rule(http_error(403, "Permission denied."), project="team-a")
    code, findings = run(*TWO, *TWO_ACCOUNTS)
    assert code == 1
    assert failures(findings) == ["call: team-a", "stream: team-a", "tool turn: team-a"]
    paste = findings["call: team-a"]["paste"]
    assert f"add-iam-policy-binding team-a --member=serviceAccount:{ACCOUNTS[0]}" in paste
    assert findings["call: team-b"]["verdict"] == "ok"


def test_the_command_to_paste_is_of_the_one_that_fails(hosted):
    hosted.rule(http_error(429), service_account=ACCOUNTS[1])
    _, findings = run(*TWO, *TWO_ACCOUNTS)
    paste = shlex.split(findings["call: team-b"]["paste"])
    assert paste[2:8] == ["--project", "team-b", "--service-account", ACCOUNTS[1], "--location", "global"]


def test_one_of_each_is_checked_under_the_plain_names(hosted):
    code, findings = run("--project", "team-a", "--service-account", ACCOUNTS[0])
    assert code == 0
    assert list(findings) == [check.name for check in CHECKS]
    assert {entry.principal for entry in hosted.journal.chat} == {ACCOUNTS[0]}


def test_people_see_each_name(hosted):
    result = CliRunner().invoke(app, ["doctor", *TWO])
    assert result.exit_code == 0
    assert all(f"call: {team}" in result.stdout for team in ("team-a", "team-b"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((*TWO, "--service-account", ACCOUNTS[0]), "--project has 2 names, --service-account has 1."),
        (("--project", "team-a", "--project", "team-a"), "--project team-a, team-a has a name twice."),
        ((*TWO, "--base-url", "http://127.0.0.1:1/v1"), "--project together with --base-url"),
        (("--service-account", "me"), "--service-account has 'me', which is not a service account."),
        (("--project", "team-a", "--project", "YOUR_PROJECT"), "--project"),
    ],
)
def test_what_contradicts_is_named_by_the_options(monkeypatch, arguments, text):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    code, findings = run(*arguments)
    assert code == 1
    assert text in findings["location"]["text"]
    assert not {"projects", "service_accounts", "GOOGLE_CLOUD_PROJECT"} & set(findings["location"]["text"].split("="))
    assert findings["location"]["paste"].startswith("vertex-compat doctor")
    assert "ok" not in {finding["verdict"] for name, finding in findings.items() if ": " in name}


def test_a_refused_impersonation_names_the_role():
    case = case_for(projects=("team-a",), service_accounts=(ACCOUNTS[0],))
    paste = paste_for(CredentialsError("Unable to acquire impersonated credentials.", hint=IMPERSONATION_HINT), case)
    assert paste == (
        f"gcloud iam service-accounts add-iam-policy-binding {ACCOUNTS[0]} "
        "--member=user:YOUR_ADDRESS --role=roles/iam.serviceAccountTokenCreator"
    )


def test_the_quota_project_is_the_project_of_the_request(monkeypatch, tmp_path, emulator):
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "of-the-credentials")
    findings = look(case_for(projects=("team-a", "team-b")), "quota project")
    assert [finding.text for finding in findings.values()] == [
        "team-a (x-goog-user-project)",
        "team-b (x-goog-user-project)",
    ]
