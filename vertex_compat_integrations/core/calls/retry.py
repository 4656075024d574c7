"""Whether to try again, and after how long. Time and chance are arguments; a process has one set of budgets."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from vertex_compat_integrations.core.errors import EmptyReplyError, RateLimitError, VertexCompatError
from vertex_compat_integrations.core.forking import run_in_forked_child

LONGEST_WAIT = 60.0
"""Seconds. A server that asks for more is not waited for."""

BUDGET = 100.0
"""Retries that a full budget pays."""

BUDGET_SHARE = 0.1
"""What each call adds to the budget: in the long run, at most every tenth request is a retry."""


class BudgetKey(NamedTuple):
    """What calls have a budget in common; `place` is location, request type and tier."""

    origin: str
    project: str | None
    model: str
    place: tuple[str | None, ...]


class RetryBudget:
    """Bounds the retries of all calls to one model, so that they do not keep a failing service down."""

    def __init__(self) -> None:
        """Begin full."""
        self._left = BUDGET
        self._lock = threading.Lock()

    def begin(self) -> None:
        """A call begins."""
        self._add(BUDGET_SHARE)

    def succeed(self) -> None:
        """A call went well: the service is up again."""
        self._add(1.0)

    def _add(self, amount: float) -> None:
        if self._left < BUDGET:
            with self._lock:
                self._left = min(self._left + amount, BUDGET)

    def take(self) -> bool:
        """Whether a retry may be made; it is paid for."""
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
    """The retries that a call has had so far.

    Attributes:
        retries: All of them.
        moves: Those that went to another place without a wait; they do not lengthen the next wait.
        was_empty: Whether an answer was empty; one more would be no accident.
    """

    retries: int = 0
    moves: int = 0
    was_empty: bool = False


class RetryDecision(NamedTuple):
    """Whether a request is sent again.

    Attributes:
        delay: Seconds to wait before; None if it is not sent again.
        hint: What the user is to read instead of the error's own hint, if the reason is not the error itself.
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
    """Whether the request is sent again, and after how long.

    A connection that broke before a byte of the answer came counts like any failure, also one that was used before and
    that the server had closed: the error does not tell which it was, and the request may have been read, and paid for.

    Args:
        error: What went wrong.
        counts: The retries so far.
        max_retries: Retries that the call may have.
        remaining: Seconds until the call's deadline.
        stated: Seconds that the server asks to wait, if it does.
        chance: Gives a number from 0 to 1.
        budget: Pays for the retry; not after a 429, by which the service itself says when it has capacity.
    """
    if not error.is_retryable or counts.retries >= max_retries:
        return _STOP
    if isinstance(error, EmptyReplyError):
        return _STOP if counts.was_empty else RetryDecision(0.0)
    if stated is not None and stated > LONGEST_WAIT:
        hint = f"Google asks to wait {stated:g} s, more than this client waits: retry after that."
        return RetryDecision(None, hint)
    is_limited = isinstance(error, RateLimitError)
    delay = stated if stated is not None else _random_delay(counts, chance, is_limited=is_limited)
    if delay >= remaining:
        return _STOP
    if budget is not None and not is_limited and not budget.take():
        return RetryDecision(None, f"Not tried again: the retry budget of this process is used up. {error.hint}")
    return RetryDecision(delay)


def _random_delay(counts: RetryCounts, chance: Callable[[], float], *, is_limited: bool) -> float:
    """Seconds from 0 to a bound that doubles with each wait: full jitter, so that clients do not come back together."""
    # Vertex AI sends no Retry-After with a 429, so the wait after one begins longer than after other failures.
    first_bound = 1.0 if is_limited else 0.5
    return chance() * min(first_bound * 2.0 ** (counts.retries - counts.moves), LONGEST_WAIT)
