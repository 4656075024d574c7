"""What every row of the catalogue says, and says in one way only."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from vertex_compat_integrations.core.catalogue import CATALOGUE, LEVELS, facts_for


@pytest.mark.parametrize("row", CATALOGUE, ids=[row.prefix for row in CATALOGUE])
class TestRow:
    def test_names_its_source_and_date(self, row):
        assert row.source
        assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", row.date)
        assert row.date <= datetime.now(tz=UTC).date().isoformat()

    def test_names_what_takes_its_place_if_it_retires(self, row):
        if row.embedding is None:
            assert bool(row.replacement) == bool(row.retires)
        if row.retires:
            assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", row.retires)

    def test_does_not_name_in_its_place_what_retires_itself(self, row):
        if (row.replacement or "").startswith("google/"):
            assert facts_for(row.replacement).retires is None
            assert facts_for(row.replacement).outputs == row.outputs

    def test_says_how_thinking_is_set_in_one_way(self, row):
        assert bool(row.thinking_switch) == (row.thinking == "switch")
        assert row.thinking in ({"level", "budget", None} if row.gemini else {"effort", "switch", "always", None})
        assert set(row.thinking_levels) <= {*LEVELS, "max"}

    def test_is_the_only_one_of_its_prefix(self, row):
        assert [other.prefix for other in CATALOGUE].count(row.prefix) == 1
        assert facts_for(row.prefix) == row

    def test_says_what_its_family_does_not(self, row):
        """A row that only repeats the next shorter one would be noise, unless its source speaks of that very model."""
        shorter = [other for other in CATALOGUE if row.prefix.startswith(other.prefix) and other.prefix != row.prefix]
        if shorter:
            above = max(shorter, key=lambda other: len(other.prefix))
            assert row != replace(above, prefix=row.prefix) or row.prefix == "google/gemini-2.5-pro"
