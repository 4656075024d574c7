"""Whom the command asks, and what it knows to be secret."""

import json
import socket
from pathlib import Path

import pytest

from vertex_compat_integrations.cli.verify.connect import (
    location_of,
    opened_emulator,
    opened_service,
    secrets_of,
    target_of,
)
from vertex_compat_integrations.cli.verify.probes.probe import ask
from vertex_compat_integrations.cli.verify.report import EMULATED, LIVE
from vertex_compat_integrations.cli.verify.service import Place, Sending
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE


@pytest.fixture
def credentials(emulator: Emulator, tmp_path, monkeypatch):
    """Application Default Credentials whose tokens come from the emulator."""
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


@pytest.mark.usefixtures("credentials")
def test_the_token_and_the_project_are_secret():
    secrets = secrets_of(target_of("my-project-12", None))
    assert any(secret.startswith("ya29.") for secret in secrets)
    assert {"my-project-12", str(Path.home()), socket.gethostname()} <= set(secrets)


@pytest.mark.usefixtures("credentials")
def test_without_the_variable_vertex_ai_is_meant():
    with opened_service(target_of("my-project-12", "eu")) as service:
        assert service.name == LIVE
    assert location_of(target_of("my-project-12", "eu")) == "eu"
    assert location_of(target_of("my-project-12", None)) == "global"


def test_no_credential_is_an_error_before_anything_is_sent(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(CredentialsError):
        secrets_of(target_of("my-project-12", None))


def test_an_odd_location_is_refused():
    with pytest.raises(SettingsError):
        target_of("my-project-12", "NOWHERE")


def test_the_variable_sends_requests_to_the_emulator_at_the_location_that_is_named(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    with opened_service(target_of("my-project-12", "us")) as service:
        assert service.name == EMULATED
        for place, location in ((Place(), "us"), (Place("eu"), "eu")):
            assert service.ask(Sending(ask(), place)).is_good
            entry = emulator.journal.last
            assert (entry.project, entry.location) == ("my-project-12", location)


def test_the_emulator_of_this_process_is_another_one(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    before = len(emulator.journal)
    with opened_emulator("us") as service:
        assert service.ask(Sending(ask())).is_good
    assert len(emulator.journal) == before
