"""One answer of one model to one prompt, with its time, tokens, cost and validity."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vertex_compat_integrations.compare.plan import Task


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Token counts of one model call, or of all calls of an answer.

    Attributes:
        input: Input tokens, cached ones included.
        output: Output tokens, thoughts included.
        thought: Thought tokens, part of the output.
        cached: Cached tokens, part of the input.
        input_audio: Audio tokens of the input.
        output_audio: Audio tokens of the output.
    """

    input: int = 0
    output: int = 0
    thought: int = 0
    cached: int = 0
    input_audio: int = 0
    output_audio: int = 0

    def __add__(self, other: "TokenCounts") -> "TokenCounts":
        """Return the sum."""
        return TokenCounts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether an answer matches the schema.

    Attributes:
        is_valid: Whether it matches.
        reason: Where and why it does not; empty if it does.
    """

    is_valid: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a task. A field that is None is unknown.

    Attributes:
        task: The model, prompt and run.
        began: Start time.
        text: The answer as text; empty if it failed.
        error: The error message if it failed.
        seconds: From the question to the end.
        first_token_seconds: From the question to the first text or tool call of any model call, not counting thoughts.
        calls: Number of model calls; an application may make several.
        requests: Number of HTTP requests for these calls.
        usage: Tokens of all calls; failed requests report none.
        cost: US dollars by list price.
        validity: Whether it matches the schema, if there is one.
        finish_reason: Why the last call ended, as the provider reports it.
        models: Model names reported in the answers.
        emulated: Whether the emulator answered instead of a model.
    """

    task: Task
    began: datetime
    text: str
    error: str | None
    seconds: float
    first_token_seconds: float | None
    calls: int
    requests: int | None
    usage: TokenCounts | None
    cost: Decimal | None
    validity: Validity | None
    finish_reason: str | None
    models: tuple[str, ...]
    emulated: bool

    @property
    def retries(self) -> int | None:
        """Requests beyond one per call: repeated, repaired or redirected."""
        return None if self.requests is None else max(0, self.requests - self.calls)

    def record(self) -> dict[str, Any]:
        """Return the answer as JSON for programs."""
        usage, validity = self.usage, self.validity
        return {
            "model": self.task.label,
            "prompt": self.task.prompt.name,
            "run": self.task.run,
            "began": self.began.isoformat(timespec="milliseconds"),
            "text": self.text,
            "error": self.error,
            "seconds": round(self.seconds, 6),
            "first_token_seconds": None if self.first_token_seconds is None else round(self.first_token_seconds, 6),
            "calls": self.calls,
            "requests": self.requests,
            "retries": self.retries,
            "input_tokens": usage.input if usage else None,
            "output_tokens": usage.output if usage else None,
            "thought_tokens": usage.thought if usage else None,
            "cached_tokens": usage.cached if usage else None,
            "cost_usd": None if self.cost is None else float(self.cost),
            "valid": None if validity is None else validity.is_valid,
            "invalid_because": None if validity is None else validity.reason or None,
            "finish_reason": self.finish_reason,
            "answered_by": list(self.models),
            "emulated": self.emulated,
        }
