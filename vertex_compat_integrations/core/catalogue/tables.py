"""The catalogue's TOML files → rows: one table for each model, with `extends` resolved and a user's own file merged.

A family's file is read when the first of its models is looked up; see `data/unknown.toml` for all facts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_origin

from vertex_compat_integrations.core.catalogue.facts import EmbeddingFacts, ModelFacts
from vertex_compat_integrations.core.errors import SettingsError

DATA = Path(__file__).parent / "data"
SOURCES = "sources"

_FILES = {"": ("unknown",), "google": ("gemini", "google", "embeddings"), "intfloat": ("embeddings",)}
"""The files of a publisher's models, by publisher, if they are not one file with the publisher's name."""

ABOUT = ("prefix", "source", "date")
_ABSENT = "none"
_INHERITED = "..."
_TYPES: dict[str, Any] = {field.name: field.type for field in fields(ModelFacts)}
FACT_NAMES = frozenset(_TYPES) - set(ABOUT)
_OPTIONAL = frozenset(name for name, kind in _TYPES.items() if type(None) in get_args(kind))
_SETS = frozenset(name for name, kind in _TYPES.items() if get_origin(kind) is frozenset)
_TUPLES = frozenset(name for name, kind in _TYPES.items() if get_origin(kind) is tuple)

Table: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a fact: a key of `sources.toml`, or a text; and when it was published or last read."""

    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with the origin of each fact; inherited facts keep the origin of the row that states them.

    Attributes:
        facts: What the model can do.
        origins: Fact → origin.
        stated: The facts that the row states itself.
    """

    facts: ModelFacts
    origins: Mapping[str, Origin]
    stated: frozenset[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A page or report; `page` is its address, if it has a public one."""

    title: str
    page: str | None = None


class Tables:
    """The rows, read file by file as they are needed."""

    def __init__(self, over: Mapping[str, Table] | None = None) -> None:
        """Read the rows; `over` is a user's own rows, whose facts override the catalogue's."""
        self._over = over or {}
        self._tables: dict[str, dict[str, Table]] = {}
        self._rows: dict[str, Row] = {}

    def find(self, model: str) -> Row:
        """Return the row with the longest prefix of `model`; gateways list Gemini without its publisher."""
        model = f"google/{model}" if model.startswith("gemini-") else model
        tables = self._of_publisher(model.partition("/")[0])
        prefix = max((prefix for prefix in tables if model.startswith(prefix)), key=len, default="")
        return self.row(prefix)

    def row(self, prefix: str) -> Row:
        """Return the row with exactly this prefix, with its inherited facts."""
        if (row := self._rows.get(prefix)) is None:
            row = self._rows[prefix] = self._resolve(prefix, self._of_publisher(prefix.partition("/")[0])[prefix])
        return row

    def all(self) -> Iterator[Row]:
        """Yield every row: first the one for unknown models, then file by file."""
        files = sorted(path for path in DATA.glob("*.toml") if path.stem != SOURCES)
        prefixes = ["", "google/", *(prefix for path in files for prefix in _parse(path)["models"]), *self._over]
        for publisher in dict.fromkeys(prefix.partition("/")[0] for prefix in prefixes):
            yield from map(self.row, self._of_publisher(publisher))

    def _of_publisher(self, publisher: str) -> dict[str, Table]:
        """Prefix → table, for one publisher."""
        if (tables := self._tables.get(publisher)) is None:
            tables = _read_publisher(publisher)
            for prefix, table in self._over.items():
                if prefix.partition("/")[0] == publisher:
                    below = tables.get(prefix) or {"extends": _longest(tables, prefix)}
                    tables[prefix] = _laid_over(below, table)
            self._tables[publisher] = tables
        return tables

    def _resolve(self, prefix: str, table: Table) -> Row:
        parent = self.row(table["extends"]) if prefix or table.get("extends") else None
        values = {name: getattr(parent.facts, name) for name in FACT_NAMES} if parent else {}
        origins = dict(parent.origins) if parent else {}
        origin = Origin(table["source"], table["date"])
        stated = FACT_NAMES.intersection(table)
        for name in stated:
            value, origins[name] = _with_origin(table[name], origin)
            values[name] = plain_fact(name, value, values.get(name))
        return Row(ModelFacts(prefix=prefix, source=origin.source, date=origin.date, **values), origins, stated)


