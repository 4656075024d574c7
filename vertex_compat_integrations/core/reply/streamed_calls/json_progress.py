"""How far a JSON object has come that is told in pieces. Pure.

Each character is read once, and the whole parsed once.
"""

import re
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json

_OUTSIDE = re.compile(r"[^\s]")
_NESTING = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')


class JsonProgress:
    """Goes through the pieces of a text that is to be one JSON object."""

    def __init__(self) -> None:
        """Begin before the object."""
        self._pieces: list[str] = []
        self._depth = 0
        self._is_string = self._is_escaped = False
        self._has_begun = self._is_broken = self._is_parsed = False
        self._value: dict[str, Any] | None = None

    def read(self, pieces: Iterable[str]) -> None:
        """Go on through these."""
        for piece in pieces:
            self._pieces.append(piece)
            at = 0
            while not self._is_broken and at < len(piece):
                at = self._step(piece, at)

    def _step(self, piece: str, at: int) -> int:
        """Read up to the next character that counts; the place behind it."""
        if self._is_escaped:
            self._is_escaped = False
            return at + 1
        pattern = _IN_STRING if self._is_string else _NESTING if self._depth else _OUTSIDE
        if (match := pattern.search(piece, at)) is None:
            return len(piece)
        character = match[0]
        if self._depth == 0:
            # Before the object, only its brace may come; behind it, nothing.
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
        """The object, once it is whole; None before, and if the text is none."""
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
