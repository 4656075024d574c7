"""Sums of costs over several answers, by model and by run; thread-safe."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from math import inf
from typing import Any, NamedTuple, Self

MOST_RUNS = 10_000
"""Runs whose sums are stored, at most: a server's callback sees a new one with each request."""


class CostTotal(NamedTuple):
    """The cost of several answers.

    Attributes:
        usd: US dollars of the answers whose cost is known.
        answers: Number of all answers.
        unknown: Number of answers whose cost is not known; if it is not 0, `usd` is only a part of the cost.
    """

    usd: float = 0.0
    answers: int = 0
    unknown: int = 0


class _Sum:
    """A sum of costs that grows."""

    __slots__ = ("answers", "unknown", "usd")

    def __init__(self) -> None:
        self.usd, self.answers, self.unknown = Decimal(0), 0, 0

    def add(self, usd: Decimal | None) -> None:
        self.usd += usd or 0
        self.answers += 1
        self.unknown += usd is None

    def total(self) -> CostTotal:
        return CostTotal(float(self.usd), self.answers, self.unknown)


class CostTotals:
    """Adds costs up, from any thread or task. A deep copy is the same object: copies of a model add up in one place."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._lock = threading.Lock()
        self._all = _Sum()
        self._models: dict[str, _Sum] = {}
        self._runs: OrderedDict[str, _Sum] = OrderedDict()

    def add(self, cost: object, *, model: str, run: str) -> None:
        """Add the cost of one answer; without a number under `usd`, it counts as unknown."""
        usd = _dollars(cost)
        with self._lock:
            self._all.add(usd)
            self._models.setdefault(model, _Sum()).add(usd)
            self._runs.setdefault(run, _Sum()).add(usd)
            self._runs.move_to_end(run)
            if len(self._runs) > MOST_RUNS:
                self._runs.popitem(last=False)

    def total(self) -> CostTotal:
        """Return the sum of all answers."""
        with self._lock:
            return self._all.total()

    def by_model(self) -> dict[str, CostTotal]:
        """Return a sum for each model."""
        with self._lock:
            return {model: each.total() for model, each in self._models.items()}

    def by_run(self) -> dict[str, CostTotal]:
        """Return a sum for each of the latest runs, at most `MOST_RUNS`."""
        with self._lock:
            return {run: each.total() for run, each in self._runs.items()}

    def clear(self) -> None:
        """Start again with nothing."""
        with self._lock:
            self._all = _Sum()
            self._models.clear()
            self._runs.clear()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the sums, without the lock."""
        with self._lock:
            return deepcopy({name: value for name, value in vars(self).items() if name != "_lock"})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the sums."""
        vars(self).update(state, _lock=threading.Lock())


def _dollars(cost: object) -> Decimal | None:
    """Return the dollars in a cost; None if it is not known, or if other software wrote something else there."""
    usd = cost.get("usd") if isinstance(cost, Mapping) else None
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not 0 <= usd < inf:
        return None
    return Decimal(str(usd))
