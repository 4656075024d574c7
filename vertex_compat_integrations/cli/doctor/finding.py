"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result.

    Attributes:
        verdict: How it is.
        text: What was seen; never a secret.
        paste: A line for a shell that mends it, or shows more of it; each failure has one.
    """

    verdict: Verdict
    text: str
    paste: str | None = None


def fine(text: str) -> Finding:
    """All is well."""
    return Finding("ok", text)


def warning(text: str, paste: str) -> Finding:
    """It works, but perhaps not as it is meant."""
    return Finding("warning", text, paste)


def failed(text: str, paste: str) -> Finding:
    """It does not work."""
    return Finding("failed", text, paste)


def skipped(text: str) -> Finding:
    """It could not be looked at."""
    return Finding("skipped", text)
