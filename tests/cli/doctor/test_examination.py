"""`vertex-compat doctor`: all well on the emulator; each check made to fail, named, with a line to paste."""

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.doctor.examining import at, run
from tests.support.busy_machine import calmest
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor import case, installed
from vertex_compat_integrations.cli.doctor.examination import CHECKS, Examined, summary
from vertex_compat_integrations.cli.doctor.finding import Finding
from vertex_compat_integrations.emulator import (
    hang,
    http_error,
)
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[3]
PLANNED_SECONDS = case.SECONDS
NAMES = [check.name for check in CHECKS]


@pytest.fixture
def compatible_pydantic(monkeypatch):
    """No warning about pydantic, whichever is installed."""
    monkeypatch.setattr(installed, "PYDANTIC_THAT_BREAKS", (99,))


@pytest.mark.usefixtures("compatible_pydantic")
def test_all_is_well_on_the_emulator_with_real_google_auth(emulator):
    began = time.process_time()
    code, findings = run(*at(emulator))
    assert time.process_time() - began < 15
    assert code == 0
    assert list(findings) == NAMES
    assert len(NAMES) >= 12
    assert {finding["verdict"] for finding in findings.values()} <= {"ok", "skipped"}
    assert "service_account.Credentials" in findings["credentials"]["text"]
    assert "signature sent back" in findings["tool turn"]["text"]
    assert len(emulator.journal.chat) == 4
    assert len(emulator.identity.token_requests) == 1


def test_people_get_a_line_for_each_check_and_what_to_paste(emulator):
    emulator.rule(http_error(429))
    result = CliRunner().invoke(app, ["doctor", *at(emulator)])
    assert result.exit_code == 1
    assert all(name in result.stdout for name in NAMES)
    assert "    vertex-compat doctor --location global" in result.stdout
    assert "3 failed" in result.stdout.splitlines()[-1]


def verdicts(*words: str) -> list[Examined]:
    return [Examined(str(place), Finding(word, "-")) for place, word in enumerate(words)]


def test_a_warning_is_not_counted_as_passed():
    counted = summary(verdicts("ok", "warning", "ok", "skipped", "failed", "warning"))
    assert counted == "2 of 6 checks passed, 2 with warnings (!), 1 failed, 1 skipped (-)"
    assert summary(verdicts("ok", "ok")) == "2 of 2 checks passed, 0 failed"


@pytest.mark.usefixtures("compatible_pydantic")
def test_the_emulators_warning_stands_in_the_last_line(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    last = CliRunner().invoke(app, ["doctor"]).stdout.splitlines()[-1]
    passed = len(NAMES) - 1 - last.count("skipped")
    assert last.startswith(f"{passed} of {len(NAMES)} checks passed, 1 with warnings (!)")


def test_an_endpoint_that_never_answers_takes_15_seconds_at_most(emulator, monkeypatch):
    """It plans for 13; the calmest of three times tells, since other programs may take the rest."""
    monkeypatch.setattr(case, "SECONDS", PLANNED_SECONDS)
    emulator.rule(hang())

    def seconds() -> float:
        began = time.monotonic()
        code, findings = run(*at(emulator))
        took = time.monotonic() - began
        assert code == 1
        assert [name for name in NAMES if findings[name]["verdict"] == "failed"] == ["call", "stream", "tool turn"]
        assert all(findings[name]["paste"] for name in ("call", "stream", "tool turn"))
        return took

    assert calmest(seconds, 15, tries=3) < 15


def test_a_setting_that_cannot_be_ends_with_2(emulator):
    result = CliRunner().invoke(app, ["doctor", "--json", "--port", "1"])
    assert result.exit_code == 2
