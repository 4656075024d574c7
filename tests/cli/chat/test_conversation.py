"""`vertex-compat chat`: streamed, thoughts dimmed, functions of the user's own, and a history of whole turns."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.emulator import Emulator, cut, http_error, text, tool_call
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[3]

TOOLS = '''
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."

def add(left: int, right: int) -> dict:
    return {"sum": left + right}

def fail() -> str:
    raise RuntimeError("the tool is out of order")

async def wait() -> str:
    return "waited"

def odd(thing: "Nothing") -> str:
    return ""

def nameless(thing: str, /) -> str:
    return thing

NUMBER = 3
'''


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def environment(emulator, tmp_path, monkeypatch):
    """Application Default Credentials whose tokens come from the emulator, and a folder with tools."""
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    tmp_path.joinpath("chat_test_tools.py").write_text(TOOLS)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(EMULATOR_HOST_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "chat_test_tools", raising=False)


def chat(emulator, *arguments: str, typed: str | None = None):
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    result = CliRunner().invoke(app, ["chat", *there, *arguments], input=typed)
    assert "Traceback" not in result.output
    return result


def test_a_question_is_streamed_and_answered(emulator):
    emulator.answer(text("It rains.", thoughts="Is it raining?"))
    result = chat(emulator, "How is the weather?", "--system", "Be brief.")
    assert (result.exit_code, result.stdout) == (0, "Is it raining?\nIt rains.\n")
    body = emulator.journal.last.body
    assert body["stream"] is True
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_a_tool_is_declared_called_and_signed(emulator):
    result = chat(emulator, "What is the weather in Paris?", "--tools", "chat_test_tools:get_weather")
    assert result.exit_code == 0
    assert 'get_weather({"city":"Paris"}) → It rains in Paris.' in result.stdout
    first, second = emulator.journal.chat
    function = first.body["tools"][0]["function"]
    assert (function["name"], function["description"]) == ("get_weather", "The weather in a city.")
    assert function["parameters"]["properties"]["city"]["type"] == "string"
    call, answered = second.messages[-2:]
    assert call["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
    assert answered["content"] == "It rains in Paris."


def test_json_tells_the_whole_turn(emulator):
    emulator.answer(tool_call("add", {"left": 1, "right": "2"}), text("3"))
    result = chat(emulator, "1 + 2?", "--tools", "chat_test_tools:add", "--json")
    record = json.loads(result.stdout)
    assert record["text"] == "3"
    assert [each["result"] for each in record["tool_calls"]] == ['{"sum": 3}']
    assert record["finish_reason"] == "stop"
    assert record["usage"]["input"] > 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (tool_call("fail", {}), "RuntimeError: the tool is out of order"),
        (tool_call("add", {"left": "one", "right": 2}), "left: Input should be a valid integer"),
        (tool_call("dance", {}), "there is no tool dance"),
    ],
)
def test_what_goes_wrong_in_a_tool_is_told_to_the_model(emulator, call, said):
    emulator.rule([call, text("So it is.")])
    result = chat(emulator, "Go.", "--tools", "chat_test_tools:fail", "--tools", "chat_test_tools:add")
    assert said in emulator.journal.last.messages[-1]["content"]
    assert result.stdout.endswith("So it is.\n")


def test_a_model_that_goes_on_calling_is_stopped(emulator):
    emulator.rule(tool_call("add", {"left": 1, "right": 2}))
    result = chat(emulator, "Go.", "--tools", "chat_test_tools:add")
    assert result.exit_code == 1
    assert len(emulator.journal.chat) == 10
    assert "10 times" in result.stderr


def test_what_is_typed_makes_one_history_without_what_failed(emulator):
    emulator.answer(text("Hello."), http_error(400, "No."), cut(1, "clean"), text("Bye."))
    typed = "First\n\nSecond\nThird\nFourth\n/exit\nNever asked\n"
    result = chat(emulator, typed=typed)
    assert result.exit_code == 0
    assert "400" in result.stderr
    said = [message["content"] for message in emulator.journal.last.messages]
    assert said == ["First", "Hello.", "Fourth"]


def test_the_end_of_the_input_ends_it(emulator):
    assert chat(emulator, typed="Hello").exit_code == 0
    assert len(emulator.journal.chat) == 1


def test_a_terminal_does_not_obey_the_model(emulator):
    emulator.answer(text("Clean\x1b[2J\x07 text\x9b1m.", thoughts="\x1b]0;title\x07Hm"))
    result = chat(emulator, "Go.")
    assert result.stdout == "]0;titleHm\nClean[2J text1m.\n"


def test_thoughts_are_dimmed_on_a_terminal_and_the_warning_is_one_line(emulator):
    emulator.rule(text("It rains.", thoughts="Is it raining?"))
    environment = {**os.environ, EMULATOR_HOST_VARIABLE: emulator.host, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vertex_compat_integrations", "chat"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment | {"PYTHONPATH": str(ROOT)}
    )
    os.close(theirs)
    os.write(ours, b"How is the weather?\n/exit\n")
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as screen:
        try:
            while piece := screen.read(4096):
                shown += piece
        except OSError:
            pass  # the other end is closed: Linux says so by an error
    complained = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0
    assert b"\x1b[2;3mIs" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r", "")
    assert plain.endswith("> Is it raining?\nIt rains.\n> ")
    assert complained.startswith("vertex-compat: VERTEX_COMPAT_EMULATOR_HOST is set")
    assert complained.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Hello", "--tools", "nothing"], "names no function"),
        (["Hello", "--tools", "nothing_here:x"], "nothing_here"),
        (["Hello", "--tools", "chat_test_tools:gone"], "gone"),
        (["Hello", "--tools", "chat_test_tools:NUMBER"], "is no function"),
        (["Hello", "--tools", "chat_test_tools:wait"], "asynchronous"),
        (["Hello", "--tools", "chat_test_tools:odd"], "odd"),
        (["Hello", "--tools", "chat_test_tools:nameless"], "without names"),
        (["Hello", "--thinking", "huge"], "minimal"),
        (["Hello", "--model", "llama-4-maas"], "llama"),
        (["--json"], "--json needs a question"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(emulator, arguments, reason):
    result = chat(emulator, *arguments)
    assert result.exit_code == 2
    assert reason in result.output
    assert not emulator.journal.chat


def test_a_refused_question_ends_with_1_and_shows_no_token(emulator):
    emulator.rule(http_error(403, "Denied."))
    result = chat(emulator, "Hello")
    assert result.exit_code == 1
    assert "roles/aiplatform.user" in result.stderr
    assert "ya29." not in result.output
