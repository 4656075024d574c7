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


@pytest.mark.parametrize("width", [60, 100])
def test_a_narrow_terminal_loses_no_letter(width, capsys):
    show(catalogue_rows()[:3], as_json=False, console=Console(width=width, force_terminal=True, color_system=None))
    column = "".join(
        line[1 : line.index("  ", 1)]
        for line in capsys.readouterr().out.splitlines()
        if line[1:2].strip() and "  " in line
    )
    assert "…" not in column


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
                *("164k", "33k", "text", "on or off, off unless asked", "yes, no system message"),
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
                *("1,049k", "66k", "text image audio video pdf", "token budget, off unless asked"),
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
