"""`vertex-compat run`: a program with the proxy for OpenAI; its signals, its streams and its end are its own."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations.cli import serve_and_run as room
from vertex_compat_integrations.cli.common.parameters import ServerOptions
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "vertex_compat_integrations", "run"]
MODEL = "google/gemini-3.5-flash"

SHOW = """
import json, os
print(json.dumps({name: os.environ.get(name) for name in os.environ if name.lower() == "no_proxy" or "OPENAI" in name}))
"""
ASK = """
import http.client, json, os
address = os.environ["OPENAI_BASE_URL"].removeprefix("http://").removesuffix("/v1")
connection = http.client.HTTPConnection(address)
body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say swordfish."}]}
headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
print(connection.getresponse().status)
"""
TELL_SENDERS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("ready", flush=True)
senders = [signal.sigtimedwait([signal.SIGINT], 10).si_pid]
print("had one", flush=True)
while more := signal.sigtimedwait([signal.SIGINT], 1):
    senders.append(more.si_pid)
print("senders:", senders, flush=True)
"""


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def environment(emulator, tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "OPENAI_"))}
    return {**kept, "GOOGLE_APPLICATION_CREDENTIALS": str(path), "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def there(emulator):
    return ["--base-url", emulator.base_url(), "--allow-host", emulator.url]


def run(environment, *arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=300
    )


def python(code) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def started(emulator, capfd, monkeypatch):
    """Runs a program as the command does, in this process; gives its exit code, and what it said."""
    monkeypatch.setenv("NO_PROXY", "here.example")
    monkeypatch.setenv("no_proxy", "")
    connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue())

    def start(*command, rows=(), server=None, is_verbose=False) -> tuple[int, str, str]:
        code = room.run(connection, rows, command, server, is_verbose=is_verbose)
        said = capfd.readouterr()
        return code, said.out, said.err

    return start


def test_the_program_finds_the_proxy_by_openais_variables(started):
    code, said, aside = started(*python(SHOW))
    assert (code, aside) == (0, "")
    shown = json.loads(said)
    assert shown["OPENAI_BASE_URL"] == shown["OPENAI_API_BASE"]
    assert shown["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert shown["OPENAI_BASE_URL"].endswith("/v1")
    assert len(shown["OPENAI_API_KEY"]) >= 43
    assert shown["NO_PROXY"] == "here.example,127.0.0.1,localhost"
    assert shown["no_proxy"] == "127.0.0.1,localhost"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("import sys; sys.exit(7)", 7), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL)],
)
def test_the_programs_end_is_ours(started, code, expected):
    assert started(*python(code)) == (expected, "", "")


@pytest.mark.parametrize("name", ["no-such-program", "./no-such-program", "README.md"])
def test_what_is_no_program_is_told(started, name):
    assert started(name) == (127, "", f"vertex-compat: {name}: program not found.\n")


@pytest.mark.parametrize("name", [str(ROOT), "./README.md"])
def test_what_exists_but_is_no_program_is_told(started, name):
    assert started(name) == (126, "", f"vertex-compat: {name}: not an executable file.\n")


def test_a_file_that_the_system_cannot_run_is_told(started, tmp_path):
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELFnot really")
    path.chmod(0o755)
    code, said, aside = started(str(path))
    assert (code, said, aside.count("\n")) == (126, "", 1)


def test_verbose_tells_each_request_on_the_error_stream(started, tmp_path):
    table = tmp_path / "models.toml"
    table.write_text(f'"gpt-4o" = "{MODEL}"\n')
    said = started(*python(ASK), rows=["x=google/gemini-2.5-pro", str(table)], is_verbose=True)
    assert said == (0, "200\n", f"POST /v1/chat/completions gpt-4o → {MODEL} 200\n")


def test_an_access_log_goes_to_a_file_or_to_the_error_stream(started, tmp_path):
    log = tmp_path / "access.jsonl"
    rows = [f"*={MODEL}"]
    assert started(*python(ASK), rows=rows, server=ServerOptions(access_log=str(log))) == (0, "200\n", "")
    code, said, aside = started(*python(ASK), rows=rows, server=ServerOptions(access_log="-"))
    assert (code, said) == (0, "200\n")
    for line in (log.read_text(), aside):
        record = json.loads(line)
        assert (record["asked"], record["model"], record["status"]) == ("gpt-4o", MODEL, 200)
        assert record["tokens_in"] > 0


