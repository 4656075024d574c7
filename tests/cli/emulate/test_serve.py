"""`vertex-compat emulate`: what it prints, what it serves, and that it keeps what others send to itself."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.oauth2.service_account import Credentials
from typer.testing import CliRunner

from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations import openai_client
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.emulate.serve import address_lines
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

ROOT = Path(__file__).parents[3]
MODEL = "google/gemini-3.5-flash"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@contextmanager
def _emulating(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [sys.executable, "-m", "vertex_compat_integrations", "emulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    printed, complained = process.communicate(timeout=LONG_SECONDS)
    return process.returncode, printed, complained


def _ask(host: str, path: str) -> int:
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_serves_real_google_auth_and_prints_neither_token_nor_body(tmp_path):
    key_file = tmp_path / "key.json"
    with _emulating("--json", "--service-account", str(key_file)) as process:
        address = json.loads(process.stdout.readline())
        credentials = Credentials.from_service_account_file(address["service_account"], scopes=[SCOPE])
        client = openai_client(base_url=address["base_url"], allow_hosts=[address["url"]], credentials=credentials)
        with client:
            answer = client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Say the password swordfish."}]
            )
        assert "swordfish" in answer.choices[0].message.content
        assert _ask(address["host"], "/nowhere?key=swordfish") == 404
        code, printed, complained = _end(process)
    assert (code, complained) == (0, "")
    assert [json.loads(line) for line in printed.splitlines()] == [
        {"method": "POST", "path": "/token", "status": 200},
        {
            "method": "POST",
            "path": "/v1/projects/demo/locations/global/endpoints/openapi/chat/completions",
            "status": 200,
        },
        {"method": "GET", "path": "/nowhere", "status": 404},
    ]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_what_to_paste_a_line_for_each_request_and_ends_well(number):
    with _emulating() as process:
        head = [process.stdout.readline() for _ in range(7)]
        line = next(line for line in head if EMULATOR_HOST_VARIABLE in line)
        host = line.strip().removeprefix(f"export {EMULATOR_HOST_VARIABLE}=")
        assert _ask(host, "/a%1b[31m%0Ab") == 404
        code, printed, _ = _end(process, number)
    assert code == 0
    assert printed.splitlines() == [r"GET /a\x1b[31m\nb 404", "Stopped."]
    assert any("--service-account FILE" in line for line in head)


def test_the_printed_variable_is_all_that_a_client_needs(monkeypatch):
    with _emulating("--json") as process:
        host = json.loads(process.stdout.readline())["host"]
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, host)
        with openai_client() as client:
            answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hello"}])
        code, printed, complained = _end(process)
    assert answer.system_fingerprint.startswith("vertex-compat-emulator")
    assert (code, complained) == (0, "")
    assert EMULATOR_TOKEN not in printed


def test_tokens_live_as_long_as_is_said(tmp_path):
    with _emulating("--json", "--token-life", "70", "--service-account", str(tmp_path / "key.json")) as process:
        address = json.loads(process.stdout.readline())
        info = json.loads((tmp_path / "key.json").read_text())
        assert info["token_uri"] == f"{address['url']}/token"
        import google.auth.transport.requests

        credentials = Credentials.from_service_account_info(info, scopes=[SCOPE])
        with google.auth.transport.requests.requests.Session() as session:
            credentials.refresh(google.auth.transport.requests.Request(session))
        _end(process)
    import datetime

    left = credentials.expiry - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert 10 < left.total_seconds() <= 70


def test_a_taken_port_is_told_on_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with _emulating("--port", port) as process:
            printed, complained = process.communicate(timeout=LONG_SECONDS)
    assert process.returncode == 1
    assert printed == ""
    assert complained.startswith("vertex-compat: ")
    assert port in complained
    assert "--port" in complained
    assert complained.count("\n") == 1


@pytest.mark.parametrize("content", ['{"private_key_id": "of-somebody-else"}', "[]", "no JSON"])
def test_a_file_of_somebody_else_is_not_overwritten(tmp_path, content):
    path = tmp_path / "key.json"
    path.write_text(content)
    interrupted = signal.getsignal(signal.SIGINT)
    result = CliRunner().invoke(app, ["emulate", "--service-account", str(path)])
    assert result.exit_code == 1
    assert "name another file" in result.output
    assert path.read_text() == content
    assert signal.getsignal(signal.SIGINT) is interrupted


def test_its_own_key_file_is_written_anew(tmp_path):
    path = tmp_path / "key.json"
    ports = []
    for _ in range(2):
        with _emulating("--json", "--service-account", str(path)) as process:
            ports.append(json.loads(process.stdout.readline())["url"])
            _end(process)
    assert json.loads(path.read_text())["token_uri"] == f"{ports[1]}/token"


RECORD = {"host": "h:1", "url": "http://h:1", "base_url": "http://h:1/v1", "service_account": "/a b/key.json"}


def test_who_has_a_proxy_is_told_to_go_round_it():
    assert "NO_PROXY" in "\n".join(address_lines(RECORD, {"HTTP_PROXY": "http://proxy:3128"}))
    assert "NO_PROXY" not in "\n".join(address_lines(RECORD, {"HTTP_PROXY": ""}))


def test_lines_to_paste_survive_a_shell():
    assert "  export GOOGLE_APPLICATION_CREDENTIALS='/a b/key.json'" in list(address_lines(RECORD, {}))
