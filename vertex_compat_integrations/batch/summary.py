"""The outcome of a batch: counts, tokens, and failures by kind."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from vertex_compat_integrations.core.json_values import mapping_in
from vertex_compat_integrations.core.reply.reply import Usage
from vertex_compat_integrations.core.reply.usage import decode_usage
from vertex_compat_integrations.wire import EMULATOR_FINGERPRINT, Json

Price = Callable[[str, Usage], Decimal | None]
"""Returns the US dollars for a model and the tokens of one answer; None if unknown."""

MOST_GROUPS = 50
SHOWN_LINES = 3
_COUNTS = {
    "input": ("prompt_tokens",),
    "output": ("completion_tokens",),
    "thought": ("completion_tokens_details", "reasoning_tokens"),
    "cached": ("prompt_tokens_details", "cached_tokens"),
}


@dataclass(slots=True)
class FailureGroup:
    """Failures of one kind.

    Attributes:
        type: The error's class.
        code: Google's canonical status, or the error's class if there is none.
        status_code: HTTP status.
        reason: Google's own reason code, if there is one.
        message: The message of the first failure.
        hint: How to fix the first failure.
        count: Number of failures.
        lines: Ids of the first few lines.
    """

    type: str
    code: str
    status_code: int | None
    reason: str | None
    message: str
    hint: str
    count: int = 0
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """The outcome of a batch.

    Attributes:
        lines: Number of requests in the input.
        earlier: Lines answered by an earlier run.
        answered: Lines answered by this run.
        failed: Lines that failed, in this run or an earlier one.
        unmatched: Results in the output that match no line of the input.
        repaired: Whether an incomplete last line of the output was repaired.
        stopped: Why the run stopped early; None if it did not.
        seconds: Duration of this run.
        usage: Tokens of this run's answers.
        price: Calculates the cost; None leaves it unknown.
        cost: US dollars for this run's answers; None if any of them has no price.
        emulated: Number of this run's answers from the emulator.
        groups: The failures by kind.
    """

    lines: int = 0
    earlier: int = 0
    answered: int = 0
    failed: int = 0
    unmatched: int = 0
    repaired: bool = False
    stopped: str | None = None
    seconds: float = 0.0
    usage: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    price: Price | None = field(default=None, repr=False, compare=False)
    cost: Decimal | None = Decimal(0)
    emulated: int = 0
    groups: dict[tuple[Any, ...], FailureGroup] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """Number of lines that have a result."""
        return self.earlier + self.answered + self.failed

    @property
    def unfinished(self) -> int:
        """Number of lines that have no result."""
        return self.lines - self.finished

    @property
    def is_complete(self) -> bool:
        """Whether every line is answered."""
        return not (self.failed or self.unfinished)

    def add_earlier(self, result: Json) -> None:
        """Count the result of an earlier run."""
        if result.get("error") is None:
            self.earlier += 1
        else:
            self._add_failure(result)

    def add(self, result: Json) -> None:
        """Count a result of this run."""
        if result.get("error") is not None:
            self._add_failure(result)
            return
        self.answered += 1
        body = result["response"]["body"]
        usage = mapping_in(body.get("usage"))
        self._add_cost(body, usage)
        for name, path in _COUNTS.items():
            self.usage[name] += _count(usage, path)

    def record(self) -> dict[str, Any]:
        """Return the summary as JSON for programs."""
        counts = ("lines", "earlier", "answered", "failed", "unfinished", "unmatched", "repaired", "stopped")
        pace = self.answered / self.seconds if self.seconds else 0.0
        return {
            **{name: getattr(self, name) for name in counts},
            "seconds": round(self.seconds, 3),
            "answers_per_second": round(pace, 2),
            "usage": self.usage,
            "cost_usd": None if self.cost is None or self.price is None else float(self.cost),
            "failures": [asdict(group) for group in self.failures],
        }

    @property
    def failures(self) -> list[FailureGroup]:
        """The failures by kind, the most frequent first."""
        return sorted(self.groups.values(), key=lambda group: -group.count)

    def _add_cost(self, body: Json, usage: Mapping[str, Any]) -> None:
        """Add an answer's cost. One without a price makes the total unknown; the emulator's answers cost nothing."""
        if str(body.get("system_fingerprint") or "").startswith(EMULATOR_FINGERPRINT):
            self.emulated += 1
            return
        counts = decode_usage(usage)
        cost = self.price(str(body.get("model")), counts) if self.price and counts else None
        self.cost = None if cost is None or self.cost is None else self.cost + cost

    def _add_failure(self, result: Json) -> None:
        self.failed += 1
        error = mapping_in(result.get("error"))
        key = tuple(error.get(name) for name in ("type", "code", "status_code", "reason"))
        if key not in self.groups and len(self.groups) >= MOST_GROUPS:
            key, error = ("others",), {"type": "others", "message": f"Kinds after the first {MOST_GROUPS}."}
        group = self.groups.setdefault(key, _group(error))
        group.count += 1
        if len(group.lines) < SHOWN_LINES:
            group.lines.append(result["custom_id"])


def _group(error: Mapping[str, Any]) -> FailureGroup:
    code = error.get("status_code")
    return FailureGroup(
        type=str(error.get("type") or ""),
        code=str(error.get("code") or ""),
        status_code=code if isinstance(code, int) else None,
        reason=error.get("reason"),
        message=str(error.get("message") or ""),
        hint=str(error.get("hint") or ""),
    )


def _count(usage: Mapping[str, Any], path: tuple[str, ...]) -> int:
    *above, name = path
    for key in above:
        usage = mapping_in(usage.get(key))
    return int(usage.get(name) or 0)
