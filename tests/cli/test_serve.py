"""`vertex-compat serve`: what it prints, what it serves, and that it ends well."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import openai
import pytest
from typer.testing import CliRunner

from tests.support.busy_machine import LONG_SECONDS, eventually
from tests.support.large_media import BUCKET, picture, user
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.serve_and_run import PROXY_KEY_VARIABLE, exchange_line, exchange_record
from vertex_compat_integrations.emulator import Emulator, drip, hang, text
from vertex_compat_integrations.proxy import Exchange

ROOT = Path(__file__).parents[2]
MODEL = "google/gemini-3.5-flash"
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say swordfish."}]}


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@contextmanager
def serving(emulator, folder, *arguments, **environment):
    path = folder / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "OPENAI_", "VERTEX_"))}
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "vertex_compat_integrations", "serve", *there, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**kept, "GOOGLE_APPLICATION_CREDENTIALS": str(path), "NO_PROXY": "127.0.0.1", **environment},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def end(process, number=signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    printed, complained = process.communicate(timeout=LONG_SECONDS)
    return process.returncode, printed, complained


def opened(exports) -> openai.OpenAI:
    http_client = openai.DefaultHttpxClient(trust_env=False)
    key, base_url = exports["OPENAI_API_KEY"], exports["OPENAI_BASE_URL"]
    return openai.OpenAI(api_key=key, base_url=base_url, http_client=http_client, max_retries=0)


def ask(exports, *more) -> str:
    with opened(exports) as client:
        messages = [{"role": "user", "content": "Say swordfish."}, *more]
        return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def test_it_prints_what_to_paste_a_line_for_each_request_and_ends_well(emulator, tmp_path):
    with serving(emulator, tmp_path, "--map", f"gpt-4o={MODEL}") as process:
        head = "".join(process.stdout.readline() for _ in range(7))
        exports = dict(re.findall(r"^  export (\w+)=(\S+)$", head, re.MULTILINE))
        assert f"It forwards requests to {emulator.base_url()}." in head
        assert "swordfish" in ask(exports)
        code, printed, complained = end(process, signal.SIGTERM)
    assert exports.keys() == {"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"}
    assert (code, complained) == (0, "")
    assert printed.splitlines() == [f"POST /v1/chat/completions gpt-4o → {MODEL} 200", "Stopped."]


def test_programs_get_json(emulator, tmp_path):
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json") as process:
        assert "swordfish" in ask(json.loads(process.stdout.readline()))
        code, printed, complained = end(process)
    assert (code, complained) == (0, "")
    record = {"method": "POST", "path": "/v1/chat/completions", "asked": "gpt-4o", "model": MODEL, "status": 200}
    assert [json.loads(line) for line in printed.splitlines()] == [{**record, "failure": None}]


def test_histories_are_mended_where_that_is_asked_for(emulator, tmp_path):
    called = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    cancelled = {"role": "assistant", "tool_calls": [called]}
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json") as process:
        with pytest.raises(openai.BadRequestError, match="has no result"):
            ask(json.loads(process.stdout.readline()), cancelled)
        end(process)
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json", "--repair-history") as process:
        assert ask(json.loads(process.stdout.readline()), cancelled)
        code, _, complained = end(process)
    assert code == 0
    assert "The history was repaired (repair_history)" in complained
    assert emulator.journal.last.messages[-1]["content"] == "not run"


def test_large_media_are_uploaded_where_a_bucket_is_named(emulator, tmp_path):
    arguments = ("--map", f"*={MODEL}", "--json", "--media-bucket", BUCKET)
    with serving(emulator, tmp_path, *arguments, STORAGE_EMULATOR_HOST=emulator.url) as process:
        assert ask(json.loads(process.stdout.readline()), *user(picture()))
        assert end(process)[0] == 0
    assert emulator.journal.last.messages[-1]["content"][-1]["image_url"]["url"] in emulator.storage.objects


def test_a_taken_port_is_told_on_one_line(emulator, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with serving(emulator, tmp_path, "--port", port) as process:
            printed, complained = process.communicate(timeout=LONG_SECONDS)
    assert (process.returncode, printed) == (1, "")
    assert complained.startswith("vertex-compat: ")
    assert port in complained
    assert "--port" in complained
    assert complained.count("\n") == 1


KEY = "0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "the key.txt"
    path.write_text(KEY + "\n")
    return path


@pytest.mark.parametrize("way", ["file", "variable", "file before variable"])
def test_a_named_key_is_used_and_never_printed(emulator, tmp_path, key_file, way):
    arguments = [] if way == "variable" else ["--key-file", str(key_file)]
    environment = {} if way == "file" else {PROXY_KEY_VARIABLE: KEY if way == "variable" else KEY[::-1]}
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", *arguments, **environment) as process:
        head = "".join(process.stdout.readline() for _ in range(7))
        base_url = re.search(r"OPENAI_BASE_URL=(\S+)", head)[1]
        [line] = re.findall(r"^  (export OPENAI_API_KEY=.*)$", head, re.MULTILINE)
        assert "swordfish" in ask({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": base_url})
        code, printed, complained = end(process)
    assert code == 0
    assert KEY not in head + printed + complained
    done = subprocess.run(
        ["sh", "-c", f'{line}; printf %s "$OPENAI_API_KEY"'],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], **environment},
    )
    assert done.stdout == KEY


def test_programs_do_not_get_a_named_key_either(emulator, tmp_path, key_file):
    with serving(emulator, tmp_path, "--json", "--key-file", str(key_file)) as process:
        assert json.loads(process.stdout.readline()).keys() == {"OPENAI_BASE_URL", "OPENAI_API_BASE"}
        end(process)


@pytest.mark.parametrize(
    ("arguments", "key", "reason"),
    [
        ((), "", f"The key in {PROXY_KEY_VARIABLE} is empty"),
        ((), "changeme", "shorter than 24 characters"),
        (("--key-file", "{folder}/short"), None, "short is shorter than 24 characters"),
        (("--key-file", "{folder}/empty"), None, "empty is empty"),
        (("--key-file", "{folder}/missing"), None, "cannot be read: No such file or directory"),
        (("--key-file", "{folder}"), None, "cannot be read: Is a directory"),
        (("--key-file", "{folder}/bytes"), None, "cannot be read: it is not a text file"),
        (("--host", "0.0.0.0"), None, "--allow 10.8.0.0/16. For TLS, put a reverse proxy"),
        (("--host", "0.0.0.0", "--allow", "0.0.0.0/0"), None, "allows every address"),
        (("--access-log", "{folder}/missing/log"), None, "cannot be written: No such file or directory"),
    ],
)
def test_what_would_not_be_safe_is_wrong_usage(tmp_path, monkeypatch, arguments, key, reason):
    (tmp_path / "short").write_text("sesame")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe" * 20)
    monkeypatch.delenv(PROXY_KEY_VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(PROXY_KEY_VARIABLE, key)
    given = [argument.format(folder=tmp_path) for argument in arguments]
    done = CliRunner().invoke(app, ["serve", "--base-url", "http://127.0.0.1:9/v1", *given])
    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert "changeme" not in done.stderr
    assert "sesame" not in done.stderr


def test_an_access_log_on_the_output_is_nothing_but_json(emulator, tmp_path, key_file):
    arguments = ["--map", f"*={MODEL}", "--access-log", "-", "--key-file", str(key_file)]
    with serving(emulator, tmp_path, *arguments) as process:
        head = "".join(process.stderr.readline() for _ in range(7))
        base_url = re.search(r"OPENAI_BASE_URL=(\S+)", head)[1]
        ask({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": base_url})
        code, printed, complained = end(process, signal.SIGTERM)
    assert (code, complained) == (0, "Stopped.\n")
    (line,) = map(json.loads, printed.splitlines())
    assert (line["asked"], line["model"], line["status"]) == ("gpt-4o", MODEL, 200)
    assert line["tokens_out"] > 0


def test_an_access_log_in_a_file_stands_beside_the_lines_for_people(emulator, tmp_path):
    log = tmp_path / "access.jsonl"
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json", "--access-log", str(log)) as process:
        ask(json.loads(process.stdout.readline()))
        _, printed, _ = end(process)
    assert json.loads(printed)["path"] == json.loads(log.read_text())["path"] == "/v1/chat/completions"


def test_others_networks_are_named_and_tls_is_left_to_whom(emulator, tmp_path):
    arguments = ["--host", "0.0.0.0", "--allow", "10.8.0.0/16", "--allow", "127.0.0.1", "--name", "localhost"]
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", *arguments) as process:
        head = "".join(process.stdout.readline() for _ in range(8))
        exports = dict(re.findall(r"^  export (\w+)=(\S+)$", head, re.MULTILINE))
        assert "swordfish" in ask(exports)
        end(process)
    assert "for clients in 10.8.0.0/16, 127.0.0.1 with its key" in head
    assert "for TLS, put a reverse proxy in front" in head
    assert exports["OPENAI_BASE_URL"].startswith("http://localhost:")


def test_counts_of_the_wire_are_an_option(emulator, tmp_path):
    usage = {"prompt_tokens": 11, "completion_tokens": 15, "total_tokens": 58}
    completion_tokens = []
    for option in ((), ("--raw-usage",)):
        emulator.answer(text("Hi", usage=usage))
        with serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json", *option) as process:
            with opened(json.loads(process.stdout.readline())) as client:
                answer = client.chat.completions.create(**BODY)
            end(process)
        completion_tokens.append(answer.usage.completion_tokens)
    assert completion_tokens == [47, 15]


def test_sigterm_waits_for_what_is_under_way(emulator, tmp_path):
    emulator.answer(drip(0.1, text("one two three four five six seven eight")))
    with serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json", "--drain-seconds", "60") as process:
        with opened(json.loads(process.stdout.readline())) as client:
            stream = iter(client.chat.completions.create(**BODY, stream=True))
            first = next(stream)
            process.send_signal(signal.SIGTERM)
            words = [piece.choices[0].delta.content or "" for piece in (first, *stream) if piece.choices]
        printed, complained = process.communicate(timeout=LONG_SECONDS)
    assert "".join(words) == "one two three four five six seven eight"
    assert (process.returncode, complained) == (0, "")
    assert json.loads(printed)["status"] == 200


@pytest.mark.parametrize(
    ("signals", "drain_seconds", "complaint"),
    [
        ([signal.SIGTERM], "0.1", "vertex-compat: Requests that were still running are cut off.\n"),
        ([signal.SIGTERM, signal.SIGTERM], "3600", "vertex-compat: Requests that were still running are cut off.\n"),
        ([signal.SIGTERM, signal.SIGINT], "3600", "vertex-compat: Requests that were still running are cut off.\n"),
        ([signal.SIGINT], "3600", ""),
    ],
)
def test_but_no_longer_than_it_was_told_and_ctrl_c_does_not(emulator, tmp_path, signals, drain_seconds, complaint):
    emulator.answer(hang())
    with (
        serving(emulator, tmp_path, "--map", f"*={MODEL}", "--json", "--drain-seconds", drain_seconds) as process,
        opened(json.loads(process.stdout.readline())) as client,
    ):
        asking = threading.Thread(target=lambda: suppressed(client), daemon=True)
        asking.start()
        while not emulator.journal.chat:
            time.sleep(0.01)
        *first, last = signals
        for number in first:
            process.send_signal(number)
            assert eventually(lambda: is_draining(client))
        process.send_signal(last)
        printed, complained = process.communicate(timeout=LONG_SECONDS)
        asking.join(LONG_SECONDS)
    assert (process.returncode, complained) == (0, complaint)
    assert json.loads(printed)["status"] is None


def is_draining(client) -> bool:
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=10)
    with closing(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 503


def suppressed(client) -> None:
    with suppress(openai.APIConnectionError):
        client.chat.completions.create(**BODY)


def test_what_others_send_is_shown_not_obeyed():
    exchange = Exchange("POST", "/\x1b[31m", "gpt\n4o", MODEL, None, "StreamInterruptedError")
    assert exchange_line(exchange) == rf"POST /\x1b[31m gpt\n4o → {MODEL} disconnected StreamInterruptedError"
    assert exchange_record(exchange)["status"] is None
