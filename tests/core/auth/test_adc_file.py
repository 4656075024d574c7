"""The file of Application Default Credentials is where google-auth looks, and names its universe."""

import json
from pathlib import Path

import pytest

from vertex_compat_integrations.core.auth.adc_file import (
    ADC_VARIABLES,
    adc_path,
    resolve_adc_environment,
    resolve_adc_universe,
)


def test_the_variable_comes_before_the_folder_and_the_home():
    both = {"GOOGLE_APPLICATION_CREDENTIALS": "/key.json", "CLOUDSDK_CONFIG": "/config"}
    assert adc_path(both) == Path("/key.json")
    assert adc_path({"CLOUDSDK_CONFIG": "/config"}) == Path("/config/application_default_credentials.json")
    assert adc_path({}).parts[-2:] == ("gcloud", "application_default_credentials.json")


@pytest.mark.parametrize(
    ("content", "universe"),
    [
        (json.dumps({"universe_domain": "example.goog"}), "example.goog"),
        (json.dumps({"universe_domain": ""}), "googleapis.com"),
        (json.dumps({"type": "authorized_user"}), "googleapis.com"),
        (json.dumps(["no", "object"]), "googleapis.com"),
        ("no JSON", "googleapis.com"),
    ],
)
def test_the_universe_is_what_the_file_names_else_googles_own(tmp_path, content, universe):
    file = tmp_path / "adc.json"
    file.write_text(content)
    assert resolve_adc_universe({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}) == universe


def test_without_a_file_it_is_googles_own(tmp_path):
    assert resolve_adc_universe({"CLOUDSDK_CONFIG": str(tmp_path)}) == "googleapis.com"


def test_other_variables_are_other_credentials(monkeypatch):
    for name in ADC_VARIABLES:
        before = resolve_adc_environment()
        monkeypatch.setenv(name, "/elsewhere")
        assert resolve_adc_environment() != before
