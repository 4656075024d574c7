"""`vertex-compat chat "…"`: one question, what is piped in, and what comes out of a pipe."""

import json
import subprocess
import sys

import pytest

from tests.cli.chat.chatting import ROOT, chat
from vertex_compat_integrations.emulator import http_error, text
from vertex_compat_integrations.emulator.scripting import answer as scripted


def asked(emulator) -> str:
    return emulator.journal.last.messages[-1]["content"]


def test_thoughts_never_reach_a_pipe(emulator):
    emulator.rule(text("It rains.", thoughts="Is it raining?"))
    result = chat(emulator, "How is the weather?")
    assert result.stdout == "It rains.\n"
    assert "raining?" not in result.output


@pytest.mark.filterwarnings("ignore:.*thoughts without an opening tag")
def test_thoughts_that_only_a_closing_tag_betrays_never_reach_a_pipe(emulator):
    emulator.rule(text("It may rain, or not.</think>It rains."))
    result = chat(emulator, "How is the weather?", "--model", "deepseek-ai/deepseek-r1-0528-maas")
    assert "may rain" not in result.stdout
    assert result.stdout.endswith("It rains.\n")


@pytest.mark.parametrize("off", ["none", "0"])
def test_thinking_may_be_off(emulator, off):
    result = chat(emulator, "Hello", "--model", "google/gemini-2.5-flash", "--thinking", off)
    assert result.exit_code == 0, result.output
    google = emulator.journal.last.body["extra_body"]["google"]
    assert google["thinking_config"]["thinking_budget"] == 0
    assert not google["thinking_config"].get("include_thoughts")


def test_no_thinking_is_no_mistake_with_the_default_model(emulator):
    assert chat(emulator, "Hello", "--thinking", "none").exit_code == 0


def test_what_is_piped_in_stands_below_the_question(emulator):
    assert chat(emulator, "What went wrong?", typed="one\ntwo\n").exit_code == 0
    assert asked(emulator) == "What went wrong?\n\none\ntwo"


def test_an_empty_pipe_adds_nothing(emulator):
    chat(emulator, "Hello", typed="")
    assert asked(emulator) == "Hello"


def begin(emulator, stdin, *arguments: str) -> subprocess.CompletedProcess[str]:
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    command = [sys.executable, "-m", "vertex_compat_integrations", "chat", *there, *arguments]
    return subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300)


def test_a_file_with_odd_bytes_is_read(emulator, tmp_path):
    log = tmp_path / "app.log"
    log.write_bytes(b"caf\xe9 failed\n")
    with log.open("rb") as file:
        done = begin(emulator, file, "What went wrong?", "--json")
    assert done.returncode == 0, done.stderr
    assert asked(emulator) == "What went wrong?\n\ncaf\N{REPLACEMENT CHARACTER} failed"


def test_a_pipe_that_nobody_ends_is_told_of(emulator):
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    command = [sys.executable, "-m", "vertex_compat_integrations", "chat", *there, "Hello"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, cwd=ROOT) as process:
        assert "Reading the standard input until it ends" in process.stderr.readline()
        assert not emulator.journal.chat
        process.communicate("late", timeout=300)
    assert (process.returncode, asked(emulator)) == (0, "Hello\n\nlate")


def test_no_input_at_all_is_none(emulator):
    done = begin(emulator, subprocess.DEVNULL, "Hello")
    assert done.returncode == 0, done.stderr
    assert asked(emulator) == "Hello"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_blocked_answer_is_shown_as_blocked_and_ends_with_1(emulator, more):
    result = chat(emulator, "EMULATE_BLOCK_PROHIBITED_CONTENT", *more)
    assert result.exit_code == 1
    assert "blocked by a content filter (PROHIBITED_CONTENT)" in result.stderr
    if more:
        assert json.loads(result.stdout)["blocked"].startswith("The answer was blocked")
    else:
        assert result.stdout == ""


@pytest.mark.parametrize("bad", ["EMULATE_BLOCK_PROHIBITED_CONTENT", "Fail"])
def test_piped_questions_end_with_1_if_none_has_an_answer(emulator, bad):
    emulator.rule(http_error(400), when=lambda body: body["messages"][-1]["content"] == "Fail")
    assert chat(emulator, typed=f"{bad}\n/help\n{bad}\n").exit_code == 1
    assert chat(emulator, typed=f"{bad}\nHello\n").exit_code == 0
    assert chat(emulator, typed="/help\n").exit_code == 0


def test_an_answer_that_is_not_blocked_says_so(emulator):
    assert json.loads(chat(emulator, "Hello", "--json").stdout)["blocked"] is None


def test_a_model_that_refuses_in_its_own_words_is_heard(emulator):
    emulator.rule(scripted.Answer(scripted.Draft(refusal="I would rather not.")))
    result = chat(emulator, "Hello")
    assert (result.exit_code, result.stdout) == (0, "I would rather not.\n")


def test_tokens_and_cost_stand_at_the_end(emulator):
    emulator.rule(text("Yes.", usage={"prompt_tokens": 1000, "completion_tokens": 7, "total_tokens": 1007}))
    told = chat(emulator, "Hello").stderr.splitlines()[-1]
    assert told.startswith("vertex-compat: Tokens: 1,000 in, 7 out (0 of them thoughts). Cost: nothing: the emulator")


def test_a_question_without_an_answer_tells_no_tokens(emulator):
    emulator.rule(http_error(400, "No."))
    assert "Tokens" not in chat(emulator, "Hello").output
