"""Sums of costs: by model and run, of answers whose cost is known and of others, from many threads."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from vertex_compat_integrations.core.cost import totals as module
from vertex_compat_integrations.core.cost.totals import CostTotal, CostTotals


def test_nothing_costs_nothing():
    assert CostTotals().total() == CostTotal(0.0, 0, 0)
    assert CostTotals().by_model() == CostTotals().by_run() == {}


def test_costs_are_added_by_model_and_by_run():
    totals = CostTotals()
    totals.add({"usd": 0.1}, model="a", run="1")
    totals.add({"usd": 0.2}, model="a", run="2")
    totals.add({"usd": 0.4}, model="b", run="2")
    assert totals.total() == CostTotal(0.7, 3, 0)
    assert totals.by_model() == {"a": CostTotal(0.3, 2, 0), "b": CostTotal(0.4, 1, 0)}
    assert totals.by_run() == {"1": CostTotal(0.1, 1, 0), "2": CostTotal(0.6, 2, 0)}


def test_what_is_not_known_is_counted_and_not_added():
    totals = CostTotals()
    totals.add({"usd": 0.1}, model="a", run="1")
    totals.add({"usd": None, "unknown": "because"}, model="a", run="1")
    totals.add(None, model="a", run="1")
    assert totals.total() == CostTotal(0.1, 3, 2)
    totals.clear()
    assert totals.total() == CostTotal()


def test_threads_lose_nothing():
    totals = CostTotals()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(800):
            threads.submit(totals.add, {"usd": 0.001}, model="a", run="1")
    assert totals.total() == CostTotal(0.8, 800, 0)


@pytest.mark.parametrize(
    "cost", [0.5, "x", [], {}, {"usd": "abc"}, {"usd": float("nan")}, {"usd": float("inf")}, {"usd": -1}, {"usd": True}]
)
def test_what_other_software_calls_a_cost_is_unknown(cost):
    totals = CostTotals()
    totals.add(cost, model="a", run="1")
    totals.add({"usd": 0.1}, model="a", run="1")
    assert totals.total() == CostTotal(0.1, 2, 1)


def test_a_server_that_runs_for_long_stores_its_latest_runs(monkeypatch):
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    totals = CostTotals()
    for number in (0, 1, 2, 0, 3, 0, 4):
        totals.add({"usd": 0.1}, model="a", run=str(number))
    assert totals.by_run() == {"3": CostTotal(0.1, 1, 0), "0": CostTotal(0.3, 3, 0), "4": CostTotal(0.1, 1, 0)}
    assert totals.total() == totals.by_model()["a"] == CostTotal(0.7, 7, 0)


def test_copies_add_up_in_one_place_and_pickles_have_the_sums():
    totals = CostTotals()
    totals.add({"usd": 0.1}, model="a", run="1")
    assert copy.deepcopy(totals) is totals
    again = pickle.loads(pickle.dumps(totals))
    again.add({"usd": 0.1}, model="a", run="1")
    assert (again.total().usd, totals.total().usd) == (0.2, 0.1)
