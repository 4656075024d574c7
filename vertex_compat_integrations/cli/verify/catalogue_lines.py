"""The exact lines to change in the catalogue's TOML files after an answer."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from vertex_compat_integrations.core.catalogue.tables import file_of

FOLDER = "vertex_compat_integrations/core/catalogue/data"
SOURCE = "verify"
"""The name of this command as a source in the catalogue."""


@dataclass(frozen=True, slots=True)
class CatalogueLine:
    """A fact of a row, as its file should have it.

    Attributes:
        file: The file, from the repository's root.
        table: The header of the row's table.
        line: The line below it.
    """

    file: str
    table: str
    line: str


def catalogue_line(prefix: str, fact: str, value: Any, on: date) -> CatalogueLine:
    """Return the line for a fact of a model prefix, with this command as its source.

    Raises:
        TypeError: The catalogue's files cannot contain such a value.
    """
    line = f'{fact} = {{value = {_toml(value)}, source = "{SOURCE}", date = "{on.isoformat()}"}}'
    return CatalogueLine(f"{FOLDER}/{file_of(prefix)}.toml", f"[models.{json.dumps(prefix)}]", line)


def _toml(value: Any) -> str:
    match value:
        case None:
            return '"none"'  # the catalogue's value for an absent fact
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:_}"
        case str():
            return json.dumps(value)
        case frozenset() | set():
            return _list(sorted(value))
        case list() | tuple():
            return _list(value)
        case _:
            raise TypeError(f"The catalogue's files cannot contain a {type(value).__name__}.")


def _list(items: Collection[Any]) -> str:
    return f"[{', '.join(map(_toml, items))}]"
