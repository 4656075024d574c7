"""Percentiles, spreads and differences: known values, and nothing is said that the runs do not show."""

import statistics

import pytest

from vertex_compat_integrations.compare.figures.percentiles import (
    Spread,
    are_apart,
    chance_apart,
    least_runs,
    percentile,
    spread,
)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.95, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.5),
        (list(range(101)), 0.95, 95.0),
        (list(range(1, 21)), 0.95, 19.05),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_a_percentile_lies_between_its_neighbours(values, share, expected):
    assert percentile(values, share) == pytest.approx(expected)


def test_percentiles_are_those_of_the_standard_library():
    values = [0.31, 2.5, 0.9, 1.1, 0.2, 0.25, 8.0, 1.7, 0.4]
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    assert [percentile(values, place / 20) for place in range(1, 20)] == pytest.approx(cuts)


def test_one_run_has_no_spread():
    assert spread([]) is None
    assert spread([1.0]) is None
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)


def test_the_chance_of_lying_apart_is_that_of_all_arrangements():
    """Of the 20 ways in which 3 of 6 values may be the first model's, 2 lie wholly apart."""
    assert chance_apart(1) == 1.0
    assert chance_apart(3) == pytest.approx(2 / 20)
    assert chance_apart(5) == pytest.approx(2 / 252)


@pytest.mark.parametrize(("comparisons", "runs"), [(1, 4), (3, 5), (9, 6)])
def test_more_comparisons_ask_for_more_runs(comparisons, runs):
    assert least_runs(comparisons) == runs
    assert chance_apart(runs) * comparisons <= 0.05 < chance_apart(runs - 1) * comparisons


def test_runs_that_touch_are_not_apart():
    low = Spread(1.0, 0.5, 2.0, 5)
    assert are_apart(low, Spread(3.0, 2.1, 4.0, 5))
    assert are_apart(Spread(3.0, 2.1, 4.0, 5), low)
    assert not are_apart(low, Spread(3.0, 2.0, 4.0, 5))
