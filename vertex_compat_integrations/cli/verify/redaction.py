"""Removes personal data from reports: projects, tokens, addresses, paths, request ids, long opaque values."""

import re
from collections.abc import Collection, Mapping
from typing import Any

LONGEST = 2_000
"""Longest text that is kept, in characters."""

SHORTEST_SECRET = 6
"""Shortest secret, in characters, that is also removed inside words; project ids are at least this long."""

_SECRETS = (
    (re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|\Z)", re.DOTALL), "KEY"),
    (re.compile(r"ya29\.[\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\b1//[\w-]{10,}|\bGOCSPX-[\w-]+"), "TOKEN"),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"), "TOKEN"),
    (re.compile(r"\bAIza[\w-]{20,}|\bsk-[\w-]{16,}"), "API-KEY"),
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"), "E-MAIL"),
    (re.compile(r"(?i)(?<=projects/)[^/\s\"'`]+|(?<=projects%2F)[^%/\s\"'`&]+"), "PROJECT"),
    (re.compile(r"(?i)(?<=[?&]project=)[^&\s\"'`]+"), "PROJECT"),
    (re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "ID"),
    (re.compile(r"(?i)((?:request|trace|correlation)[ _-]?id\W{1,3})[\w./+-]{6,}"), r"\1ID"),
    (re.compile(r"\b[0-9a-fA-F]{24,}\b"), "ID"),
    (re.compile(r"\b\d{9,}\b"), "NUMBER"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b|(?<!\w)([0-9a-fA-F]{1,4}:){3,7}(:?[0-9a-fA-F]{1,4})+"), "IP"),
    (re.compile(r"(?i)\bfile://[^\s\"'`]+"), "PATH"),
    (re.compile(r"(?i)(?:[a-z]:)?/(?:home|users|root)/[^\s\"'`,)]+"), "PATH"),
    (re.compile(r"(?<![\w/.*#$%<-])~?/(?:[^\s/\"'`:]+/)+[^\s\"'`:,)]*"), "PATH"),
    (re.compile(r"(?i)\b[a-z]:\\[^\s\"'`]+|\\\\[\w.-]+\\[^\s\"'`]+"), "PATH"),
    (re.compile(r"(?<![\w+/=-])(?!(?:\w+/)?projects/)[\w+/=-]{64,}"), "OPAQUE"),
)

_OPAQUE = frozenset({"thought_signature", "data", "b64_json"})
_IDS = re.compile(r"(?i)^(id|.*[_-]?(request|response|trace|session|correlation|call)[_-]?ids?|system_fingerprint)$")
_PERSONAL = re.compile(
    r"(?i)^(consumer|container_?info|principal.*|account.*|e-?mail.*|.*project.*|user|user_?name|serving_?data"
    r"|ip|.*_ip|remote_?addr.*|authorization|cookie|set-cookie|access_?token|refresh_?token|token|api_?key|host_?name)$"
)


class Redactor:
    """Removes secrets from texts and JSON values; equal ids get the same replacement everywhere."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        """`secrets` are texts to remove everywhere, such as the project's id and the token."""
        ordered = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_secret_pattern, ordered)), re.IGNORECASE) if ordered else None
        self._ids: dict[str, str] = {}

    def clean(self, value: Any, key: str = "") -> Any:
        """Return the JSON value without secrets in keys and values."""
        match value:
            case Mapping():
                return {self.text(str(name)): self.clean(item, str(name)) for name, item in value.items()}
            case list() | tuple():
                return [self.clean(item, key) for item in value]
            case str():
                return self._string(value, key)
            case bool() | None:
                return value
            case int() if _PERSONAL.match(key):
                return "REDACTED"
            case int() | float():
                return value
            case _:
                return self.text(str(value))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if self._pattern:
            text = self._pattern.sub("SECRET", text)
        for pattern, word in _SECRETS:
            text = pattern.sub(word, text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"

    def _string(self, value: str, key: str) -> str:
        if key in _OPAQUE and len(value) > 64:
            return f"<{len(value)} characters>"
        if _IDS.match(key) and value:
            return self._ids.setdefault(value, f"ID-{len(self._ids) + 1}")
        if _PERSONAL.match(key) and value:
            return "REDACTED"
        return self.text(value)


def _secret_pattern(secret: str) -> str:
    """Return the pattern of a secret; a short one only matches as a whole word, since it may be part of others."""
    pattern = re.escape(secret)
    return pattern if len(secret) >= SHORTEST_SECRET else rf"(?<![\w-]){pattern}(?![\w-])"
