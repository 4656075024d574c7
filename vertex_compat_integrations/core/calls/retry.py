"""When to try again, and after how long. Time and chance are arguments; the budgets are shared by a process."""

import threading
from collections.abc import Callable
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
    """What calls have a budget in common; `place` is location and request type."""

    origin: str
    project: str | None
    model: str
    place: tuple[str | None, str | None]


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
    """The budgets of this process; one of the three places with process-wide state."""

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


def delay_before_retry(
    error: VertexCompatError,
    *,
    retries: int,
    max_retries: int,
    remaining: float,
    chance: Callable[[], float],
    stated: float | None,
    moves: int = 0,
    was_empty: bool = False,
    budget: RetryBudget | None = None,
) -> float | None:
    """Seconds to wait before the request is sent again; None if it is not.

    A delay that the server states is kept. Otherwise full jitter under a doubling bound: from 1 s after a 429, which is
    all that Vertex AI sends (no Retry-After), from 0.5 s after other failures.

    A connection that broke before a byte of the answer came counts like any failure, also one that was used before and
    that the server had closed: the error does not tell which it was, and the request may have been read, and paid for.

    Args:
        error: What went wrong.
        retries: Retries already made for this call.
        max_retries: Retries that the call may have.
        remaining: Seconds until the call's deadline.
        chance: Gives a number from 0 to 1.
        stated: Seconds that the server asks to wait, if it does.
        moves: How many of the retries went elsewhere without a wait; they do not lengthen the next.
        was_empty: Whether this call had an empty answer before; one more would be no accident.
        budget: Pays for the retry; not after a 429, by which the service itself says when it has capacity.
    """
    if not error.is_retryable or retries >= max_retries:
        return None
    if isinstance(error, EmptyReplyError):
        return None if was_empty else 0.0
    if stated is not None:
        delay = stated
        if delay > LONGEST_WAIT:
            error.hint = f"Google asks to wait {delay:g} s, more than this client waits: retry after that."
            return None
    else:
        bound = (1.0 if isinstance(error, RateLimitError) else 0.5) * 2.0 ** (retries - moves)
        delay = chance() * min(bound, LONGEST_WAIT)
    if delay >= remaining:
        return None
    if budget is not None and not isinstance(error, RateLimitError) and not budget.take():
        error.hint = f"Not tried again: the retry budget of this process is used up. {error.hint}"
        return None
    return delay
