"""Percentiles, medians of runs with their spread, and significance of differences between models. Does no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, floor
from statistics import median

ACCEPTED_CHANCE = 0.05
"""Significance level for all comparisons together; a difference that chance explains more often is not reported."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which that share of the values lies, linearly interpolated; None without values.

    Same method as numpy's default and `statistics.quantiles(method="inclusive")`.
    """
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of several runs.

    Attributes:
        median: The median of the runs.
        low: The lowest run.
        high: The highest run.
        runs: The number of runs.
    """

    median: float
    low: float
    high: float
    runs: int


def spread(runs: Sequence[float]) -> Spread | None:
    """Return the runs' median, lowest and highest; None for fewer than two runs, which have no spread."""
    if len(runs) < 2:
        return None
    return Spread(median(runs), min(runs), max(runs), len(runs))


def chance_apart(runs: int) -> float:
    """Return the probability that so many runs of two equal models do not overlap at all, in either order."""
    return min(1.0, 2 / comb(2 * runs, runs))


def are_apart(one: Spread, other: Spread) -> bool:
    """Whether every run of one model is below every run of the other."""
    return one.high < other.low or other.high < one.low


def least_runs(comparisons: int) -> int:
    """Return the number of runs needed to reach the significance level for so many comparisons."""
    runs = 2
    while chance_apart(runs) * comparisons > ACCEPTED_CHANCE:
        runs += 1
    return runs