def file_of(prefix: str) -> str:
    """Return the file for a row of this prefix: that of its parent row, else its publisher's."""
    publisher = prefix.partition("/")[0]
    files = _FILES.get(publisher, (publisher,))
    paths = [path for file in files if (path := DATA / f"{file}.toml").is_file()]
    rows = [("", files[0]), *((row, path.stem) for path in paths for row in _parse(path)["models"])]
    return max((len(row), file) for row, file in rows if prefix.startswith(row))[1]


@cache
def sources() -> Mapping[str, Source]:
    """The pages and reports by their keys."""
    return {word: Source(**source) for word, source in _parse(DATA / f"{SOURCES}.toml").items()}


def source_of(word: str) -> Source:
    """Return the page or report of a row; a key that is not in `sources.toml` is its own title."""
    return sources().get(word) or Source(word)


def plain_fact(name: str, value: object, inherited: object = None) -> Any:
    """Convert a fact from lists, `"none"`, and `"..."` (the items of the row above), which files and users write."""
    if value == _ABSENT and name in _OPTIONAL:
        return None
    if name in _SETS:
        items = frozenset(_items(name, value))
        return items - {_INHERITED} | frozenset(inherited or ()) if _INHERITED in items else items  # type: ignore[call-overload]
    if name in _TUPLES:
        return tuple(_items(name, value))
    return EmbeddingFacts(**value) if isinstance(value, Mapping) else value


def _items(name: str, value: object) -> Any:
    if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
        raise SettingsError(f"The model fact {name}={value!r} is not a list.", hint=f"Write {name}=[…].")
    return value


def _with_origin(value: Any, origin: Origin) -> tuple[Any, Origin]:
    """Return a fact's value and origin; an own origin is written `{value = …, source = "…", date = "…"}`."""
    if _has_origin(value):
        return bare_value(value), Origin(value.get("source", origin.source), value.get("date", origin.date))
    return value, origin


def bare_value(value: Any) -> Any:
    """Return a fact's value without its own origin."""
    return value["value"] if _has_origin(value) else value


def _has_origin(value: Any) -> bool:
    return isinstance(value, Mapping) and "value" in value


def _read_publisher(publisher: str) -> dict[str, Table]:
    paths = [DATA / f"{file}.toml" for file in _FILES.get(publisher, (publisher,))]
    # The name comes from the user: only a valid file name is looked up.
    if publisher == SOURCES or not re.fullmatch(r"[\w-]*", publisher) or not all(path.is_file() for path in paths):
        return {}
    tables = [item for path in paths for item in _parse(path)["models"].items()]
    return {prefix: table for prefix, table in tables if prefix.partition("/")[0] == publisher}


def _longest(tables: Mapping[str, Table], prefix: str) -> str:
    """Return the parent of a new row that does not state what it extends."""
    return max((other for other in tables if prefix.startswith(other)), key=len, default="")


def _laid_over(below: Table, table: Table) -> Table:
    """Merge a user's table over a table; each fact keeps its own origin."""
    facts = _with_origins(below) | _with_origins(table)
    about = {name: value for name, value in {**below, **table}.items() if name not in FACT_NAMES}
    return about | facts


def _with_origins(table: Table) -> Table:
    """Return the table's facts, each with its origin."""
    facts = {name: value for name, value in table.items() if name in FACT_NAMES}
    origin = {"source": table["source"], "date": table["date"]} if facts else {}
    return {
        name: {**origin, **value} if _has_origin(value) else {"value": value, **origin} for name, value in facts.items()
    }


@cache
def _parse(path: Path) -> Table:
    import tomllib  # noqa: PLC0415 - importing this package must not read files or load a parser

    with path.open("rb") as file:
        return tomllib.load(file)
