"""A model's answers are summed up, and a difference is found only where chance is unlikely."""

from decimal import Decimal

import pytest

from tests.support.made_up_answers import answer
from vertex_compat_integrations.compare.answer import Validity
from vertex_compat_integrations.compare.figures.percentiles import (
    Spread,
)
from vertex_compat_integrations.compare.figures.summary import compare, show_dollars, show_seconds, summarise
from vertex_compat_integrations.compare.plan import Prompt


def _runs(label, seconds, **said):
    return summarise(label, [answer(label, run, seconds=s, **said) for run, s in enumerate(seconds, 1)], len(seconds))


FAST, SLOW = [1.0, 1.1, 1.2, 1.0, 1.1], [2.0, 2.1, 1.9, 2.0, 2.2]


def test_one_run_says_nothing_of_a_difference():
    found = compare([_runs("a", [1.0]), _runs("b", [9.0])], 1, stopped=False)
    assert found.findings == ()
    assert "One run cannot show a difference" in found.note


def test_five_runs_that_lie_apart_are_a_difference_with_its_spread():
    found = compare([_runs("slow", SLOW), _runs("fast", FAST)], 5, stopped=False)
    assert found.findings == ('"fast" took 1.10 s (1.00 s to 1.20 s), "slow" took 2.00 s (1.90 s to 2.20 s).',)
    assert "at most 2.4%" in found.note


def test_no_chance_is_rounded_to_none():
    found = compare([_runs("a", FAST * 3), _runs("b", SLOW * 3)], 15, stopped=False)
    assert "at most 0.1%" in found.note


def test_runs_that_overlap_are_none():
    found = compare([_runs("a", FAST), _runs("b", [1.15, *SLOW[1:]])], 5, stopped=False)
    assert found.findings == ()
    assert found.note.startswith("The runs show no difference between the models.")


def test_four_runs_are_too_few_for_three_metrics():
    found = compare([_runs("a", FAST[:4]), _runs("b", SLOW[:4])], 4, stopped=False)
    assert found.findings == ()
    assert found.note == "4 runs are too few to distinguish 3 differences from chance: 5 are needed."


def test_a_model_that_failed_is_not_compared():
    """Whoever fails where it is slow would look fast, also where each run has an answer."""
    failing = [answer("b", run, seconds=seconds) for run, seconds in enumerate(FAST, 1)]
    failing.append(answer("b", 5, Prompt("2", "?"), seconds=60.0, error="DeadlineExceededError"))
    summary = summarise("b", failing, 5)
    assert summary.runs["seconds"] is not None
    found = compare([_runs("a", SLOW), summary], 5, stopped=False)
    assert found.findings == ()
    assert "too many answers failed" in found.note


def test_what_was_stopped_is_not_compared():
    assert compare([_runs("a", FAST), _runs("b", SLOW)], 5, stopped=True).findings == ()


def test_no_word_speaks_of_a_winner():
    found = compare([_runs("a", FAST), _runs("b", SLOW)], 5, stopped=False)
    said = " ".join((*found.findings, found.note)).lower()
    assert not any(word in said for word in ("best", "win", "better", "beats"))


def test_a_cost_that_one_answer_does_not_tell_is_not_compared():
    costs = [Decimal("0.01"), None, Decimal("0.01"), Decimal("0.01"), Decimal("0.01")]
    untold = summarise("b", [answer("b", run, cost=cost) for run, cost in enumerate(costs, 1)], 5)
    assert untold.runs["cost_usd"] is None
    assert (untold.cost, untold.cost_known) == (pytest.approx(0.04), 4)


def test_a_runs_time_is_the_median_and_its_cost_the_sum_of_its_prompts():
    prompts = [Prompt(str(number), "?") for number in range(3)]
    given = [answer("a", run, prompt, seconds=number + run) for run in (1, 2) for number, prompt in enumerate(prompts)]
    summary = summarise("a", given, 2)
    assert summary.runs["seconds"] == Spread(2.5, 2.0, 3.0, 2)
    assert summary.runs["cost_usd"].median == pytest.approx(0.003)


def test_a_summary_counts_what_is_known():
    given = [
        answer(seconds=1.0, requests=2, validity=Validity(is_valid=True)),
        answer(seconds=3.0, requests=3, validity=Validity(is_valid=False, reason="$: no")),
        answer(seconds=60.0, error="DeadlineExceededError", usage=None, cost=None, first_token_seconds=None),
    ]
    summary = summarise("a", given, 1)
    assert (summary.answers, summary.failures, summary.usage_known) == (3, 1, 2)
    assert (summary.seconds.p50, summary.seconds.slowest, summary.seconds.count) == (2.0, 3.0, 2)
    assert (summary.requests, summary.retries) == (6, 3)
    assert (summary.valid, summary.checked) == (1, 2)
    assert (summary.usage.input, summary.usage.output, summary.usage.thought) == (20, 40, 10)


def test_requests_that_were_not_seen_are_unknown():
    summary = summarise("a", [answer(), answer(requests=None)], 1)
    assert summary.requests is None
    assert summary.retries is None


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "$0"), (1.5, "$1.50"), (0.25, "$0.250"), (0.0012345, "$0.00123"), (12.0, "$12.00")]
)
def test_dollars_keep_three_digits(value, shown):
    assert show_dollars(value) == shown


def test_seconds_below_one_are_milliseconds():
    assert (show_seconds(0.0123), show_seconds(1.0)) == ("12 ms", "1.00 s")
