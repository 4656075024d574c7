"""Bodies without what is somebody's: project, tokens, e-mail addresses, and long opaque values."""

import re
from collections.abc import Mapping
from typing import Any

LONGEST = 2_000
"""Characters of a text that are kept."""

_OPAQUE = frozenset({"thought_signature", "data", "b64_json"})
_SECRETS = (
    (re.compile(r"ya29\.[\w.-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "TOKEN"),
    (re.compile(r"\bAIza[\w-]{20,}"), "API-KEY"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "E-MAIL"),
    (re.compile(r"(?<=projects/)[^/\s\"'`]+"), "PROJECT"),
    (re.compile(r"(?i)(?<=project_number:)\d+|(?<=project )\d{6,}"), "PROJECT"),
)


def redact(value: Any, project: str | None = None) -> Any:
    """The value without secrets; `project` is replaced wherever it stands."""
    match value:
        case Mapping():
            return {key: _opaque(key, item) or redact(item, project) for key, item in value.items()}
        case list():
            return [redact(item, project) for item in value]
        case str():
            return redact_text(value, project)
        case _:
            return value


def redact_text(text: str, project: str | None = None) -> str:
    """The text without secrets."""
    for pattern, word in _SECRETS:
        text = pattern.sub(word, text)
    if project:
        text = text.replace(project, "PROJECT")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _opaque(key: str, value: Any) -> str | None:
    if key in _OPAQUE and isinstance(value, str) and len(value) > 64:
        return f"<{len(value)} characters>"
    return None
