"""Builds HTML; a model's text is always escaped, never markup."""

import html
import unicodedata
from collections.abc import Iterable

_KEPT = "\n\t"
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the reading direction, so that a line could display other text than it contains."""


class Markup(str):
    """HTML made by this module, which is not escaped again."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return the text as HTML; control and direction characters are made visible."""
    return Markup(html.escape("".join(map(_shown, text))))


def element(name: str, *children: str, **attributes: str | int | float | bool | None) -> Markup:
    """Return an element, with text escaped. In attribute names, `_` becomes `-`; a final `_` is dropped (`class_`)."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Join the parts, with text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _shown(character: str) -> str:
    if character in _KEPT:
        return character
    if character in _DIRECTIONS:
        return f"[U+{ord(character):04X}]"
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in ("Cc", "Cs") else character
