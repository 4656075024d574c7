"""Finds values for arguments and fields in a prompt: named values, numbers, quotations, names."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBER = r"(?<![\w.])(?<![A-Za-z]-)-?\d+(?:\.\d+)?(?![\w.]*\d)"
_QUOTED = (
    r"""(?<!\w)(?:"([^"\n]+)"|'([^'\n]+)'(?!\w)|"""
    r"""\u201c([^\u201d\n]+)\u201d|\u2018([^\u2019\n]+)\u2019(?!\w)|「([^」\n]+)」)"""
)
_NAME_WORD = r"[A-ZÀ-ÖØ-Þ][\w'\-]*"
_NAME = rf"{_NAME_WORD}(?: {_NAME_WORD})*(?:, [A-Z]{{2}}\b)?"
_LINK = r"(?:\s*[=:]\s*|\s+(?:is|are|was|equals|named|called|of|to|as|for|in|at|be)\s+|\s+)(?:the |a |an )?"
_STRONG_LINK = r"(?:\s*[=:]\s*|\s+(?:is|equals|named|called|of)\s+)(?:the |a |an )?"
_ENUMERATION = re.compile(rf"{_NAME}(?:, {_NAME})*,? (?:and|or|&) {_NAME}")
_PLACE = re.compile(rf"\b(?:in|at|near|for|of|to|from)\s+({_NAME})")
_PLACE_WORDS = frozenset({"address", "city", "country", "destination", "location", "place", "region", "town"})
_ABOUT = re.compile(r"\b(?:about|on|regarding)\s+([^.?!,;\n]+)", re.IGNORECASE)

# Words that have a capital only at the beginning of a sentence.
_STARTERS = frozenset(
    """a add after also an and answer are ask at be before book but call can check compare compute could create describe
    did do does each explain extract fetch find for from generate get give good hello her here hey hi his how i if in is
    it json just let list look make may me multiply my no not now of ok on or our please plan return say search set she
    should show some summarise summarize take tell thank thanks that the their then there these they this those to
    today tomorrow translate use using was we were what when where which who whose why will with would write yes you
    your i'm i'd it's what's who's let's""".split()  # noqa: SIM905 - a list of sixty quoted words is harder to read
)


def words_of(name: str) -> list[str]:
    """Return the words of an identifier or a text, in lower case."""
    return [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", name))]


def numbers_in(text: str) -> list[int | float]:
    """Return the numbers in a text, in order."""
    return [_number(digits) for digits in re.findall(_NUMBER, text)]


def quotations_in(text: str) -> list[str]:
    """Return the quoted texts, in order."""
    return ["".join(groups) for groups in re.findall(_QUOTED, text)]


def names_in(text: str) -> list[str]:
    """Return what looks like a name: capitalised words, except those at the beginning of a sentence."""
    names = (_without_starters(match) for match in re.findall(_NAME, text))
    return list(dict.fromkeys(name for name in names if name))


def enumeration_in(text: str) -> list[str]:
    """Return the names in the first enumeration, such as `Paris, London and New Delhi`."""
    match = _ENUMERATION.search(text)
    return names_in(match.group()) if match else []


def topic_of(text: str) -> str:
    """Return the topic of a text in a few words."""
    match = _ABOUT.search(text)
    return excerpt(match.group(1) if match else text)


def excerpt(text: str, length: int = 160) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


class Evidence:
    """The values in a text; each number, quotation and name is used once.

    Args:
        text: The prompt, with the tools' results.
        facts: Values by name, as tools returned them.
        number_text: The text to take numbers from, in order; None means the whole text.
    """

    def __init__(self, text: str, facts: Mapping[str, Any] | None = None, number_text: str | None = None) -> None:
        self.text = text
        self._facts = {"".join(words_of(name)): value for name, value in (facts or {}).items()}
        self._numbers = numbers_in(text if number_text is None else number_text)
        self._strings = sorted([*quotations_in(text), *names_in(re.sub(_QUOTED, " ", text))], key=text.find)

    def fact(self, name: str) -> Any:
        """Return the value that a tool returned under this name; None if there is none."""
        return self._facts.get("".join(words_of(name)))

    def mentions(self, value: str) -> bool:
        """Whether the text contains the value as whole words."""
        return bool(value) and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", self.text, re.IGNORECASE) is not None

    def named_number(self, name: str) -> int | float | None:
        """Return the number next to one of the name's words."""
        for word in _spellings(name):
            pattern = rf"(?<!\w){word}{_LINK}({_NUMBER})|({_NUMBER})\s*{word}(?!\w)"
            match = re.search(pattern, self.text, re.IGNORECASE)
            if match:
                return self._taken(_number(match.group(1) or match.group(2)))
        return None

    def named_string(self, name: str) -> str | None:
        """Return the quotation, name or word next to one of the name's words."""
        for word in _spellings(name):
            for value in (rf"{_LINK}{_QUOTED}", rf"{_LINK}((?-i:{_NAME}))", rf"{_STRONG_LINK}([\w.@+\-]+)"):
                match = re.search(rf"(?<!\w){word}{value}", self.text, re.IGNORECASE)
                string = next(filter(None, match.groups()), "") if match else ""
                if _QUOTED not in value:
                    string = _without_starters(string)
                if string:
                    return self._used(string)
        return None

    def place(self, name: str) -> str | None:
        """Return the name after a preposition, if `name` is a word for places, such as `city`."""
        match = _PLACE.search(self.text) if _PLACE_WORDS & set(words_of(name)) else None
        return self._used(match.group(1)) if match else None

    def next_number(self) -> int | float | None:
        """Return the next unused number."""
        return self._numbers.pop(0) if self._numbers else None

    def next_string(self) -> str | None:
        """Return the next unused quotation or name."""
        return self._strings.pop(0) if self._strings else None

    def search(self, pattern: str) -> str | None:
        """Return the first match of a pattern in the text."""
        match = re.search(pattern, self.text)
        return match.group() if match else None

    @property
    def is_spent(self) -> bool:
        """Whether all values have been used."""
        return not self._numbers and not self._strings

    def _taken(self, number: int | float) -> int | float:
        if number in self._numbers:
            self._numbers.remove(number)
        return number

    def _used(self, value: str) -> str:
        if value in self._strings:
            self._strings.remove(value)
        return value


def _spellings(name: str) -> Sequence[str]:
    words = [re.escape(word) for word in words_of(name)]
    whole = r"[\s_\-]*".join(words)
    # Plural and past forms match, too: `customers`, `named`.
    longer = [rf"{word}\w{{0,2}}" for word in reversed(words) if len(word) > 2]
    return [whole, *longer] if len(words) > 1 else longer or words


def _without_starters(name: str) -> str:
    words = name.split(" ")
    while words and words[0].lower().strip(",") in _STARTERS:
        words.pop(0)
    return " ".join(words)


def _number(digits: str) -> int | float:
    return float(digits) if "." in digits else int(digits)
