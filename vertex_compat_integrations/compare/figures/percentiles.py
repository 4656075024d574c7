"""Percentiles, medians of runs with their spread, and whether two models' runs can be told apart. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, floor
from statistics import median

ACCEPTED_CHANCE = 0.05
"""A difference that chance makes more often than this, among all that are looked at, is none."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share of the values lies, with straight lines between them; None without values.

    The same as numpy's default and `statistics.quantiles(method="inclusive")`.
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
    """What several runs came to.

    Attributes:
        median: The middle of the runs.
        low: The lowest of them.
        high: The highest of them.
        runs: How many there are.
    """

    median: float
    low: float
    high: float
    runs: int


def spread(runs: Sequence[float]) -> Spread | None:
    """The runs' median, lowest and highest; None for less than two runs, which have no spread."""
    if len(runs) < 2:
        return None
    return Spread(median(runs), min(runs), max(runs), len(runs))


def chance_apart(runs: int) -> float:
    """How often so many runs of two equal models would lie wholly apart, whichever is below."""
    return min(1.0, 2 / comb(2 * runs, runs))


def are_apart(one: Spread, other: Spread) -> bool:
    """Whether every run of one lies below every run of the other."""
    return one.high < other.low or other.high < one.low


def least_runs(comparisons: int) -> int:
    """Runs that it takes until chance alone explains a difference seldom enough, among so many comparisons."""
    runs = 2
    while chance_apart(runs) * comparisons > ACCEPTED_CHANCE:
        runs += 1
    return runs
