"""`vertex-compat env`: two exports with a fresh token, for a shell; never for a screen unasked."""

import json
import os
import pty
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.busy_machine import LONG_SECONDS
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "vertex_compat_integrations", "env"]
LIFE_SECONDS = 1234


@pytest.fixture
def emulator():
    with Emulator(token_life_seconds=LIFE_SECONDS) as emulator:
        yield emulator


@pytest.fixture
def environment(emulator, tmp_path):
    """Application Default Credentials of a service account, whose tokens come from the emulator."""
    return environment_with(tmp_path, emulator.identity.service_account_info(emulator.url))


def environment_with(folder: Path, info: dict) -> dict[str, str]:
    path = folder / "credentials.json"
    path.write_text(json.dumps(info))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "OPENAI_"))}
    return {**kept, "GOOGLE_APPLICATION_CREDENTIALS": str(path), "NO_PROXY": "127.0.0.1"}


def run(environment, *arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )


def there(emulator) -> list[str]:
    return ["--base-url", emulator.base_url(), "--allow-host", emulator.url]


def test_a_shell_gets_what_the_stock_sdk_needs(emulator, environment):
    code = (
        "import openai; c = openai.OpenAI(); print(c.chat.completions.create(model='google/gemini-3.5-flash', "
        "messages=[{'role': 'user', 'content': 'Say swordfish.'}]).choices[0].message.content)"
    )
    line = f'eval "$({" ".join(COMMAND + there(emulator))})" && \'{sys.executable}\' -c "{code}"'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    assert "swordfish" in done.stdout
    assert "The token expires at" in done.stderr


def test_json_holds_a_good_token_and_the_time_at_which_it_dies(emulator, environment):
    done = run(environment, *there(emulator), "--json")
    record = json.loads(done.stdout)
    assert record.keys() == {"OPENAI_API_KEY", "OPENAI_BASE_URL", "expires"}
    assert emulator.identity.check(f"Bearer {record['OPENAI_API_KEY']}") is None
    assert record["OPENAI_BASE_URL"] == emulator.base_url()
    dies = datetime.strptime(record["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert LIFE_SECONDS - 30 < dies.timestamp() - time.time() <= LIFE_SECONDS
    assert "in 21 min" in done.stderr or "in 20 min" in done.stderr
    assert record["OPENAI_API_KEY"] not in done.stderr


def test_the_project_comes_from_the_credentials(emulator, environment):
    done = run(environment, "--location", "europe-west4", "--json")
    project = emulator.identity.service_account_info(emulator.url)["project_id"]
    expected = f"https://europe-west4-aiplatform.googleapis.com/v1/projects/{project}/locations/europe-west4/"
    assert json.loads(done.stdout)["OPENAI_BASE_URL"] == expected + "endpoints/openapi"


def test_a_quota_project_that_two_variables_cannot_say_is_told(emulator, environment):
    done = run({**environment, "GOOGLE_CLOUD_QUOTA_PROJECT": "payer"}, *there(emulator))
    assert "cannot charge payer" in done.stderr
    assert done.stdout.count("\n") == 2


def test_the_emulator_by_environment_needs_no_credentials(emulator):
    done = run({**os.environ, EMULATOR_HOST_VARIABLE: emulator.host}, "--json")
    record = json.loads(done.stdout)
    assert (record["OPENAI_API_KEY"], record["expires"]) == (EMULATOR_TOKEN, None)
    assert record["OPENAI_BASE_URL"].startswith(emulator.url)
    assert "Token expiry unknown" in done.stderr


def on_a_terminal(environment, *arguments) -> tuple[int, str]:
    """Exit code, and what the screen shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as screen:
        try:
            while piece := screen.read(4096):
                shown += piece
        except OSError:
            pass  # the other end is closed: Linux says so by an error
    return process.wait(LONG_SECONDS), shown.decode()


def test_a_terminal_gets_no_token_unless_asked(emulator, environment):
    code, shown = on_a_terminal(environment, *there(emulator))
    assert code == 2
    assert "--show" in shown
    assert "export" not in shown
    assert not emulator.identity.token_requests
    code, shown = on_a_terminal(environment, *there(emulator), "--show")
    assert code == 0
    assert "export OPENAI_API_KEY=" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--location", "NO WHERE"], 2, "location"),
        (["--base-url", "ftp://x"], 2, "base_url"),
        (["--base-url", "https://example.com/v1"], 2, "Pass --allow-host https://example.com."),
    ],
)
def test_settings_that_cannot_work_end_with_2(environment, arguments, code, reason):
    done = run(environment, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dead_grant_ends_with_1_and_names_the_way_out(emulator, environment):
    emulator.identity.fault("invalid_grant", times=9)
    done = run(environment, *there(emulator))
    assert (done.returncode, done.stdout) == (1, "")
    assert "gcloud auth application-default login" in done.stderr
    assert done.stderr.count("\n") == 1
