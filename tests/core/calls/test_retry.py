"""When a call is tried again, and after how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertex_compat_integrations.core.calls.retry import BUDGET, LONGEST_WAIT, RetryBudget, RetryCounts, decide_retry
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineExceededError,
    EmptyReplyError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    UnexpectedReplyError,
)


def delay(error, **more):
    return decide(error, **more).delay


def decide(error, *, retries=0, max_retries=2, remaining=600.0, chance=1.0, was_empty=False, moves=0, **more):
    return decide_retry(
        error,
        RetryCounts(retries, moves, was_empty),
        max_retries=max_retries,
        remaining=remaining,
        chance=lambda: chance,
        stated=error.retry_after,
        **more,
    )


def asking(seconds):
    error = RateLimitError("x")
    error.retry_after = seconds
    return error


@pytest.mark.parametrize(
    "kind", [RateLimitError, ServerError, ConnectionFailedError, DeadlineExceededError, StreamInterruptedError]
)
def test_what_may_pass_is_tried_again_max_retries_times(kind):
    assert delay(kind("x")) is not None
    assert delay(kind("x"), retries=1) is not None
    assert delay(kind("x"), retries=2) is None
    assert delay(kind("x"), max_retries=0) is None


@pytest.mark.parametrize("kind", [InvalidRequestError, AuthenticationError, UnexpectedReplyError])
def test_what_would_be_the_same_again_is_not(kind):
    assert delay(kind("x")) is None


@pytest.mark.parametrize(("kind", "bounds"), [(RateLimitError, [1, 2, 4, 8]), (ServerError, [0.5, 1, 2, 4])])
def test_the_bound_doubles_and_chance_spreads_below_it(kind, bounds):
    assert [delay(kind("x"), retries=number, max_retries=9) for number in range(4)] == bounds
    assert delay(kind("x"), chance=0.0) == 0.0
    assert delay(kind("x"), chance=0.5) == bounds[0] / 2


@given(retries=st.integers(0, 1000), chance=st.floats(0, 1))
def test_no_wait_is_longer_than_the_longest(retries, chance):
    waited = delay(RateLimitError("x"), retries=retries, max_retries=2000, chance=chance)
    assert waited is not None
    assert 0 <= waited <= LONGEST_WAIT


def test_a_stated_wait_is_kept_unless_it_is_too_long():
    assert delay(asking(7.0), chance=0.0) == 7.0
    decision = decide(asking(61.0))
    assert decision.delay is None
    assert "61 s" in decision.hint


def test_an_empty_budget_is_named_and_a_429_needs_none():
    budget = RetryBudget()
    while budget.take():
        pass
    decision = decide(ServerError("x"), budget=budget)
    assert decision.delay is None
    assert decision.hint.startswith("Not retried: the retry budget of this process is used up.")
    assert decide(RateLimitError("x"), budget=budget).delay == 1.0


def test_a_full_budget_pays_so_many_retries_and_a_call_that_went_well_pays_one_more():
    budget = RetryBudget()
    assert sum(budget.take() for _ in range(2 * int(BUDGET))) == BUDGET
    budget.succeed()
    assert (budget.take(), budget.take()) == (True, False)


def test_moves_do_not_lengthen_the_wait():
    assert decide(ServerError("x"), retries=2, max_retries=9, moves=2).delay == 0.5


def test_nothing_is_waited_for_beyond_the_deadline():
    assert delay(asking(7.0), remaining=6.0) is None
    assert delay(ServerError("x"), remaining=0.0) is None
    assert delay(ServerError("x"), remaining=-1.0, chance=0.0) is None


def test_a_stated_wait_beyond_the_deadline_is_in_the_hint():
    """Otherwise the hint advises other capacity, and nothing shows that only time is missing."""
    hint = decide(asking(7.0), remaining=6.25).hint
    assert hint == "Google asks to wait 7 s, and 6.25 s of the call's time are left: raise timeout=, or retry later."
    assert decide(ServerError("x"), remaining=0.0).hint is None


def test_an_empty_answer_is_tried_once_more_at_once():
    assert delay(EmptyReplyError("x")) == 0.0
    assert delay(EmptyReplyError("x"), retries=1) == 0.0
    assert delay(EmptyReplyError("x"), was_empty=True) is None
    assert delay(EmptyReplyError("x"), max_retries=0) is None
    lasting = EmptyReplyError("x")
    lasting.is_retryable = False
    assert delay(lasting) is None
