"""`vertex-compat doctor`: all well on the emulator; each check made to fail, named, with a line to paste."""

import http.server
import json
import os
import socket
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vertex_compat_integrations import __version__
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.doctor.case import Case
from vertex_compat_integrations.cli.doctor.examination import CHECKS, examine
from vertex_compat_integrations.cli.doctor.installed import check_python, check_sdk, is_in
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import (
    Emulator,
    completion,
    cut,
    hang,
    html,
    http_error,
    redirect,
    text,
    tool_call,
)
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[3]
NAMES = [check.name for check in CHECKS]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def environment(emulator, tmp_path, monkeypatch):
    """Application Default Credentials of a service account, whose tokens come from the emulator."""
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "GCLOUD_", "CLOUDSDK_", "VERTEX_COMPAT")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    use_credentials(monkeypatch, tmp_path, emulator.identity.service_account_info(emulator.url))


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


def case_for(**connection) -> Case:
    return Case(Connection(**connection), "google/gemini-3.5-flash", os.environ, date(2026, 11, 1))


def look(case: Case, *names: str) -> dict:
    return {each.name: each.finding for each in examine(case, [check for check in CHECKS if check.name in names])}


def test_all_is_well_on_the_emulator_with_real_google_auth(emulator):
    began = time.monotonic()
    code, findings = run(*at(emulator))
    assert time.monotonic() - began < 15
    assert code == 0
    assert list(findings) == NAMES
    assert len(NAMES) >= 12
    assert {finding["verdict"] for finding in findings.values()} <= {"ok", "skipped"}
    assert "service_account.Credentials" in findings["credentials"]["text"]
    assert "signature sent back" in findings["tool turn"]["text"]
    assert len(emulator.journal.chat) == 4
    assert len(emulator.identity.token_requests) == 1


