"""Sums of costs over several answers, by model and by run; thread-safe."""

import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple


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


class CostTotals:
    """Adds costs up, from any thread or task."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._lock = threading.Lock()
        self._costs: dict[tuple[str, str], tuple[Decimal, int, int]] = {}

    def add(self, cost: Mapping[str, Any] | None, *, model: str, run: str) -> None:
        """Add the cost of one answer; without `usd`, it counts as unknown."""
        usd = cost.get("usd") if cost is not None else None
        amount = Decimal(0) if usd is None else Decimal(str(usd))
        with self._lock:
            dollars, answers, unknown = self._costs.get((model, run), (Decimal(0), 0, 0))
            self._costs[model, run] = dollars + amount, answers + 1, unknown + (usd is None)

    def total(self) -> CostTotal:
        """Return the sum of all answers."""
        return self._sums(lambda model, run: "").get("", CostTotal())  # noqa: ARG005 - one group

    def by_model(self) -> dict[str, CostTotal]:
        """Return a sum for each model."""
        return self._sums(lambda model, run: model)  # noqa: ARG005 - a group for each model

    def by_run(self) -> dict[str, CostTotal]:
        """Return a sum for each run."""
        return self._sums(lambda model, run: run)  # noqa: ARG005 - a group for each run

    def clear(self) -> None:
        """Start again with nothing."""
        with self._lock:
            self._costs.clear()

    def _sums(self, group: Any) -> dict[str, CostTotal]:
        with self._lock:
            costs = list(self._costs.items())
        sums: dict[str, list[Any]] = {}
        for (model, run), added in costs:
            parts = sums.setdefault(group(model, run), [Decimal(0), 0, 0])
            parts[:] = [part + more for part, more in zip(parts, added, strict=True)]
        return {name: CostTotal(float(usd), answers, unknown) for name, (usd, answers, unknown) in sums.items()}
