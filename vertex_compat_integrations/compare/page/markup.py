"""HTML from values: a model's words are always text, never markup."""

import html
import unicodedata
from collections.abc import Iterable

_KEPT = "\n\t"
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the reading direction, so that a line shows other words than it holds."""


class Markup(str):
    """HTML that was made here."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """The text as HTML; characters that browsers obey or cannot show are shown as such."""
    return Markup(html.escape("".join(map(_shown, text))))


def element(name: str, *children: str, **attributes: str | int | float | bool | None) -> Markup:
    """An element; texts in it are escaped, markup is not. `class_` and `http_equiv` become `class` and `http-equiv`."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """The parts one after another, texts escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _shown(character: str) -> str:
    if character in _KEPT:
        return character
    if character in _DIRECTIONS:
        return f"[U+{ord(character):04X}]"
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in ("Cc", "Cs") else character
