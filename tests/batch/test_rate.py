"""How many lines are begun in a time; the clock is an argument."""

import pytest

from vertex_compat_integrations.batch import Pacing, Rate
from vertex_compat_integrations.batch.rate import CATCH_UP_SECONDS, Pace
from vertex_compat_integrations.core.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "interval"),
    [("10", 0.1), ("10/s", 0.1), ("600/m", 0.1), ("30 / min", 2), ("1 per hour", 3600), ("0.5/second", 2)],
)
def test_a_rate_is_read(text, interval):
    assert Rate.parse(text).interval == pytest.approx(interval)


@pytest.mark.parametrize("text", ["", "0", "0/s", "-1", "fast", "10/day", "1e3/s", "10//s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(SettingsError, match="not a valid rate"):
        Rate.parse(text)


def test_no_concurrency_is_refused():
    with pytest.raises(SettingsError, match="concurrency"):
        Pacing(concurrency=0)


@pytest.mark.parametrize("late", [0.0, 0.004, 0.05, 1.0])
def test_no_second_holds_more_than_the_rate(late):
    """Each line is asked for `late` seconds after the one before; what is a little late is caught up."""
    pace, now, begun = Pace(Rate(100)), 0.0, []
    for _ in range(500):
        now += pace.delay(now)
        begun.append(now)
        now += late
    for first in begun:
        assert sum(first <= moment < first + 1 for moment in begun) <= 100 * (1 + CATCH_UP_SECONDS) + 1
    wanted = 499 * max(0.01, late)
    assert begun[-1] == pytest.approx(wanted, rel=0.05)