def test_the_emulators_variable_is_a_warning(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    code, findings = run()
    assert code == 0
    assert findings["location"]["verdict"] == "warning"
    assert findings["location"]["paste"] == f"unset {EMULATOR_HOST_VARIABLE}"
    assert findings["tool turn"]["verdict"] == "ok"


def test_people_get_a_line_for_each_check_and_what_to_paste(emulator):
    emulator.rule(http_error(429))
    result = CliRunner().invoke(app, ["doctor", *at(emulator)])
    assert result.exit_code == 1
    assert all(name in result.stdout for name in NAMES)
    assert "    vertex-compat doctor --location global" in result.stdout
    assert "3 failed" in result.stdout.splitlines()[-1]


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


def test_a_location_that_cannot_be(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "NO WHERE")
    finding = failed_only(run(), "location")
    assert "NO WHERE" in finding["text"]
    assert "unset GOOGLE_CLOUD_LOCATION" in finding["paste"]


@pytest.mark.parametrize(
    ("arguments", "reason", "paste"),
    [
        (["--model", "deepseek-ai/deepseek-v3.1", "--location", "global"], "not at global", "GOOGLE_CLOUD_LOCATION="),
        (["--model", "intfloat/multilingual-e5-small-maas"], "embeds", "--model google/gemini"),
        (["--model", "llama-4-maas"], "no publisher", ""),
    ],
)
def test_a_model_that_will_not_answer(emulator, arguments, reason, paste):
    finding = failed_only(run(*at(emulator), *arguments), "model")
    # Of a retired model its end is told first.
    assert reason in finding["text"] or "out of service" in finding["text"]
    assert paste in finding["paste"] or "--model" in finding["paste"]


def test_a_model_that_is_retired(emulator):
    case = Case(Connection(location="global"), "google/gemini-2.5-flash-lite", {}, date(2027, 1, 1))
    finding = look(case, "location", "model")["model"]
    assert (finding.verdict, "out of service on 2026-10-16" in finding.text) == ("failed", True)
    assert finding.paste == "vertex-compat doctor --model google/gemini-3.1-flash-lite --location global"


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


def test_a_host_name_without_an_address():
    there = "https://nowhere.invalid"
    finding = failed_only(run("--base-url", f"{there}/v1", "--allow-host", there), "host name")
    assert finding["paste"] == "nslookup nowhere.invalid"


def test_a_host_that_does_not_answer(emulator):
    with socket.create_server(("127.0.0.1", 0)) as server:
        origin = f"http://127.0.0.1:{server.getsockname()[1]}"
    finding = failed_only(run("--base-url", f"{origin}/v1", "--allow-host", origin), "connection")
    assert finding["paste"] == f"curl -sv {origin} -o /dev/null"


@contextmanager
def server_with_date(seconds_off: float) -> Iterator[str]:
    """A server whose clock goes wrong, in its `Date` header."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("content-length", "0")
            self.end_headers()

        def date_time_string(self, timestamp=None) -> str:
            return super().date_time_string(time.time() + seconds_off)

        def log_message(self, *_) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("seconds", "side"), [(600, "behind"), (-600, "ahead of")])
def test_a_clock_that_goes_wrong(seconds, side):
    with server_with_date(seconds) as origin:
        findings = look(
            case_for(base_url=f"{origin}/v1", allow_hosts=[origin]),
            *("location", "proxy", "certificate authorities", "host name", "connection", "clock"),
        )
    assert findings["connection"].verdict == "ok"
    assert findings["clock"].verdict == "failed"
    assert side in findings["clock"].text
    assert findings["clock"].paste


@pytest.mark.parametrize(("content", "reason"), [(None, "FileNotFoundError"), ("{", "no JSON"), ("{}", "no type")])
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
    assert "allow_hosts" in finding["text"]


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


DISABLED = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}


@pytest.mark.parametrize(
    ("fault", "said", "paste"),
    [
        (http_error(401, "Bad token."), "401", "gcloud auth application-default login"),
        (http_error(403, "Denied."), "403", "gcloud projects add-iam-policy-binding"),
        (http_error(403, "Disabled.", details=[DISABLED]), "403", "gcloud services enable aiplatform.googleapis.com"),
        (http_error(404, "Not here."), "404", "--location global"),
        (http_error(429), "429", "--location global"),
        (http_error(503, "Down."), "503", "curl -sv"),
        (html(), "HTML page", "curl -sv"),
        (redirect("http://127.0.0.1:9/"), "", "curl -sv"),
    ],
    ids=["401", "403", "disabled", "404", "429", "503", "page", "redirect"],
)
def test_a_call_that_is_refused(emulator, fault, said, paste):
    emulator.rule(fault, when=lambda body: not body.get("stream") and not body.get("tools"))
    finding = failed_only(run(*at(emulator)), "call")
    assert said in finding["text"]
    assert paste in finding["paste"]


def test_a_stream_that_breaks_off(emulator):
    emulator.rule(cut(1, "clean"), when=lambda body: bool(body.get("stream")))
    finding = failed_only(run(*at(emulator)), "stream")
    assert "without a finish reason" in finding["text"]


def unsigned_call():
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    message = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
    return completion({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]})


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([text("It rains.")], "called no tool"),
        ([unsigned_call()], "without its thought signature"),
        ([tool_call("get_weather", {"city": "Paris"}), http_error(400, "Refused.")], "400"),
    ],
    ids=["no call", "no signature", "second turn"],
)
def test_a_tool_turn_that_goes_wrong(emulator, answers, said):
    emulator.rule(answers, when=lambda body: bool(body.get("tools")))
    assert said in failed_only(run(*at(emulator)), "tool turn")["text"]


def test_an_endpoint_that_never_answers_takes_15_seconds_at_most(emulator):
    emulator.rule(hang())
    began = time.monotonic()
    code, findings = run(*at(emulator))
    assert time.monotonic() - began < 15
    assert code == 1
    assert [name for name in NAMES if findings[name]["verdict"] == "failed"] == ["call", "stream", "tool turn"]
    assert all(findings[name]["paste"] for name in ("call", "stream", "tool turn"))


def test_a_setting_that_cannot_be_ends_with_2(emulator):
    result = CliRunner().invoke(app, ["doctor", "--json", "--port", "1"])
    assert result.exit_code == 2
