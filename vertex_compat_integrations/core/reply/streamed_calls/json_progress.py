"""Tracks how much of a JSON object has arrived in pieces. Pure.

Each character is read once, and the whole object is parsed once.
"""

import re
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json

_OUTSIDE = re.compile(r"[^\s]")
_NESTING = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')


class JsonProgress:
    """Reads the pieces of a text that should be one JSON object."""

    def __init__(self) -> None:
        """Start before the object."""
        self._pieces: list[str] = []
        self._depth = 0
        self._is_string = self._is_escaped = False
        self._has_begun = self._is_broken = self._is_parsed = False
        self._value: dict[str, Any] | None = None

    def read(self, pieces: Iterable[str]) -> None:
        """Read the next pieces."""
        for piece in pieces:
            self._pieces.append(piece)
            at = 0
            while not self._is_broken and at < len(piece):
                at = self._step(piece, at)

    def _step(self, piece: str, at: int) -> int:
        """Read up to the next character that matters; return the index after it."""
        if self._is_escaped:
            self._is_escaped = False
            return at + 1
        pattern = _IN_STRING if self._is_string else _NESTING if self._depth else _OUTSIDE
        if (match := pattern.search(piece, at)) is None:
            return len(piece)
        character = match[0]
        if self._depth == 0:
            # Before the object, only its opening brace may occur; after it, nothing.
            self._is_broken = self._has_begun or character != "{"
            self._has_begun, self._depth = True, 1
        elif self._is_string:
            self._is_escaped, self._is_string = character == "\\", character == "\\"
        elif character == '"':
            self._is_string = True
        else:
            self._depth += 1 if character in "{[" else -1
        return match.end()

    @property
    def value(self) -> dict[str, Any] | None:
        """The object, once it is complete; None before, and if the text is not an object."""
        if self._is_broken or self._depth or not self._has_begun:
            return None
        if not self._is_parsed:
            self._is_parsed = True
            try:
                value = from_json("".join(self._pieces).encode(errors="replace"))
            except ValueError:
                value = None
            self._value = value if isinstance(value, dict) else None
        return self._value
