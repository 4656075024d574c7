"""The errors among the answers, each told once however often it came."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.compare.answer import Answer
from vertex_compat_integrations.compare.plan import quoted

# Of the same error, these differ from run to run.
_MEASURED = re.compile(r"\d+(?:\.\d+)?(?= ?(?:s|ms|seconds?|minutes?|attempts?|requests?|times?)\b)")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of one or more answers.

    Attributes:
        number: By which tables and pages name it, from 1.
        text: What it says, the first time.
        labels: The models that it came from, each with the number of its answers.
    """

    number: int
    text: str
    labels: Mapping[str, int]

    @property
    def name(self) -> str:
        """How an answer names its error."""
        return f"failed: error {self.number}"

    @property
    def heading(self) -> str:
        """Number and models, before the text."""
        models = ", ".join(
            f"{quoted(label)} ({count} {'answer' if count == 1 else 'answers'})" for label, count in self.labels.items()
        )
        return f"Error {self.number}, {models}:"


def failures_in(answers: Sequence[Answer]) -> dict[str, Failure]:
    """The errors by their key, in the order in which they came; texts that differ in what was measured are one."""
    texts: dict[str, str] = {}
    counts: dict[str, dict[str, int]] = {}
    for answer in answers:
        if answer.error is not None:
            key = failure_key(answer.error)
            texts.setdefault(key, answer.error)
            labels = counts.setdefault(key, {})
            labels[answer.task.label] = labels.get(answer.task.label, 0) + 1
    return {key: Failure(number, text, counts[key]) for number, (key, text) in enumerate(texts.items(), 1)}


def failure_key(error: str) -> str:
    """What two errors have in common that are one."""
    return _MEASURED.sub("#", error)
