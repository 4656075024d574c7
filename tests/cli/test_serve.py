"""`vertex-compat serve`: what it prints, what it serves, and that it ends well."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

from vertex_compat_integrations.cli.serve_and_run import exchange_line, exchange_record
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.proxy import Exchange

ROOT = Path(__file__).parents[2]
MODEL = "google/gemini-3.5-flash"


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@contextmanager
def serving(emulator, folder, *arguments):
    path = folder / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "OPENAI_"))}
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "vertex_compat_integrations", "serve", *there, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**kept, "GOOGLE_APPLICATION_CREDENTIALS": str(path), "NO_PROXY": "127.0.0.1"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def end(process, number=signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    printed, complained = process.communicate(timeout=10)
    return process.returncode, printed, complained


def ask(exports, *more) -> str:
    http_client = openai.DefaultHttpxClient(trust_env=False)
    key, base_url = exports["OPENAI_API_KEY"], exports["OPENAI_BASE_URL"]
    with openai.OpenAI(api_key=key, base_url=base_url, http_client=http_client) as client:
        messages = [{"role": "user", "content": "Say swordfish."}, *more]
        return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def test_it_prints_what_to_paste_a_line_for_each_request_and_ends_well(emulator, tmp_path):
    with serving(emulator, tmp_path, "--map", f"gpt-4o={MODEL}") as process:
        head = "".join(process.stdout.readline() for _ in range(7))
        exports = dict(re.findall(r"^  export (\w+)=(\S+)$", head, re.MULTILINE))
        assert f"It asks {emulator.base_url()}." in head
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
    assert "The history was mended (repair_history)" in complained
    assert emulator.journal.last.messages[-1]["content"] == "not run"


def test_a_taken_port_is_told_on_one_line(emulator, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with serving(emulator, tmp_path, "--port", port) as process:
            printed, complained = process.communicate(timeout=30)
    assert (process.returncode, printed) == (1, "")
    assert complained.startswith("vertex-compat: ")
    assert port in complained
    assert complained.count("\n") == 1


def test_what_others_send_is_shown_not_obeyed():
    exchange = Exchange("POST", "/\x1b[31m", "gpt\n4o", MODEL, None, "StreamInterruptedError")
    assert exchange_line(exchange) == rf"POST /\x1b[31m gpt\n4o → {MODEL} left StreamInterruptedError"
    assert exchange_record(exchange)["status"] is None
