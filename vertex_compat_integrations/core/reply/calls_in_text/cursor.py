"""A position in a text, and methods that read from there. Pure; it only moves forward."""

import json
import re
from typing import Any


class UnreadableCallError(ValueError):
    """A call cannot be read with certainty."""


class Cursor:
    """Reads a text from start to end.

    Attributes:
        text: The whole text.
        at: Index of the next character.
    """

    def __init__(self, text: str) -> None:
        """Start at the beginning."""
        self.text = text
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether the end is reached."""
        return self.at >= len(self.text)

    def sees(self, *words: str) -> bool:
        """Return whether one of the words follows."""
        return self.text.startswith(words, self.at)

    def take(self, word: str) -> bool:
        """Move past the word, if it follows; return whether it does."""
        is_there = self.text.startswith(word, self.at)
        self.at += len(word) if is_there else 0
        return is_there

    def expect(self, word: str) -> None:
        """Move past the word.

        Raises:
            UnreadableCallError: The word does not follow.
        """
        if not self.take(word):
            raise UnreadableCallError

    def skip_blanks(self) -> "Cursor":
        """Move past blanks and line breaks; return this cursor."""
        self.at = _BLANKS.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches everywhere
        return self

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the pattern's match at this position, and move past it."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def until(self, *words: str) -> str:
        """Return the text before the first of the words.

        Raises:
            UnreadableCallError: None of the words follows.
        """
        places = [place for word in words if (place := self.text.find(word, self.at)) >= 0]
        if not places:
            raise UnreadableCallError
        begin, self.at = self.at, min(places)
        return self.text[begin : self.at]

    def past(self, word: str) -> str:
        """Return the text before the word, and move past the word.

        Raises:
            UnreadableCallError: The word does not follow.
        """
        text = self.until(word)
        self.at += len(word)
        return text

    def json(self) -> Any:
        """Read the JSON value that follows; its strings may contain raw line breaks.

        Raises:
            UnreadableCallError: No value follows, or an object has a key twice.
        """
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except (ValueError, RecursionError) as error:
            raise UnreadableCallError from error
        return value

    def json_object(self) -> str:
        """Read the JSON object that follows, as text.

        Raises:
            UnreadableCallError: No object follows.
        """
        return json_text(self.json())

    def whole_json(self) -> Any:
        """Read the rest as one JSON value.

        Raises:
            UnreadableCallError: The rest is not one JSON value.
        """
        value = self.skip_blanks().json()
        if not self.skip_blanks().is_at_end:
            raise UnreadableCallError
        return value


def json_text(value: object) -> str:
    """Encode a call's arguments as JSON.

    Raises:
        UnreadableCallError: They are not an object, or hold a number that JSON cannot express.
    """
    if not isinstance(value, dict):
        raise UnreadableCallError
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise UnreadableCallError from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


_BLANKS = re.compile(r"\s*")
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_object)