def test_the_key_of_a_proxy_for_others_is_not_that_of_a_program(started, monkeypatch):
    monkeypatch.setenv(room.PROXY_KEY_VARIABLE, "0123456789abcdefghijklmnopqrstuv")
    key = json.loads(started(*python(SHOW))[1])["OPENAI_API_KEY"]
    assert not key.startswith("0123456789")
    assert len(key) >= 43


def test_rows_and_files_make_one_table_in_which_the_last_counts(tmp_path):
    table = tmp_path / "models.json"
    table.write_text(json.dumps({"a": "google/gemini-3.5-flash", "b": "google/gemini-2.5-pro"}))
    rows = ["a=google/gemini-2.5-flash", str(table), "b = google/gemini-3.5-flash", "c=x=y"]
    assert room.resolve_names(rows) == {"a": MODEL, "b": MODEL, "c": "x=y"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("lost.toml", None, "cannot be read"),
        ("models.md", "", "has an unknown file extension"),
        ("models.json", "[1]", "not a table of model names"),
        ("models.json", '{"a": 1}', "not a table of model names"),
        ("models.json", "{", "line 1"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SettingsError, match=reason):
        room.resolve_names([str(tmp_path / name)])


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-3.5-turbo", "*"])
def test_a_name_without_a_model_is_refused_with_the_row_to_write(name):
    with pytest.raises(SettingsError, match="no model") as refusal:
        room.resolve_names([name])
    assert f"{name}=google/" in refusal.value.hint


def test_without_a_token_the_program_is_not_started(emulator, environment, there):
    emulator.identity.fault("invalid_grant", times=9)
    done = run(environment, *there, "--", *python("print('started')"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "gcloud auth application-default login" in done.stderr


def test_settings_that_cannot_work_end_with_2(environment):
    done = run(environment, "--project", "p", "--map", "gpt-4o=gpt-4o", "--", *python("print('started')"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "names no publisher" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bucket_that_cannot_be_ends_with_2(environment, there):
    done = run(environment, *there, "--media-bucket", "my-bucket", "--", *python("print('started')"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a bucket of Cloud Storage" in done.stderr


NOTE_SIGNALS = """
import os, signal, sys
def note(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())
    if number == signal.SIGTERM:
        sys.exit(5)
for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, note)
print(sys.argv[1:], sys.stdin.readline().strip(), signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, flush=True)
while True:
    signal.pause()
"""


def test_signals_and_streams_are_the_programs(environment, there):
    """It is started as by `nohup`: a signal that was ignored stays ignored."""
    command = ["nohup", *COMMAND, *there, *python(NOTE_SIGNALS), "--map", "-x", "--", "é"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=ROOT, env=environment, **pipes) as process:
        process.stdin.write("given\n")
        process.stdin.flush()
        assert process.stdout.readline() == "['--map', '-x', '--', 'é'] given True\n"
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGTERM):
            process.send_signal(number)
            if number != signal.SIGHUP:
                assert process.stdout.readline() == f"{number.name}\n"
        assert process.communicate(timeout=LONG_SECONDS) == ("", "")
    assert process.returncode == 5


IN_THE_FOREGROUND = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_ctrl_c_reaches_the_program_once(environment, there):
    """The terminal sends it to the program as well as to us."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", IN_THE_FOREGROUND, *COMMAND, *there, "--", *python(TELL_SENDERS)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
    os.close(theirs)
    shown = b""
    with process, os.fdopen(ours, "r+b", buffering=0) as screen:
        while b"ready" not in shown:
            shown += screen.read(4096)
        # Two signals of one kind that come at once are one: ours would not be seen beside the terminal's.
        process.send_signal(signal.SIGSTOP)
        screen.write(b"\x03")
        while b"had one" not in shown:
            shown += screen.read(4096)
        process.send_signal(signal.SIGCONT)
        try:
            while piece := screen.read(4096):
                shown += piece
        except OSError:
            pass  # the other end is closed: Linux says so by an error
    assert b"senders: [0]" in shown
    assert process.returncode == 0
