"""The catalogue's files: read when they are wanted, each row with what it inherits and where that is from."""

import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime

import pytest

from vertex_compat_integrations.core.catalogue import facts_for, source_of, tables
from vertex_compat_integrations.core.catalogue.tables import DATA, FACT_NAMES, Origin, Tables, sources
from vertex_compat_integrations.core.catalogue.user_file import override_facts
from vertex_compat_integrations.core.errors import SettingsError

FILES = sorted(path for path in DATA.glob("*.toml") if path.stem != "sources")
ROWS = [(path, prefix, table) for path in FILES for prefix, table in tomllib.loads(path.read_text())["models"].items()]
DATE = re.compile(r"20\d\d-\d\d(-\d\d)?")


@pytest.mark.parametrize(("path", "prefix", "table"), ROWS, ids=[prefix or "unknown" for _, prefix, _ in ROWS])
class TestTableOfAFile:
    def test_has_facts_of_the_right_type_and_nothing_else(self, path, prefix, table):
        assert set(table) <= FACT_NAMES | {"extends", "source", "date"}
        row = Tables().row(prefix)
        override_facts(row.facts, {name: getattr(row.facts, name) for name in row.stated})

    def test_names_a_page_or_report_and_a_day_for_each_fact(self, path, prefix, table):
        row = Tables().row(prefix)
        assert set(row.origins) == FACT_NAMES
        for origin in (Origin(row.facts.source, row.facts.date), *row.origins.values()):
            assert origin.source in sources()
            assert DATE.fullmatch(origin.date)
            assert origin.date <= datetime.now(tz=UTC).date().isoformat()

    def test_stands_in_the_file_of_its_family(self, path, prefix, table):
        publisher = prefix.partition("/")[0]
        assert path.stem in tables._FILES.get(publisher, (publisher,))

    def test_extends_another_row(self, path, prefix, table):
        assert ("extends" in table) == bool(prefix)


def test_every_source_is_named_by_a_row():
    rows = list(Tables().all())
    named = {origin.source for row in rows for origin in row.origins.values()} | {row.facts.source for row in rows}
    assert set(sources()) == named


def test_the_row_of_unknown_models_states_every_fact():
    assert Tables().row("").stated == FACT_NAMES


def test_inherited_facts_keep_the_origin_of_the_row_that_states_them():
    row, above = Tables().row("google/gemini-3.8-flash"), Tables().row("google/gemini-")
    assert row.origins["locations"] == Origin("gemini-3-8-flash", "2026-09-16")
    assert row.origins["thinking_levels"] == above.origins["thinking_levels"] == Origin("guide-3-8", "2026-09")
    assert row.stated == {"locations"}


def test_dots_stand_for_what_the_row_above_lists():
    family, argon = facts_for("google/gemini-9-ultra"), facts_for("google/gemini-4-argon")
    assert argon.refuses == family.refuses | {"cached_content"}


@pytest.mark.parametrize(
    "model", ["", "x", "a/b/c", "../../secrets/x", "sources/x", "gemini/x", "embeddings/x", "Ünï/x"]
)
def test_a_name_of_no_publisher_is_an_unknown_model(model):
    assert Tables().find(model).facts.prefix == ""


def test_only_the_files_of_the_models_publisher_are_read(monkeypatch):
    read = []
    parse = tables._parse
    monkeypatch.setattr(tables, "_parse", lambda path: read.append(path.stem) or parse(path))
    catalogue = Tables()
    assert read == []
    catalogue.find("xai/grok-4.7")
    catalogue.find("xai/grok-4.6")
    assert read == ["xai", "unknown"]


def test_a_word_of_no_page_is_its_own_title():
    assert source_of("our own measurement").title == "our own measurement"
    assert source_of("our own measurement").page is None
    assert source_of("overview").page.startswith("https://docs.cloud.google.com/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gemini", "yes"),
        ("input_tokens", "7"),
        ("input_tokens", True),
        ("ignores", ["temprature"]),
        ("refuses", ["everything"]),
        ("thinking", "loud"),
        ("thinking_levels", ["huge"]),
        ("inputs", "text"),
        ("inputs", 3),
        ("locations", {"global": 1}),
        ("embedding", {"size": 3}),
    ],
)
def test_a_fact_of_another_type_is_refused_by_name(name, value):
    with pytest.raises(SettingsError, match=name):
        facts_for("whatever/else", {name: value})


def test_none_is_a_word_of_files():
    assert facts_for("meta/llama-4-scout", {"thinking": "none"}).thinking is None
    assert facts_for("google/gemini-2.5-flash", {"retires": "none"}).retires is None


FIRST_LOOK_UP = """
import sys
import vertex_compat_integrations.langchain, vertex_compat_integrations.llama_index
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.catalogue.tables import _parse

print(_parse.cache_info().currsize)
entered = 0

def count(frame, event, _):
    global entered
    entered += event == "call"

sys.setprofile(count)
facts_for("google/gemini-3.8-flash")
first, entered = entered, 0
facts_for("google/gemini-3.8-flash")
sys.setprofile(None)
print(_parse.cache_info().currsize, first, entered)
"""


def test_nothing_is_read_before_the_first_look_up_and_little_by_it():
    """Counted in calls of functions, not in time: 10,000 calls are about 5 ms."""
    done = subprocess.run([sys.executable, "-c", FIRST_LOOK_UP], capture_output=True, text=True, check=True)
    before, (files, first, second) = done.stdout.splitlines()[0], map(int, done.stdout.splitlines()[1].split())
    assert before == "0"
    assert files == 4  # gemini, google, embeddings, and the row of unknown models that all others extend
    assert first <= 15_000
    assert second <= 12


def test_gemini_behind_a_gateway_has_the_facts_of_gemini():
    assert facts_for("gemini-3.8-flash") == facts_for("google/gemini-3.8-flash")
    assert facts_for("gemini").prefix == ""
