"""Tests run on one day, whatever the date: see `tests/support/same_day`."""

import datetime
import subprocess
import sys

from tests.support.same_day.sitecustomize import DAY
from vertex_compat_integrations.core.catalogue import facts, facts_for
from vertex_compat_integrations.emulator import Emulator

PROGRAM = """
from vertex_compat_integrations.core.catalogue import facts
from vertex_compat_integrations.emulator import Emulator
print(facts._today(), Emulator(serve_retired=False)._today())
"""


def later() -> float:
    return datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC).timestamp()


def test_models_retire_by_the_day_of_the_tests():
    assert (facts._today(), Emulator(serve_retired=False)._today()) == (DAY, DAY)
    assert facts_for("google/gemini-3.5-flash", {"retires": DAY.isoformat()}).days_left() == 0


def test_and_so_in_programs_that_a_test_starts():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [DAY.isoformat()] * 2


def test_but_not_in_an_emulator_that_has_a_clock_or_serves_them_all():
    assert Emulator(serve_retired=False, clock=later)._today() == datetime.date(2040, 1, 1)
    assert Emulator(serve_retired=True)._today() is None
