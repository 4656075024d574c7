"""Texts of others reach no terminal with what it would obey: neither a model's words nor those of an error."""

import json
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.emulator import Emulator, http_error, text, tool_call
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")

HOSTILE = "\x1b]52;c;aGk=\x07 \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x1b[2J \x9b2J \x08 \u202eesrever \u2066x end"
ANSWERS = {
    "the model's words": text(HOSTILE),
    "a tool's name": tool_call(HOSTILE, {}),
    "an error's text": http_error(400, HOSTILE),
    "an error's status": http_error(400, "No.", status=HOSTILE),
    "a shortage's text": http_error(429, HOSTILE),
}
COMMANDS = {
    "chat": ["chat", "Hello"],
    "doctor": ["doctor"],
    "compare": ["compare", "Hello", "--model", "vertex_compat:google/gemini-3.5-flash"],
    "verify": ["verify", "--only", "03_effort_none"],
}


def obeyed(shown: str) -> list[str]:
    """What a terminal would obey of a text: control and direction characters, but for new lines and tabs."""
    return [each for each in shown if unicodedata.category(each) in ("Cc", "Cf") and each not in "\n\t\r"]


@pytest.fixture(autouse=True)
def _hosted(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands go to the emulator."""
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_terminal_gets_nothing_to_obey(emulator: Emulator, command: str, answer: str):
    emulator.rule(ANSWERS[answer])
    result = CliRunner().invoke(app, COMMANDS[command])
    assert result.exit_code in (0, 1), result.output
    assert obeyed(result.output) == []
    assert len(emulator.journal.chat) > 0, result.output


def test_json_has_the_text_as_it_is(emulator: Emulator):
    emulator.rule(text(HOSTILE))
    result = CliRunner().invoke(app, ["chat", "Hello", "--json"])
    assert HOSTILE in json.loads(result.stdout.splitlines()[-1]).values()


def test_a_file_of_facts_shows_no_more(tmp_path: Path):
    file = tmp_path / "facts.toml"
    facts = 'source = "our \\u009b2J own"\nlocations = ["\\u202eeu"]'
    file.write_text(f'[models."acme/\\u001b[2Jx"]\n{facts}', encoding="utf-8")
    result = CliRunner().invoke(app, ["models", "--facts", str(file)])
    assert result.exit_code == 0
    assert obeyed(result.output) == []
    assert "acme/[2Jx" in result.output
