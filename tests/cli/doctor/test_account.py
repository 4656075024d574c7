"""Checks of the credential: where it is from, what it may charge, whether it gives a token."""

import pytest

from tests.cli.doctor.examining import at, case_for, failed_only, look, run, use_credentials


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "other.json: "),
        ("{", "JSON"),
        ("{}", "no type"),
        ('{"type": "authorized_user"}', "without client_id, client_secret, refresh_token"),
    ],
)
def test_credentials_that_are_none(emulator, tmp_path, monkeypatch, content, reason):
    path = tmp_path / "other.json"
    if content:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    finding = failed_only(run(*at(emulator)), "credentials")
    assert reason in finding["text"]
    assert "gcloud auth application-default login" in finding["paste"]


def test_credentials_that_may_not_go_there(emulator):
    finding = failed_only(run("--base-url", emulator.base_url()), "credentials")
    assert f"--allow-host {emulator.url}" in finding["text"]


def test_a_project_that_nobody_names(emulator, tmp_path, monkeypatch):
    token_file = tmp_path / "subject"
    token_file.write_text("subject-token")
    use_credentials(monkeypatch, tmp_path, emulator.identity.external_account_info(emulator.url, token_file))
    finding = look(case_for(), "location", "credentials", "project")["project"]
    assert finding.verdict == "failed"
    assert finding.paste == "export GOOGLE_CLOUD_PROJECT=YOUR_PROJECT"


def test_a_quota_project_that_is_none(emulator, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "no project!")
    finding = failed_only(run(*at(emulator)), "quota project")
    assert "no project!" in finding["text"]
    assert "set-quota-project" in finding["paste"]


def test_a_user_without_a_quota_project_is_warned(emulator, tmp_path, monkeypatch):
    use_credentials(monkeypatch, tmp_path, emulator.identity.authorized_user_info(emulator.url))
    finding = look(case_for(), "location", "credentials", "quota project")["quota project"]
    assert finding.verdict == "warning"
    assert "set-quota-project" in finding.paste


def test_a_grant_that_is_dead(emulator):
    emulator.identity.fault("invalid_grant", times=9)
    finding = failed_only(run(*at(emulator)), "token")
    assert "invalid_grant" in finding["text"]
    assert finding["paste"] == "gcloud auth application-default login"
