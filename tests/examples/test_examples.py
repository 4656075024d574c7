"""Each example runs offline, asks what its docstring says, and goes with `--live` wherever the environment points."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.examples.tutorials import reader_environment
from vertex_compat_integrations.emulator import Emulator, Entry, Journal
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""LlamaIndex's workflows look at every attribute of their agents, deprecated ones included."""

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "start" / "examples.md").read_text(encoding="utf-8")
EXPECTED = {
    "agent.py": ("It rains in Oslo.", "It is 14:05 in Oslo."),
    "audio.py": ("LangChain: ", "LlamaIndex: ", "shown 1 sound (audio/wav)"),
    "basic.py": ('LangChain: The emulator heard "Why is the sky blue?"', "LlamaIndex: The emulator", "tokens in, "),
    "grounding.py": ("LangChain: ", "LlamaIndex: ", "made offline. <- https://example.com/found"),
    "images.py": ("image/png, 69 bytes", "LlamaIndex: ", "shown 1 image (image/png)"),
    "memory.py": ("0 messages in the memory", "5 messages in the memory", "It rains in Rome."),
    "resume.py": (
        "found 0 messages",
        "may I call get_weather({'city': 'Oslo'})?",
        "found 2 messages",
        "It rains in Oslo",
    ),
    "stock_sdk.py": ('The emulator heard "Why is the sky blue?"', "Person(name='Ada Lovelace', age=36)"),
    "streaming.py": ('heard "Count| from one| to five|', "tokens in all"),
    "structured_output.py": (
        "Person(name='Ada Lovelace', age=36, address=Address(street=\"St James's Square 12\", city='London'))",
        "LlamaIndex: Person(name='Ada Lovelace', age=36, ",
        "WeatherReport(city='Paris', degrees=17, summary=",
    ),
    "swap.py": ("ChatVertexCompat, google/gemini-3.5-flash: ", "VertexCompat, google/gemini-3.5-flash: "),
    "thinking.py": ("reasoning: The question: Is 91", "thought tokens: ", "LlamaIndex: The question: Is 91"),
    "tools.py": (
        "('get_weather', {'city': 'Oslo'})",
        "results: ['It rains in Paris.'",
        "LlamaIndex: It rains in Rome.",
    ),
}
WITH_PACKAGES_OF_THEIR_OWN = {
    "mcp_tools.py",
    "notebook_langchain.ipynb",
    "notebook_llama_index.ipynb",
    "rag.py",
    "rag_langchain.py",
    "rag_llama_index.py",
}
"""Played in test_with_packages.py, where the extra `examples` is installed."""

FOR_MANY_MACHINES = {"dask_futures.py", "ray_data.py", "spark_map.py"}
"""Played in tests/distributed, where the extra `distributed` is installed."""

OWN_SERVER = 'base_url=base_url, api_key="none"'

NAMES = {*EXPECTED, *WITH_PACKAGES_OF_THEIR_OWN, *FOR_MANY_MACHINES}
SCRIPTS = sorted(name for name in NAMES if name.endswith(".py"))


def _signatures(entry: Entry) -> list[str]:
    calls = [call for message in entry.messages for call in message.get("tool_calls", ())]
    return [call["extra_content"]["google"]["thought_signature"] for call in calls if "extra_content" in call]


def _resumed_with_the_signature_of_another_process(journal: Journal) -> None:
    first, second = journal.chat
    assert first.peer != second.peer
    assert [message["role"] for message in second.messages] == ["user", "assistant", "tool", "tool"]
    assert len(_signatures(second)) == 1


def _remembered_with_signatures(journal: Journal) -> None:
    assert [len(_signatures(entry)) for entry in journal.chat] == [0, 1, 1, 2]


def _showed(kind: str, journal: Journal) -> None:
    for entry in journal.chat[-2:]:
        assert {part["type"] for part in entry.messages[-1]["content"]} == {"text", kind}


