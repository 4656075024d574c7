"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result.

    Attributes:
        verdict: Whether the check passed.
        text: What was found; never a secret.
        paste: A shell command that fixes it, or shows more of it; each failure has one.
    """

    verdict: Verdict
    text: str
    paste: str | None = None


def fine(text: str) -> Finding:
    """The check passed."""
    return Finding("ok", text)


def warning(text: str, paste: str) -> Finding:
    """It works, but perhaps not as intended."""
    return Finding("warning", text, paste)


def failed(text: str, paste: str) -> Finding:
    """It does not work."""
    return Finding("failed", text, paste)


def skipped(text: str) -> Finding:
    """The check could not be made."""
    return Finding("skipped", text)
