"""`vertex-compat batch`: its exit codes, what it prints where, and Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.large_media import BUCKET, picture, user
from vertex_compat_integrations.batch import Summary
from vertex_compat_integrations.batch.output_file import Output
from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.batch import summary_lines
from vertex_compat_integrations.emulator import Emulator, delay, hang, http_error
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[2]
REASON = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BAD_THING", "domain": "googleapis.com"}]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def environment(emulator, tmp_path, monkeypatch):
    """Application Default Credentials whose tokens come from the emulator, and ten questions."""
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv(EMULATOR_HOST_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    write([{"custom_id": f"q{number}", "prompt": f"Question {number}?"} for number in range(10)])


def write(lines) -> None:
    Path("in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def there(emulator) -> list[str]:
    return ["batch", "in.jsonl", "out.jsonl", "--base-url", emulator.base_url(), "--allow-host", emulator.url]


def batch(emulator, *arguments: str):
    result = CliRunner().invoke(app, [*there(emulator), *arguments])
    assert "Traceback" not in result.output
    return result


def written() -> list[str]:
    return Path("out.jsonl").read_text().splitlines()


def test_all_lines_answered_ends_with_0(emulator):
    result = batch(emulator)
    assert result.exit_code == 0
    assert re.match(r"10 lines: 10 answered, 0 failed, 0 left, in \d+\.\d s\.\nTokens: ", result.stdout)
    assert result.stderr == ""
    assert "Cost: nothing: the emulator answered, not a model." in result.stdout
    assert len(written()) == 10
    again = batch(emulator)
    assert (again.exit_code, len(emulator.journal.chat)) == (0, 10)
    assert "10 lines: 0 answered, 0 failed, 0 left (10 answered earlier)" in again.stdout


def test_large_media_of_the_lines_are_uploaded(emulator, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    write([{"custom_id": "q", "messages": user(picture())}])
    assert batch(emulator, "--media-bucket", BUCKET).exit_code == 0
    assert emulator.journal.last.messages[-1]["content"][-1]["image_url"]["url"] in emulator.storage.objects
    write([{"custom_id": "another", "prompt": "Hi"}])
    refused = batch(emulator, "--media-bucket", "my-bucket")
    assert (refused.exit_code, len(emulator.journal.chat)) == (2, 1)
    assert "is not a bucket of Cloud Storage" in refused.stderr


def test_what_failed_ends_with_1_and_stands_in_a_table(emulator):
    refusal = http_error(400, "No such thing.", details=REASON)
    emulator.rule(refusal, when=lambda body: "Question 3" in str(body), times=1)
    result = batch(emulator)
    assert result.exit_code == 1
    row = next(line for line in result.stdout.splitlines() if "BAD_THING" in line)
    assert re.match(r" +1 +400 INVALID_ARGUMENT BAD_THING InvalidRequestError +No such thing\. .* q3 ", row)
    assert "--retry-failed sends the failed lines again" in result.stdout
    again = batch(emulator, "--retry-failed")
    assert "--retry-failed" not in again.stdout
    assert (again.exit_code, len(written()), len(emulator.journal.chat)) == (0, 10, 11)


def test_the_cost_is_told_by_list_price_or_as_unknown():
    """Shown for the answers of Vertex AI, which the emulator's are not."""
    prices = {"dollars": Decimal("0.0123"), "unknown": None}
    shown = []
    for cost in prices.values():
        summary = Summary(lines=3, answered=3, price=lambda *_: None, cost=cost)
        shown.append(next(line for line in summary_lines(summary) if line.startswith("Cost")))
    assert shown == ["Cost: $0.0123 by list price, tokens only.", "Cost: unknown."]
    assert "pip install" in "".join(summary_lines(Summary(lines=1, answered=1)))
    assert "Cost" not in "".join(summary_lines(Summary(lines=1, failed=1)))