def _searched(journal: Journal) -> None:
    first, second = (entry.body for entry in journal.chat)
    assert first["extra_body"]["google"]["tools"] == [{"google_search": {}}]
    assert second["web_search_options"] == {}


def _thought(journal: Journal) -> None:
    settings = [entry.body["extra_body"]["google"]["thinking_config"] for entry in journal.chat]
    assert settings[0] == settings[1] == {"thinking_level": "low", "include_thoughts": True}
    assert settings[2] == {"thinking_budget": 0}


ON_THE_WIRE: dict[str, Callable[[Journal], None]] = {
    "audio.py": partial(_showed, "input_audio"),
    "grounding.py": _searched,
    "images.py": partial(_showed, "image_url"),
    "memory.py": _remembered_with_signatures,
    "resume.py": _resumed_with_the_signature_of_another_process,
    "thinking.py": _thought,
}


def _files() -> set[str]:
    """The files that answer a question: all but what several share, and the server that an example starts."""
    files = {path.name for path in (ROOT / "examples").iterdir() if path.suffix in (".py", ".ipynb")}
    return files - {"place.py", "keeping.py", "local_embedding.py", "mcp_weather_server.py"}


def _run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=reader_environment(**environment),
    )


def test_every_example_is_run():
    assert _files() == NAMES


def test_the_table_of_the_page_lists_every_example():
    assert set(re.findall(r"^\| \[\S+\]\(../../examples/(\S+)\) \|", PAGE, re.MULTILINE)) == _files()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_docstring_says_the_question_the_command_and_what_comes_of_it(name):
    question, _, command = (ROOT / "examples" / name).read_text(encoding="utf-8").partition("\n\n")
    assert re.fullmatch(r'"""[A-Z].*\?', question, re.DOTALL)
    assert command.startswith(f"`python examples/{name}` ")
    assert "with `--live`" in command.partition('"""')[0].lower()


@pytest.mark.parametrize("name", EXPECTED)
def test_it_prints_what_it_says_and_asks_for_it(name, play_example, capfd):
    journal = play_example(name)
    printed = capfd.readouterr()
    assert printed.err == ""
    for text in EXPECTED[name]:
        assert text in printed.out
    if name in ON_THE_WIRE:
        ON_THE_WIRE[name](journal)


def test_a_variable_swaps_the_model_in_both_frameworks(play_example, monkeypatch):
    monkeypatch.setenv("LLM_MODEL", "google/gemini-3.1-flash-lite")
    journal = play_example("swap.py")
    assert [entry.body["model"] for entry in journal.chat] == ["google/gemini-3.1-flash-lite"] * 2
    assert [entry.body["temperature"] for entry in journal.chat] == [0.5, 0.5]


def test_the_command_runs_offline():
    done = _run("stock_sdk.py")
    assert (done.returncode, done.stderr) == (0, "")
    for text in EXPECTED["stock_sdk.py"]:
        assert text in done.stdout


def test_live_goes_where_the_environment_points():
    with Emulator() as emulator:
        done = _run("stock_sdk.py", "--live", **{EMULATOR_HOST_VARIABLE: emulator.host, "GOOGLE_CLOUD_PROJECT": "p"})
        projects = [entry.project for entry in emulator.journal.chat]
    assert done.returncode == 0
    assert projects == ["p", "p"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_example_has_the_one_switch(name):
    """What was shown of one file's command and its `--live` holds for all."""
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    assert re.search(r"^from place import (?:serve_embeddings, )?start$", text, re.MULTILINE)
    assert re.search(r'\nif __name__ == "__main__":\n(    if .*\n.*\n    else:\n    )?    start\(run\)\n\Z', text)
    # A server of one's own for the vectors, which is the same in both places, is named; no place for the models is.
    assert not re.search(r"Emulator\b|base_url|api_key=", text.replace(OWN_SERVER, "").replace("as base_url", ""))
    assert text.count("\n") <= 60
