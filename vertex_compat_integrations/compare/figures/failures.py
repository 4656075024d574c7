"""The errors among the answers, each reported once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vertex_compat_integrations.compare.answer import Answer
from vertex_compat_integrations.compare.plan import quoted

# Figures that differ between occurrences of the same error.
_MEASURED = re.compile(r"\d+(?:\.\d+)?(?= ?(?:s|ms|seconds?|minutes?|attempts?|requests?|times?)\b)")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of one or more answers.

    Attributes:
        number: Its number in tables and pages, from 1.
        text: The message of the first occurrence.
        labels: The models that returned it, each with the number of answers.
    """

    number: int
    text: str
    labels: Mapping[str, int]

    @property
    def name(self) -> str:
        """The text that an answer shows for this error."""
        return f"failed: error {self.number}"

    @property
    def heading(self) -> str:
        """Number and models, printed before the text."""
        models = ", ".join(
            f"{quoted(label)} ({count} {'answer' if count == 1 else 'answers'})" for label, count in self.labels.items()
        )
        return f"Error {self.number}, {models}:"


def failures_in(answers: Sequence[Answer]) -> dict[str, Failure]:
    """Return the errors by key, in order of occurrence; texts that differ only in measured figures are one error."""
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
    """Return the key of an error; equal for texts that differ only in measured figures."""
    return _MEASURED.sub("#", error)
