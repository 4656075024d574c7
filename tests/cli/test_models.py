"""`vertex-compat models`: the whole catalogue, for people and for programs."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.cli.models import cells, show
from vertex_compat_integrations.core.catalogue import ModelFacts, catalogue_rows, facts_for, source_of

ROOT = Path(__file__).parents[2]
ABOUT = ("model", "source", "page", "date", "origins")


def test_json_has_every_fact_of_every_row():
    result = CliRunner().invoke(app, ["models", "--json"])
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert [row["model"] for row in rows] == [row.facts.prefix for row in catalogue_rows()]
    expected = {field.name for field in fields(ModelFacts)} - {"prefix"} | {"model", "page", "origins"}
    assert all(set(row) == expected for row in rows)
    old = next(row for row in rows if row["model"] == "google/gemini-2.5-flash")
    assert (old["retires"], old["replacement"]) == ("2026-10-20", "google/gemini-3.5-flash-lite")
    assert old["inputs"] == ["audio", "image", "pdf", "text", "video"]


def test_json_is_what_the_catalogue_takes_back():
    """A row's facts may be given as `model_facts`."""
    for row in json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout):
        given = {name: value for name, value in row.items() if name not in ABOUT}
        facts = facts_for("whatever/else", given)
        assert facts == ModelFacts(**{**_slots(facts_for(row["model"])), "prefix": "", **_origin(facts)})


def _slots(facts):
    return {field.name: getattr(facts, field.name) for field in fields(ModelFacts)}


def _origin(facts):
    return {"source": facts.source, "date": facts.date}


def test_the_table_names_every_model_whole_and_every_source():
    result = CliRunner().invoke(app, ["models"])
    assert result.exit_code == 0
    shown = [line.split()[0] for line in result.stdout.splitlines() if line.split()]
    rows = [row.facts for row in catalogue_rows()]
    assert [f"{row.prefix}*" for row in rows] == [word for word in shown if word.endswith("*")]
    for row in rows:
        assert f"{source_of(row.source).title} ({row.date})" in result.stdout


@pytest.mark.parametrize("width", [50, 80, 100, 140, 200])
def test_a_terminal_shows_every_id_whole(width, capsys):
    """In one piece, so that it can be copied; and no fact of it is cut."""
    rows = catalogue_rows()
    show(rows, as_json=False, console=Console(width=width, force_terminal=True, color_system=None))
    shown = capsys.readouterr().out
    words = shown.split()
    assert [word for word in words if word.endswith("*")] == [f"{row.facts.prefix}*" for row in rows]
    assert "…" not in shown
    assert all(len(line) <= width for line in shown.splitlines())


def narrow(capsys, name: str) -> str:
    rows = [row for row in catalogue_rows() if row.facts.prefix == name]
    show(rows, as_json=False, console=Console(width=80, force_terminal=True, color_system=None))
    return " ".join(capsys.readouterr().out.split())


def test_a_narrow_terminal_has_all_the_facts(capsys):
    """No fact of the table is missing."""
    shown = narrow(capsys, "google/gemini-2.5-flash-lite")
    for cell in cells(facts_for("google/gemini-2.5-flash-lite")):
        assert cell in shown


def names(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["models", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return [row["model"] for row in json.loads(result.stdout)]


def test_a_part_of_a_name_picks_the_models_that_have_it():
    assert names("FLASH-lite") == [name for name in names() if "flash-lite" in name]
    assert len(names("flash-lite")) > 1


@pytest.mark.parametrize("name", ["google/gemini-2.5-flash-lite-preview-09-2025", "gemini-2.5-flash-lite-001"])
def test_a_whole_name_picks_the_row_that_speaks_of_it(name):
    assert names(name) == ["google/gemini-2.5-flash-lite"]


@pytest.mark.parametrize("arguments", [["gpt-9"], ["gemini-3.8-flash", "--retiring"], ["meta/nothing-like-it"]])
def test_of_a_name_that_nobody_knows_nothing_is_made_up(arguments):
    result = CliRunner().invoke(app, ["models", *arguments])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"for {arguments[0]}" in result.stderr


def test_retiring_models_are_listed_by_their_date():
    expected = [row.facts for row in catalogue_rows() if row.facts.retires]
    assert expected
    assert sorted(names("--retiring")) == sorted(facts.prefix for facts in expected)
    days = [row["retires"] for row in json.loads(CliRunner().invoke(app, ["models", "--retiring", "--json"]).stdout)]
    assert days == sorted(days)
    assert "gemini-2.5-flash" in "".join(names("flash", "--retiring"))
    assert "google/gemini-3.8-flash" not in names("flash", "--retiring")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "google/gemini-3.8-flash",
            ["1,049k", "66k", "text image audio video pdf", "low medium high", "yes", "global, us, eu"],
        ),
        (
            "deepseek-ai/deepseek-v3.1",
            [
                *("164k", "33k", "text", "on or off, off by default", "yes, no system message"),
                "us-central1, us-west2 until 2026-10-21 → an endpoint of your own (Model Garden)",
            ],
        ),
        (
            "google/gemini-3-pro-image",
            ["66k", "33k", "text image → text image", "high", "no", "global until 2027-05-28 or later"],
        ),
        ("openai/gpt-oss-120b", ["131k", "131k", "text", "low medium high", "yes, not forced", "global, us-central1"]),
        ("moonshotai/", ["262k", "66k", "text", "always", "yes", ""]),
        (
            "google/gemini-2.5-flash-lite",
            [
                *("1,049k", "66k", "text image audio video pdf", "token budget, off by default"),
                *("yes, not with JSON", "until 2026-10-20 → google/gemini-3.1-flash-lite"),
            ],
        ),
        (
            "intfloat/multilingual-e5-small-maas",
            ["512", "-", "text → embedding", "no", "no", "us-central1, europe-west4 until 2026-10-21"],
        ),
    ],
)
def test_a_row_says_it_in_few_words(model, expected):
    assert cells(facts_for(model)) == [f"{model}*", *expected]


def test_it_needs_no_framework():
    code = """
import sys
from vertex_compat_integrations.cli import main
try:
    main()
finally:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "--json"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.partition("LOADED ")[2].split())
    assert not loaded & {"openai", "langchain_core", "llama_index", "aiohttp", "google"}
