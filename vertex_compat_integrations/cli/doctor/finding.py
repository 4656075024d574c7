"""The result of a check."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        verdict: Whether the check passed.
        text: The result in words; never a secret.
        paste: A shell command that fixes the problem, or shows more about it; each failure has one.
    """

    verdict: Verdict
    text: str
    paste: str | None = None


def fine(text: str) -> Finding:
    """Return a finding: the check passed."""
    return Finding("ok", text)


def warning(text: str, paste: str) -> Finding:
    """Return a finding: it works, but perhaps not as intended."""
    return Finding("warning", text, paste)


def failed(text: str, paste: str) -> Finding:
    """Return a finding: it does not work."""
    return Finding("failed", text, paste)


def skipped(text: str) -> Finding:
    """Return a finding: the check could not be run."""
    return Finding("skipped", text)
