"""Decides whether and when to retry. Time and chance are arguments; a process has one set of budgets."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from vertex_compat_integrations.core.errors import EmptyReplyError, RateLimitError, VertexCompatError
from vertex_compat_integrations.core.forking import run_in_forked_child

LONGEST_WAIT = 60.0
"""Longest wait in seconds; if a server asks for more, the call fails."""

BUDGET = 100.0
"""Number of retries that a full budget allows."""

BUDGET_SHARE = 0.1
"""What each call adds to the budget: in the long run, at most every tenth request is a retry."""


class BudgetKey(NamedTuple):
    """Calls with the same key share a budget; `place` is location, request type and tier."""

    origin: str
    project: str | None
    model: str
    place: tuple[str | None, ...]


class RetryBudget:
    """Limits the retries of all calls to one model, so that retries do not keep a failing service down."""

    def __init__(self) -> None:
        """Start full."""
        self._left = BUDGET
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Record that a call begins."""
        self._add(BUDGET_SHARE)

    def succeed(self) -> None:
        """Record that a call succeeded: the service is up again."""
        self._add(1.0)

    def _add(self, amount: float) -> None:
        if self._left < BUDGET:
            with self._lock:
                self._left = min(self._left + amount, BUDGET)

    def take(self) -> bool:
        """Take one retry from the budget; return False if it is used up."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True


class _Budgets:
    """The budgets of this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._budgets: dict[BudgetKey, RetryBudget] = {}

    def get(self, key: BudgetKey) -> RetryBudget:
        with self._lock:
            return self._budgets.setdefault(key, RetryBudget())


_BUDGETS = _Budgets()
run_in_forked_child(_BUDGETS.reset)
budget_for = _BUDGETS.get


@dataclass(slots=True)
class RetryCounts:
    """The retries of a call so far.

    Attributes:
        retries: All of them.
        moves: Those that went to another place without a wait; they do not lengthen the next wait.
        was_empty: Whether an answer was empty; a second empty answer is not retried.
    """

    retries: int = 0
    moves: int = 0
    was_empty: bool = False


class RetryDecision(NamedTuple):
    """Whether a request is sent again.

    Attributes:
        delay: Seconds to wait before it; None if it is not sent again.
        hint: Hint for the user in place of the error's own, if the reason is not the error itself.
    """

    delay: float | None
    hint: str | None = None


_STOP = RetryDecision(None)


def decide_retry(
    error: VertexCompatError,
    counts: RetryCounts,
    *,
    max_retries: int,
    remaining: float,
    stated: float | None,
    chance: Callable[[], float],
    budget: RetryBudget | None = None,
) -> RetryDecision:
    """Decide whether the request is sent again, and after how long.

    A connection that failed before the first byte of the answer counts like any other failure, even if it was a used
    connection that the server had closed: the error does not show the difference, and the server may have read the
    request and charged for it.

    Args:
        error: The error of the last attempt.
        counts: The retries so far.
        max_retries: Maximum number of retries for the call.
        remaining: Seconds until the call's deadline.
        stated: Seconds that the server asks to wait, if it does.
        chance: Returns a random number from 0 to 1.
        budget: The retry budget to charge; not charged after a 429, with which the service itself controls its load.
    """
    if not error.is_retryable or counts.retries >= max_retries:
        return _STOP
    if isinstance(error, EmptyReplyError):
        return _STOP if counts.was_empty else RetryDecision(0.0)
    if stated is not None and stated > LONGEST_WAIT:
        hint = f"Google asks to wait {stated:g} s, longer than this client waits: retry later."
        return RetryDecision(None, hint)
    is_limited = isinstance(error, RateLimitError)
    delay = stated if stated is not None else _random_delay(counts, chance, is_limited=is_limited)
    if delay >= remaining:
        return _STOP if stated is None else RetryDecision(None, _too_late(stated, remaining))
    if budget is not None and not is_limited and not budget.take():
        return RetryDecision(None, f"Not retried: the retry budget of this process is used up. {error.hint}")
    return RetryDecision(delay)


def _too_late(stated: float, remaining: float) -> str:
    left = f"{max(remaining, 0.0):.3g} s of the call's time are left"
    return f"Google asks to wait {stated:g} s, and {left}: raise timeout=, or retry later."


def _random_delay(counts: RetryCounts, chance: Callable[[], float], *, is_limited: bool) -> float:
    """Random seconds up to a bound that doubles with each wait: full jitter, so that clients do not retry together."""
    # Vertex AI sends no Retry-After with a 429, so the first wait after a 429 is longer than after other failures.
    first_bound = 1.0 if is_limited else 0.5
    return chance() * min(first_bound * 2.0 ** (counts.retries - counts.moves), LONGEST_WAIT)
