"""A setting that cannot be is named as the user gave it, and the line to paste mends that and nothing else."""

import os
import re
import shlex

import pytest

from tests.cli.doctor.examining import at, case_for, look, run
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

NETWORK = re.compile(r"has no address|does not answer|Nothing answers")
"""A machine of tests reaches no Google."""


def failed_finding(*arguments: str) -> dict:
    code, findings = run(*arguments)
    assert code == 1
    return next(
        finding
        for finding in findings.values()
        if finding["verdict"] == "failed" and not NETWORK.search(finding["text"])
    )


@pytest.mark.parametrize(
    ("arguments", "text", "paste"),
    [
        (["--location", "US West"], "--location 'US West' is not a valid Google Cloud location", "--location global"),
        (
            ["--project", "my project!"],
            "--project 'my project!' is not a valid Google Cloud project",
            "--project YOUR_PROJECT",
        ),
        (["--model", "foo bar"], "--model 'foo bar' is not a valid model name", ""),
        (["--model", "gpt-9z"], "--model 'gpt-9z'", ""),
        (["--base-url", "htp:/x"], "--base-url 'htp:/x' is not an http(s) URL", ""),
    ],
)
def test_the_option_is_named_when_the_option_is_wrong(monkeypatch, arguments, text, paste):
    """Whatever the environment says: `unset` would change nothing."""
    for name in ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.setenv(name, "global" if "LOCATION" in name else "my-project")
    finding = failed_finding(*arguments, "--allow-host", "example.com")
    assert text in finding["text"]
    assert "=" not in finding["text"].partition(" ")[0]
    assert finding["paste"].startswith("vertex-compat doctor")
    assert paste in finding["paste"]
    assert arguments[1] not in shlex.split(finding["paste"])
    assert "--allow-host example.com" in finding["paste"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOOGLE_CLOUD_LOCATION", "NO WHERE"),
        ("GOOGLE_CLOUD_REGION", "a b"),
        ("GCLOUD_PROJECT", "my project!"),
        ("GOOGLE_CLOUD_PROJECT", "my project!"),
    ],
)
def test_the_variable_is_named_when_the_variable_is_wrong(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    finding = failed_finding()
    assert f"{variable}={value!r} is no" in finding["text"]
    assert finding["paste"] == f"unset {variable}"


def test_an_emulator_elsewhere_is_taken_away(monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, "example.com:80")
    finding = failed_finding()
    assert EMULATOR_HOST_VARIABLE in finding["text"]
    assert "--allow-host" in finding["text"]
    assert finding["paste"] == f"unset {EMULATOR_HOST_VARIABLE}"


def test_a_host_that_may_not_have_the_credential_is_allowed_by_the_option(emulator):
    finding = failed_finding("--base-url", emulator.base_url())
    assert "allow_hosts" not in finding["text"]
    assert "--allow-host" in finding["text"]
    code, _ = run(*shlex.split(finding["paste"])[2:])
    assert code == 0


def test_what_is_pasted_keeps_the_other_options():
    case = case_for(location="nowhere at all", project="mine", allow_hosts=["a.example"])
    assert os.environ.get("GOOGLE_CLOUD_LOCATION") is None
    paste = look(case, "location")["location"].paste
    assert paste == "vertex-compat doctor --project mine --location global --allow-host a.example"


def test_what_is_well_is_named_by_nobody(emulator):
    assert run(*at(emulator))[0] == 0
