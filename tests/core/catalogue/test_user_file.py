"""A user's own file of facts over the catalogue: seen everywhere, and wrong ones are told by line and key."""

import json
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.core.catalogue import FACTS_VARIABLE, catalogue_rows, facts_for, is_known
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.emulator import Emulator, http_error
from vertex_compat_integrations.errors import NotFoundError, VertexCompatWarning
from vertex_compat_integrations.langchain import ChatVertexCompat

OWN = """
# What we know ourselves.
[models."google/gemini-5-neon"]
extends = "google/gemini-4-argon"
source = "our own measurement"
date = "2026-11-28"
thinking_levels = ["low", "high"]
ignores = ["...", "seed"]
input_tokens = 4_000_000
locations = {value = ["eu"], source = "a colleague", date = "2026-11-27"}

[models."google/gemini-3.8-flash"]
output_tokens = 1_234

[models."acme/"]
inputs = ["text", "image"]
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "facts.toml"
    file.write_text(OWN)
    monkeypatch.setenv(FACTS_VARIABLE, str(file))
    return file


@pytest.mark.usefixtures("own_file")
class TestRowOfAFileOnly:
    """A model that the package does not know, added by a file, in all that the package says and does of it."""

    MODEL = "google/gemini-5-neon"

    def test_is_seen_in_the_list_of_models(self):
        rows = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
        row = next(row for row in rows if row["model"] == self.MODEL)
        assert (row["input_tokens"], row["thinking_levels"], row["locations"]) == (4_000_000, ["low", "high"], ["eu"])
        assert (row["source"], row["date"]) == ("our own measurement", "2026-11-28")
        assert row["origins"]["locations"]["source"] == "a colleague"
        assert row["unstreamed_output_tokens"] == 32_768
        table = CliRunner().invoke(app, ["models"]).stdout
        assert f"{self.MODEL}*" in table
        assert "our own measurement (2026-11-28)" in table

    def test_is_seen_in_the_profile(self):
        profile = ChatVertexCompat(model=self.MODEL, project="p").profile
        assert profile["max_input_tokens"] == 4_000_000
        assert profile["reasoning_effort_levels"] == ["low", "high"]

    def test_is_seen_in_the_request(self, monkeypatch: pytest.MonkeyPatch):
        with Emulator(models=[self.MODEL], check_tokens=False) as emulator:
            self.ask_twice(emulator, monkeypatch)

    def ask_twice(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
        model = ChatVertexCompat(model=self.MODEL, project="demo", location="eu")
        with pytest.warns(VertexCompatWarning) as warned:
            model.invoke([HumanMessage("Hi")], seed=7, thinking="high")
        assert "seed is ignored" in str([str(each.message) for each in warned])
        assert emulator.journal.last.body["reasoning_effort"] == "high"
        assert "seed" not in emulator.journal.last.body
        with pytest.raises(SettingsError, match=r"'medium'.*low, high"):
            model.invoke("Hi", thinking="medium")

    def test_is_seen_in_the_hint(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
        emulator.answer(http_error(404, "Publisher Model `x` was not found."))
        model = ChatVertexCompat(model=self.MODEL, project="demo", location="us", max_retries=0)
        with pytest.warns(VertexCompatWarning, match="emulator"), pytest.raises(NotFoundError, match="location='eu'"):
            model.invoke("Hi")


def test_facts_are_laid_over_those_of_the_catalogue(own_file: Path):
    assert facts_for("google/gemini-3.8-flash").output_tokens == 1_234
    assert facts_for("google/gemini-3.8-flash").locations == ("global", "us", "eu")
    assert facts_for("google/gemini-3.7-flash").output_tokens == 65_536
    row = next(row for row in catalogue_rows() if row.facts.prefix == "google/gemini-3.8-flash")
    assert row.origins["output_tokens"].source == own_file.name
    assert row.origins["locations"].source == "gemini-3-8-flash"


def test_a_row_that_does_not_say_what_it_extends_stands_under_the_row_of_its_prefix(own_file: Path):
    assert facts_for("acme/one").inputs == {"text", "image"}
    assert facts_for("acme/one").input_tokens == facts_for("whatever/else").input_tokens
    assert is_known("acme/one")
    assert not is_known("whatever/else")


def test_without_the_variable_nothing_of_it_is_left(own_file: Path, monkeypatch: pytest.MonkeyPatch):
    assert facts_for("google/gemini-3.8-flash").output_tokens == 1_234
    monkeypatch.delenv(FACTS_VARIABLE)
    assert facts_for("google/gemini-3.8-flash").output_tokens == 65_536


def test_the_option_counts_before_the_variable(own_file: Path, tmp_path: Path):
    other = tmp_path / "other.toml"
    other.write_text('[models."acme/two"]\ninput_tokens = 5')
    rows = json.loads(CliRunner().invoke(app, ["models", "--json", "--facts", str(other)]).stdout)
    assert any(row["model"] == "acme/two" for row in rows)
    assert not any(row["model"] == "google/gemini-5-neon" for row in rows)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[models."a/b"]\ninput_tokens = 5\nthinkng = "level"', "line 3, key a/b.thinkng"),
        ('[models."a/b"]\n\ninput_tokens = "many"', "line 3, key a/b.input_tokens"),
        ('[models."a/b"]\nignores = ["temprature"]', "line 2, key a/b.ignores"),
        ('[models."a/b"]\nlocations = "global"', "line 2, key a/b.locations"),
        ('[models."a/b"]\nlocations = {value = "global", date = "2026-11"}', "line 2, key a/b.locations"),
        ('[models."a/b"]\nextends = "a/c"', "line 2, key a/b.extends"),
        (
            '[models."a/b"]\ninput_tokens = 1\n\n[models."a/c"]\ninput_tokens = 1\nextends = "a/c"',
            "line 6, key a/c.extends",
        ),
        ('[models."a/b"]\ndate = "yesterday"', "line 2, key a/b.date"),
        ('[models."a/b"]\nretires = "soon"', "line 2, key a/b.retires"),
        ('[models."a/b"]\nretires = "2026-13"', "line 2, key a/b.retires"),
        ('[models."a/b"]\nsource = 3', "line 2, key a/b.source"),
        ('[models."a/b"]\nembedding.size = 3', "line 2, key a/b.embedding"),
        ('[model."a/b"]\ninput_tokens = 5', "line 1, key model"),
        ("models = 3", "line 1, key models"),
        ('[models]\n"a/b" = 3', "line 2, key a/b"),
        ("", "key models"),
        ('[models."a/b"]\ninput_tokens = oops', "line 2, column 16"),
    ],
)
def test_a_mistake_is_told_by_line_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, place: str):
    file = tmp_path / "facts.toml"
    file.write_text(text)
    monkeypatch.setenv(FACTS_VARIABLE, str(file))
    with pytest.raises(SettingsError) as caught:
        facts_for("google/gemini-3.8-flash")
    assert place in caught.value.message
    assert str(file) in caught.value.message
    result = CliRunner().invoke(app, ["models", "--facts", str(file)])
    assert result.exit_code == 2
    assert place in result.stderr.replace("\n", " ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FACTS_VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match=r"none\.toml cannot be read"):
        facts_for("google/gemini-3.8-flash")
