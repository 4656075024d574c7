"""The table of consumers, the programs in tests/consumers and the page docs/project/consumers.md agree."""

import re
import sys

import pytest

from tests.consumers.programs import FOLDER, PAGE, WAYS, read_program, render_page, render_row

HELPERS = {"__init__", "__main__", "mcp_server", "programs", "stage"}
ASKED_FOR = {
    "deepagents", "langgraph_supervisor", "langgraph_swarm", "langchain_mcp_adapters", "langserve", "nemo_guardrails",
    "ragas", "deepeval", "dspy", "openai_agents", "pydantic_ai", "haystack", "streamlit", "openinference",
    "instructor", "agno", "semantic_kernel", "crewai", "langgraph_server", "agent_runtime",
}  # fmt: skip
ROW = re.compile(r"\| (?P<python>3\.\d+\.\d+) \| (?P<openai>[\d.]+|-) \| (?P<outcome>[^|]+) \|$")


def test_each_consumer_has_a_program_and_each_program_a_row():
    assert {file.stem for file in FOLDER.glob("*.py")} - HELPERS == set(WAYS)
    assert set(WAYS) >= ASKED_FOR


@pytest.mark.parametrize("name", WAYS)
def test_a_program_pins_what_it_needs_and_says_what_it_shows(name):
    program = read_program(name)
    assert program.pins
    assert all(re.fullmatch(r"[\w\[\]-]+==[\w.]+", pin) for pin in program.pins)
    assert "emulator" in program.extras
    assert ("proxy" in program.extras) == ("proxy" in program.way)
    assert program.shows.endswith(".")


def test_the_page_has_what_the_programs_pin():
    rows = [line for line in PAGE.read_text().splitlines() if ROW.search(line)]
    measured = [ROW.search(row).groupdict() for row in rows]
    expected = [render_row(read_program(name), **each) for name, each in zip(WAYS, measured, strict=True)]
    assert PAGE.read_text() == render_page(expected)
    assert {each["outcome"] for each in measured} == {"passes"}


def test_a_name_that_no_consumer_has_is_refused(monkeypatch, capsys):
    pytest.importorskip("packaging")
    from tests.consumers.__main__ import main

    monkeypatch.setattr(sys, "argv", ["consumers", "nobody"])
    with pytest.raises(SystemExit):
        main()
    assert "no such consumer: nobody" in capsys.readouterr().err
