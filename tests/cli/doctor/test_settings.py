"""Checks of settings: location, model, proxy, certificate authorities."""

import pytest
from typer.testing import CliRunner

from tests.cli.doctor.examining import at, failed_only, look, run
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE


def test_the_emulators_variable_is_a_warning(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    code, findings = run()
    assert code == 0
    assert findings["location"]["verdict"] == "warning"
    assert findings["location"]["paste"] == f"unset {EMULATOR_HOST_VARIABLE}"
    assert findings["tool turn"]["verdict"] == "ok"


def test_a_location_that_cannot_be(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "NO WHERE")
    finding = failed_only(run(), "location")
    assert "NO WHERE" in finding["text"]
    assert "unset GOOGLE_CLOUD_LOCATION" in finding["paste"]


@pytest.mark.parametrize(
    ("arguments", "reason", "paste"),
    [
        (["--model", "deepseek-ai/deepseek-v3.1", "--location", "global"], "not at global", "--location us-"),
        (["--model", "intfloat/multilingual-e5-small-maas"], "embedding model", "--model google/gemini"),
        (["--model", "google/gemini-3.8-flash-tts"], "but on generateContent", "--model google/gemini"),
        (["--model", "llama-4-maas"], "no publisher", "--model google/gemini"),
    ],
)
def test_a_model_that_will_not_answer(emulator, arguments, reason, paste):
    finding = failed_only(run(*at(emulator), *arguments), "model")
    # Of a retired model its end is told first.
    assert reason in finding["text"] or "out of service" in finding["text"]
    assert paste in finding["paste"] or "--model" in finding["paste"]


def test_a_model_that_is_retired(emulator):
    case = Case(Connection(location="global"), "google/gemini-2.5-flash-lite", {})
    finding = look(case, "location", "model")["model"]
    assert (finding.verdict, "out of service on 2026-10-20" in finding.text) == ("failed", True)
    assert finding.paste == "vertex-compat doctor --location global --model google/gemini-3.1-flash-lite"


def test_a_proxy_that_nobody_listens_at_and_whose_password_is_not_told(emulator, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://user:swordfish@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    result = CliRunner().invoke(app, ["doctor", "--json", *at(emulator)])
    assert "swordfish" not in result.output
    finding = failed_only(run(*at(emulator)), "proxy")
    assert "127.0.0.1:9" in finding["text"]
    assert "unset HTTPS_PROXY" in finding["paste"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read(emulator, tmp_path, monkeypatch, content):
    path = tmp_path / "authorities.pem"
    if content:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    finding = failed_only(run(*at(emulator)), "certificate authorities")
    assert str(path) in finding["text"]
    assert finding["paste"] == "unset SSL_CERT_FILE"
