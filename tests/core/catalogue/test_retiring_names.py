"""Nobody is sent to a model whose end is announced; and the audit tells what of the catalogue wants a look."""

import datetime
import subprocess
import sys

import pytest

from tests.catalogue_audit import NAME, ROOT, ends_soon, has_ended, names_in, old_facts, pageless, read_by_users, report
from tests.support.same_day.sitecustomize import DAY
from vertex_compat_integrations.core.catalogue import catalogue_rows, facts_for

ROWS = {row.facts.prefix: row for row in catalogue_rows()}


def test_names_are_found():
    assert names_in(ROOT / "README.md") >= {"google/gemini-3.5-flash"}
    assert NAME.findall('"google/gemini-2.5-flash", `meta/llama-3.3-70b-instruct-maas`.') == [
        "google/gemini-2.5-flash",
        "meta/llama-3.3-70b-instruct-maas",
    ]


@pytest.mark.parametrize("path", list(read_by_users()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_model_whose_end_is_announced_is_named(path):
    """E5 has no replacement: no other model is known to be served on its route, and what names it says so."""
    assert not {name for name in names_in(path) if facts_for(name).replacement}


def test_the_audit_names_old_facts_missing_pages_and_near_ends():
    later = DAY + datetime.timedelta(200)
    assert old_facts(ROWS["google/gemini-3.8-flash"], DAY) == []
    assert old_facts(ROWS["google/gemini-3.8-flash"], later) == ["locations (2026-09-16)"]
    assert "refuses_preamble (2026-08)" in old_facts(ROWS["google/gemini-"], datetime.date(2026, 12, 1))
    assert "refuses_preamble (2026-08)" not in old_facts(ROWS["google/gemini-"], datetime.date(2026, 10, 1))
    assert pageless(ROWS["google/gemini-4-argon"])
    assert pageless(ROWS["xai/grok-4.6"]) == []
    assert ends_soon(ROWS["google/gemini-3.1-flash-lite"], datetime.date(2027, 3, 1))
    assert not ends_soon(ROWS["google/gemini-3.1-flash-lite"], DAY)
    assert not ends_soon(ROWS["google/gemini-2.5-flash"], DAY)
    assert "  google/gemini-3.5-flash-lite: 2027-07-21" in report(later)


def test_what_is_out_of_service_is_told_by_the_day():
    assert has_ended(facts_for("google/gemini-2.5-flash"), DAY)
    assert not has_ended(facts_for("google/gemini-3.5-flash"), DAY)
    assert has_ended(facts_for("google/gemini-3.5-flash"), datetime.date(2027, 5, 19))
    assert not has_ended(facts_for("intfloat/multilingual-e5-small-maas"), DAY)


def test_the_audit_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "tests.catalogue_audit"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "Without a public page:" in done.stdout
