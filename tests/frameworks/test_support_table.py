"""The table of features holds: each cell is run on the emulator, and a hole is one by its documented limit only."""

import inspect
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.frameworks import scenarios
from tests.frameworks.frameworks import Cell
from tests.frameworks.support_table import FEATURES, MODES, PLACES, Feature, Place, render_table
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.emulator import Emulator

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "what-works.md"
PACKAGES = {"LangChain": "langchain_core", "LlamaIndex": "llama_index"}
CELLS = [(feature, place) for feature in FEATURES for place in PLACES if place not in feature.holes]
REFUSED = [(feature, place) for feature in FEATURES for place in feature.holes if feature.scenario == "several_answers"]


def _id(value: object) -> str:
    return value.scenario if isinstance(value, Feature) else "-".join(value)


@pytest.fixture(autouse=True)
def _loop(loop_for_synchronous_tests: None) -> None:
    """Each test has one."""


def _cell(place: Place, emulator: Emulator) -> Cell:
    if find_spec(PACKAGES[place.framework]) is None:
        pytest.skip(f"{place.framework} is not installed")
    return Cell(place, emulator)


# LlamaIndex's workflows look at every attribute of their agents, deprecated ones included.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("feature", "place"), CELLS, ids=_id)
def test_a_feature_works_where_the_table_says_so(feature, place, emulator):
    getattr(scenarios, feature.scenario)(_cell(place, emulator))
    assert emulator.journal.entries, "a cell is a real request"


@pytest.mark.parametrize(("feature", "place"), REFUSED, ids=_id)
def test_what_a_framework_cannot_hold_is_refused_before_anything_is_sent(feature, place, emulator):
    cell = _cell(place, emulator)
    with pytest.raises((SettingsError, ValueError), match=r"n=2|several|one"):
        cell.ask("Hello.", model=scenarios.OPEN_MODEL, n=2)
    assert emulator.journal.entries == []


def test_each_scenario_has_its_row_and_each_hole_its_reason():
    functions = inspect.getmembers(scenarios, inspect.isfunction)
    shown = {name for name, function in functions if list(inspect.signature(function).parameters) == ["cell"]}
    assert {feature.scenario for feature in FEATURES} == shown
    assert all(reason.strip() for feature in FEATURES for reason in feature.holes.values())
    assert len(PLACES) == 2 * 2 * len(MODES)


def test_the_page_has_the_table():
    """`python -m tests.frameworks.support_table` prints it."""
    assert f"<!-- matrix -->\n{render_table()}\n<!-- /matrix -->" in PAGE.read_text(encoding="utf-8")
