"""The result of a probe: its answer against the assumption, the catalogue, the SDK's types and the emulator."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from vertex_compat_integrations.cli.verify.catalogue_lines import CatalogueLine, catalogue_line
from vertex_compat_integrations.cli.verify.probes.probe import ODD, Probe
from vertex_compat_integrations.cli.verify.service import NO_ANSWER, Answer
from vertex_compat_integrations.cli.verify.shapes import (
    Difference,
    compare_with_emulator,
    compare_with_sdk,
    sdk_shape,
    shape_of,
    values_beyond_sdk,
)
from vertex_compat_integrations.core.catalogue import facts_for

Outcome = Literal["as assumed", "deviates", "open question", "no answer"]

ABSENT_FACTS: dict[str, Any] = {
    "refuses": frozenset(),
    "ignores": frozenset(),
    "thinking_off": True,
    "unstreamed_output_tokens": None,
}
"""The meaning of a fact that a catalogue row does not set."""

_STATUS = "(HTTP status)"
_KIND = "(kind of refusal)"
_WORDS = "(message of the refusal)"

_PROJECT = re.compile(r"projects/[^/\s]+")

FactsOf = Callable[[str], Any]


@dataclass(frozen=True)
class FactFinding:
    """A fact of the catalogue and its value by the answer.

    Attributes:
        prefix: The row's prefix.
        fact: Name of the fact.
        present: The value in the catalogue.
        shown: The value by the answer.
        line: The line that the catalogue's file should have; None if it already has this value.
    """

    prefix: str
    fact: str
    present: Any
    shown: Any
    line: CatalogueLine | None


@dataclass(frozen=True)
class Finding:
    """The result of a probe.

    Attributes:
        probe: The probe.
        answer: The service's answer; the last one, if there are two.
        holds: Whether the assumption holds; None if nothing is assumed, or no answer can be judged.
        fact: The fact of the catalogue that the probe is about.
        from_sdk: Differences from the SDK's types.
        from_emulator: Differences from the emulator's answer to the same request.
    """

    probe: Probe
    answer: Answer
    holds: bool | None
    fact: FactFinding | None
    from_sdk: list[Difference]
    from_emulator: list[Difference]

    @property
    def outcome(self) -> Outcome:
        """The result in words."""
        if not self.answer.is_judged:
            return "no answer"
        if self.holds is False or self.change is not None:
            return "deviates"
        return "as assumed" if self.probe.assumption else "open question"

    @property
    def change(self) -> CatalogueLine | None:
        """The line that the catalogue should have; None if nothing changes."""
        return self.fact.line if self.fact else None


def find(
    probe: Probe,
    answers: Sequence[Answer],
    emulated: Sequence[Answer],
    on: date,
    facts_of: FactsOf = facts_for,
) -> Finding:
    """Judge the answers, and compare them with the emulator's to the same requests."""
    answer = answers[-1]
    is_judged = answer.is_judged
    return Finding(
        probe,
        answer,
        _holds(probe, answer) if probe.assumption and is_judged else None,
        _fact(probe, answer, on, facts_of) if is_judged else None,
        _from_sdk(probe, answer) if answer.is_good else [],
        _from_emulator(answer, emulated[-1]) if is_judged else [],
    )


def _holds(probe: Probe, answer: Answer) -> bool:
    """Whether the answer confirms the assumption; an answer of unexpected shape does not."""
    try:
        return probe.holds(answer)
    except ODD:
        return False


def _fact(probe: Probe, answer: Answer, on: date, facts_of: FactsOf) -> FactFinding | None:
    if probe.fact is None:
        return None
    name = probe.fact.fact
    facts = facts_of(probe.fact.prefix or probe.model)
    prefix = probe.fact.prefix or facts.prefix
    present = getattr(facts, name, ABSENT_FACTS.get(name))
    shown = probe.fact.read(answer, present)
    line = None if shown == present else catalogue_line(prefix, name, shown, on)
    return FactFinding(prefix, name, present, shown, line)


def _from_sdk(probe: Probe, answer: Answer) -> list[Difference]:
    if probe.route in ("count_tokens", "caches"):
        return []  # a native answer, which the SDK does not know
    kind: type = ChatCompletionChunk if answer.chunks else ChatCompletion
    if probe.route == "embeddings":
        kind = CreateEmbeddingResponse
    values = [difference for body in answer.bodies for difference in values_beyond_sdk(body, kind)]
    return [*compare_with_sdk(shape_of(*answer.bodies), sdk_shape(kind)), *dict.fromkeys(values)]


def _from_emulator(answer: Answer, emulated: Answer) -> list[Difference]:
    differences: list[Difference] = []
    if answer.status != emulated.status:
        what = f"is {_status(answer)}; from the emulator it is {_status(emulated)}"
        differences.append(Difference(_STATUS, what, "serious"))
    else:
        differences += _other_refusal(answer, emulated)
    return [*differences, *compare_with_emulator(shape_of(*answer.bodies), shape_of(*emulated.bodies))]


def _other_refusal(answer: Answer, emulated: Answer) -> list[Difference]:
    """Return the differences between two refusals of the same status."""
    differences: list[Difference] = []
    if answer.error.get("status") != emulated.error.get("status"):
        what = f"is {answer.error.get('status')}; from the emulator it is {emulated.error.get('status')}"
        differences.append(Difference(_KIND, what, "serious"))
    if _without_project(answer.error.get("message")) != _without_project(emulated.error.get("message")):
        what = f"is {answer.error.get('message')!r}; from the emulator it is {emulated.error.get('message')!r}"
        differences.append(Difference(_WORDS, what, "look"))
    return differences


def _without_project(message: object) -> str:
    """Return a refusal's text without the project's name, to compare it."""
    return _PROJECT.sub("projects/…", str(message))


def _status(answer: Answer) -> str:
    word = answer.error.get("status")
    return f"{answer.status} {word}" if word else str(answer.status)


def what_came(answer: Answer) -> str:
    """Return an answer in one line: the text of a refusal, or finish reason and token counts."""
    if answer.status == NO_ANSWER:
        return answer.text
    if not answer.is_good:
        words = str(answer.error.get("message") or answer.text)
        return f"{_status(answer)}: {' '.join(words.split())}"
    finish = [choice.get("finish_reason") for choice in answer.choices]
    reasons = dict.fromkeys(reason for reason in finish if isinstance(reason, str))
    parts = ["200"]
    if reasons:
        parts.append(f"finish {'/'.join(reasons)}")
    if "completion_tokens" in answer.usage:
        parts.append(f"{answer.usage['completion_tokens']} tokens, {answer.thought_tokens} of thinking")
    if answer.cached_tokens:
        parts.append(f"{answer.cached_tokens} cached")
    if answer.traffic_type:
        parts.append(answer.traffic_type)
    return ", ".join(parts)
