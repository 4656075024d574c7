"""What every row of the catalogue says, and says in one way only."""

import re
from dataclasses import replace
from typing import get_args

import pytest

from vertex_compat_integrations.core.catalogue import LEVELS, catalogue_rows, facts_for
from vertex_compat_integrations.core.catalogue.facts import Parameter
from vertex_compat_integrations.core.settings.options import wire_paths

ROWS = [row.facts for row in catalogue_rows()]


def test_parameters_are_the_options_that_have_a_place_in_the_body():
    assert set(get_args(Parameter)) == set(wire_paths())


@pytest.mark.parametrize("row", ROWS, ids=[row.prefix for row in ROWS])
class TestRow:
    def test_names_what_takes_its_place_if_its_end_is_announced(self, row):
        if row.replacement:
            assert row.retires
        if row.retires:
            assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", row.retires)

    def test_does_not_name_in_its_place_what_retires_itself(self, row):
        if "/" in (row.replacement or "") and " " not in (row.replacement or ""):
            replacement = facts_for(row.replacement)
            assert replacement.replacement is None
            assert not replacement.has_retired()
            assert replacement.outputs == row.outputs

    def test_says_how_thinking_is_set_in_one_way(self, row):
        assert bool(row.thinking_switch) == (row.thinking == "switch")
        assert row.thinking in ({"level", "budget", None} if row.gemini else {"effort", "switch", "always", None})
        order = (*LEVELS, "max")
        assert list(row.thinking_levels) == sorted(row.thinking_levels, key=order.index)

    def test_is_found_by_its_prefix(self, row):
        assert facts_for(row.prefix) == row

    def test_says_what_its_family_does_not(self, row):
        """A row that only repeats the next shorter one would be noise, unless its source speaks of that very model."""
        shorter = [other for other in ROWS if row.prefix.startswith(other.prefix) and other.prefix != row.prefix]
        if shorter:
            above = max(shorter, key=lambda other: len(other.prefix))
            assert row != replace(above, prefix=row.prefix)

    def test_gives_fewer_tokens_unstreamed_if_it_says_so(self, row):
        assert (row.unstreamed_output_tokens or 0) < max(row.output_tokens, 1)

    def test_names_a_route_if_this_one_does_not_serve_it(self, row):
        assert row.route or "chat" not in row.refuses
