"""A place in a text, and what can be read from there on. Pure; it only moves forward."""

import json
import re
from typing import Any


class UnreadableCallError(ValueError):
    """A call cannot be read with certainty."""


class Cursor:
    """Reads a text from its beginning to its end.

    Attributes:
        text: All of it.
        at: Index of the next character.
    """

    def __init__(self, text: str) -> None:
        """Begin at the beginning."""
        self.text = text
        self.at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether nothing follows."""
        return self.at >= len(self.text)

    def sees(self, *words: str) -> bool:
        """Whether one of the words follows."""
        return self.text.startswith(words, self.at)

    def take(self, word: str) -> bool:
        """Go past the word, if it follows."""
        is_there = self.text.startswith(word, self.at)
        self.at += len(word) if is_there else 0
        return is_there

    def expect(self, word: str) -> None:
        """Go past the word.

        Raises:
            UnreadableCallError: It does not follow.
        """
        if not self.take(word):
            raise UnreadableCallError

    def skip_blanks(self) -> "Cursor":
        """This cursor, at the next character that is no blank and no line break."""
        self.at = _BLANKS.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches everywhere
        return self

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern matches here; the cursor goes past it."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def until(self, *words: str) -> str:
        """The text before the first of the words.

        Raises:
            UnreadableCallError: None of them follows.
        """
        places = [place for word in words if (place := self.text.find(word, self.at)) >= 0]
        if not places:
            raise UnreadableCallError
        begin, self.at = self.at, min(places)
        return self.text[begin : self.at]

    def past(self, word: str) -> str:
        """The text before the word; the cursor goes past that.

        Raises:
            UnreadableCallError: It does not follow.
        """
        text = self.until(word)
        self.at += len(word)
        return text

    def json(self) -> Any:
        """The JSON value that follows; line breaks may stand in its strings as they are.

        Raises:
            UnreadableCallError: None follows, or one that names a key twice.
        """
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except (ValueError, RecursionError) as error:
            raise UnreadableCallError from error
        return value

    def json_object(self) -> str:
        """The JSON object that follows, as text.

        Raises:
            UnreadableCallError: None follows.
        """
        return json_text(self.json())

    def whole_json(self) -> Any:
        """The JSON value that is all that follows.

        Raises:
            UnreadableCallError: It is none.
        """
        value = self.skip_blanks().json()
        if not self.skip_blanks().is_at_end:
            raise UnreadableCallError
        return value


def json_text(value: object) -> str:
    """The JSON of a call's arguments.

    Raises:
        UnreadableCallError: They are no object, or hold a number that JSON has not.
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
