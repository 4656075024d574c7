"""Programs that know OpenAI only hold a conversation with a tool of Gemini 3, past the end of three tokens.

Without the proxy the same program is refused at the second step, for its history has lost the thought signatures.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

from tests.proxy.samples import MODEL, NAME
from vertex_compat_integrations.emulator import Emulator, call, text, tool_call, tool_calls
from vertex_compat_integrations.wire import SKIP_SIGNATURE

ROOT = Path(__file__).parents[2]
CHILDREN = Path(__file__).parent / "children"
LIFE_SECONDS = 1.0


@dataclass(frozen=True)
class Program:
    """A program, and what it needs that is not installed with this package's tests."""

    command: tuple[str, ...]
    missing: str | None = None


@cache
def has_npm_openai() -> bool:
    if (node := which("node")) is None:
        return False
    done = subprocess.run([node, "-e", "require.resolve('openai')"], capture_output=True, check=False)
    return done.returncode == 0


PROGRAMS = {
    "stock openai": lambda: Program((sys.executable, str(CHILDREN / "stock_sdk.py"))),
    "ChatOpenAI": lambda: Program(
        (sys.executable, str(CHILDREN / "chat_openai.py")),
        None if find_spec("langchain_openai") else "langchain-openai is not installed (extra peers)",
    ),
    "npm openai": lambda: Program(
        ("node", str(CHILDREN / "npm_openai.cjs")),
        None if has_npm_openai() else "needs node, npm install openai, and NODE_PATH with its node_modules",
    ),
}


@pytest.fixture(params=PROGRAMS)
def program(request) -> tuple[str, ...]:
    found = PROGRAMS[request.param]()
    if found.missing:
        pytest.skip(found.missing)
    return found.command


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Two turns: two calls at once, one call, an answer; one call, an answer."""
    with Emulator(token_life_seconds=LIFE_SECONDS) as emulator:
        emulator.answer(
            tool_calls([call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]),
            tool_call("get_weather", {"city": "Bergen"}),
            text("It rains everywhere."),
            tool_call("get_weather", {"city": "Rome"}),
            text("In Rome, too."),
        )
        yield emulator


def run(command, **environment) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "OPENAI_"))}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
        env={**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environment},
    )


def signatures(entry) -> list[str | None]:
    """Of the first call of each step."""
    steps = [message["tool_calls"] for message in entry.messages if message.get("tool_calls")]
    return [step[0].get("extra_content", {}).get("google", {}).get("thought_signature") for step in steps]


def test_it_ends_well_behind_the_proxy(program, emulator, tmp_path):
    key_file = tmp_path / "key.json"
    key_file.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    there = ["--base-url", emulator.base_url(), "--allow-host", emulator.url]
    ours = [sys.executable, "-m", "vertex_compat_integrations", "run", *there, "--map", f"{NAME}={MODEL}", "--"]
    done = run(
        [*ours, *program], MODEL=NAME, TOOL_SECONDS=str(LIFE_SECONDS), GOOGLE_APPLICATION_CREDENTIALS=str(key_file)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["It rains everywhere.", "In Rome, too."]
    # On a busy machine a token of a second dies on its way; then the proxy asks again.
    asked = [entry for entry in emulator.journal.chat if entry.status != 401]
    assert [entry.status for entry in asked] == [200] * 5
    assert {entry.body["model"] for entry in asked} == {MODEL}
    assert len({entry.headers["authorization"] for entry in asked}) >= 3
    given = signatures(asked[-1])
    assert len(set(given)) == 3
    assert not {None, SKIP_SIGNATURE} & set(given)


def test_it_is_refused_without_the_proxy(program, emulator):
    token = emulator.identity.issue(life_seconds=60)
    done = run(program, MODEL=MODEL, TOOL_SECONDS="0", OPENAI_API_KEY=token, OPENAI_BASE_URL=emulator.base_url())
    assert done.returncode == 3
    assert done.stderr.startswith("400 ")
    assert [entry.status for entry in emulator.journal.chat] == [200, 400]
    assert signatures(emulator.journal.last) == [None]