def test_json_is_all_that_stands_on_the_output_stream(emulator):
    emulator.rule(http_error(400, "No.", details=REASON), when=lambda body: "Question 3" in str(body))
    result = batch(emulator, "--json", "--concurrency", "2", "--rate", "200/s", "--model", "gemini-2.5-flash")
    record = json.loads(result.stdout)
    assert (record["lines"], record["answered"], record["failed"], record["unfinished"]) == (10, 9, 1, 0)
    assert [(each["reason"], each["lines"]) for each in record["failures"]] == [("BAD_THING", ["q3"])]
    assert record["usage"]["output"] > 0
    assert {entry.body["model"] for entry in emulator.journal.chat} == {"google/gemini-2.5-flash"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--rate", "fast"], "'fast' is not a valid rate"),
        (["--concurrency", "0"], "concurrency"),
        (["--http-backend", "curl"], "aiohttp"),
        (["--model", "gpt-4o"], "gpt-4o"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(emulator, arguments, reason):
    result = batch(emulator, *arguments)
    assert result.exit_code == 2
    assert reason in result.output
    assert not emulator.journal.chat


def test_a_wrong_line_ends_with_2_and_is_named_without_its_content(emulator):
    write([{"prompt": "One"}, {"prompt": "A secret", "colour": "red"}])
    result = batch(emulator)
    assert result.exit_code == 2
    assert result.stderr.startswith("vertex-compat: in.jsonl, line 2: Unknown argument colour=.")
    assert "secret" not in result.output
    assert not emulator.journal.chat


def test_a_wrong_value_is_a_sentence_of_its_own(emulator):
    write([{"prompt": "One", "temperature": "hot"}])
    assert "as a number. Change the named setting." in " ".join(batch(emulator).stderr.split())


@pytest.mark.parametrize("names", [("-", "out.jsonl"), ("in.jsonl", "-")])
def test_a_dash_is_no_stream(emulator, names):
    result = CliRunner().invoke(app, ["batch", *names, *there(emulator)[3:]])
    assert (result.exit_code, Path("-").exists()) == (2, False)
    assert "A batch reads and writes files, not '-'." in result.stderr


def test_the_input_is_checked_before_a_credential_is_looked_for(monkeypatch):
    """Whoever has not logged in yet still hears of a wrong line; and nothing of the output is touched."""
    write([{"prompt": "One"}, {"prompt": "Two", "colour": "red"}])
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    arguments = ["batch", "in.jsonl", "out.jsonl"]
    wrong = CliRunner().invoke(app, arguments)
    assert (wrong.exit_code, Path("out.jsonl").exists()) == (2, False)
    assert wrong.stderr.startswith("vertex-compat: in.jsonl, line 2: ")
    Path("in.jsonl").unlink()
    assert "in.jsonl does not exist. Name" in CliRunner().invoke(app, arguments).stderr
    write([{"prompt": "One"}])
    right = CliRunner().invoke(app, [*arguments, "--retry-failed"])
    assert (right.exit_code, Path("out.jsonl").exists()) == (1, False)
    assert "in.jsonl" not in right.stderr


def test_no_input_and_no_folder_for_the_output(emulator):
    Path("in.jsonl").rename("questions.jsonl")
    assert batch(emulator).exit_code == 2
    result = CliRunner().invoke(app, ["batch", "questions.jsonl", "nowhere/out.jsonl", *there(emulator)[3:]])
    assert result.exit_code == 1
    assert "nowhere/out.jsonl: No such file or directory" in result.stderr


def test_a_second_process_on_the_same_output_is_refused(emulator):
    with Output(Path("out.jsonl")):
        result = batch(emulator)
    assert result.exit_code == 2
    assert "Another process writes to out.jsonl" in result.stderr


def test_no_credential_ends_with_1(emulator, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    result = batch(emulator)
    assert result.exit_code == 1
    assert "10 lines: 0 answered, 0 failed, 10 left" in result.stdout
    assert "Run the same command again to continue" in result.stdout


def test_an_id_is_not_obeyed_by_the_terminal(emulator):
    write([{"custom_id": "\x1b[2J\x07a", "prompt": "Hello"}])
    emulator.rule(http_error(400, "No\x1b]0;title\x07."))
    result = batch(emulator)
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "\x07" not in result.output


def begin(emulator, **streams) -> subprocess.Popen:
    command = [sys.executable, "-m", "vertex_compat_integrations", *there(emulator), "--concurrency", "2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen(command, text=True, **streams)


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_control_c_lets_running_lines_end_and_a_second_one_ends_them(emulator):
    """Of two running lines one is answered after the first, and one never."""
    emulator.rule(hang(), when=lambda body: "Question 0" in str(body))
    emulator.rule(delay(4))
    process = begin(emulator)
    wait_until(lambda: len(emulator.journal.chat) == 2)
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline().startswith("vertex-compat: Ctrl-C: no more lines are started")
    wait_until(lambda: len(written()) == 1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert (process.returncode, stderr) == (1, "")
    assert "10 lines: 1 answered, 0 failed, 9 left" in stdout
    assert "Stopped: interrupted. Run the same command again to continue." in stdout
    assert (len(written()), len(emulator.journal.chat)) == (1, 2)


def test_a_terminal_gets_a_bar_on_the_error_stream(emulator, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    emulator.rule(delay(0.02))
    ours, theirs = pty.openpty()
    process = begin(emulator, stderr=theirs)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as screen:
        try:
            while piece := screen.read(4096):
                shown += piece
        except OSError:
            pass  # the other end is closed: Linux says so by an error
    stdout = process.communicate(timeout=300)[0]
    assert process.returncode == 0
    assert stdout.startswith("10 lines: 10 answered")
    assert "\x1b" not in stdout
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "10/10 0 failed" in plain
