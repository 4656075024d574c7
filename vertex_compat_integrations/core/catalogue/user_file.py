"""A user's own facts, from a file or as `model_facts=`: validated, with errors that name the line and the key."""

import datetime
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vertex_compat_integrations.core.catalogue.facts import ModelFacts
from vertex_compat_integrations.core.catalogue.tables import FACT_NAMES, Table, Tables, bare_value, plain_fact
from vertex_compat_integrations.core.errors import SettingsError

FORM = 'Write [models."publisher/name"], and below it facts as name = value: `vertex-compat models --json` lists them.'
_KEYS = FACT_NAMES | {"extends", "source", "date"}


def read_user_file(path: Path) -> Tables:
    """Return the catalogue, overridden by the rows of a user's file.

    Raises:
        SettingsError: The file cannot be read, or is not a file of facts; the message names file, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise SettingsError(f"The model facts in {path} cannot be read: {error}.", hint=FORM) from None
    modified = datetime.datetime.fromtimestamp(path.stat().st_mtime, tz=datetime.UTC).date().isoformat()
    rows = content.pop("models", {})
    if content or not rows or not isinstance(rows, Mapping):
        raise _error(path, text, next(iter(content), "models"), None, "it is not a table of models")
    over: dict[str, Table] = {}
    for prefix, table in rows.items():
        if not isinstance(table, Mapping):
            raise _error(path, text, prefix, None, "it is not a table")
        for key, value in table.items():
            try:
                _check_key(key, value)
            except SettingsError as error:
                raise _error(path, text, prefix, key, error.message) from None
        over[prefix] = {"source": path.name, "date": modified, **table}
    return _with_parents(Tables(over), over, path, text)


def override_facts(facts: ModelFacts, override: Mapping[str, object]) -> ModelFacts:
    """Return the facts of a row with some replaced.

    Raises:
        SettingsError: `override` has an unknown fact, or a value of another type.
    """
    if unknown := sorted(set(override) - FACT_NAMES):
        raise SettingsError(
            f"Not model facts: {', '.join(unknown)}.", hint=f"Use one of {', '.join(sorted(FACT_NAMES))}."
        )
    return replace(facts, **{name: _checked(name, value, getattr(facts, name)) for name, value in override.items()})


def _with_parents(tables: Tables, over: Mapping[str, Table], path: Path, text: str) -> Tables:
    """Check that all rows of the file extend an existing row, and return the tables."""
    for prefix in over:
        try:
            tables.row(prefix)
        except (KeyError, RecursionError):
            raise _error(path, text, prefix, "extends", "the row to extend does not exist") from None
    return tables


def _check_key(key: str, value: object) -> None:
    if key not in _KEYS:
        raise SettingsError(f"unknown fact; facts are {', '.join(sorted(FACT_NAMES))}")
    if key in FACT_NAMES:
        _checked(key, bare_value(value))
    elif not isinstance(value, str):
        raise SettingsError("it is not text")
    elif key == "date":
        _check_date(value)


def _check_date(value: str) -> None:
    try:
        datetime.date.fromisoformat(value if len(value) == len("2026-11-28") else f"{value}-01")
    except ValueError:
        raise SettingsError(f"{value!r} is not a date; write it as 2026-11 or 2026-11-28") from None


def _checked(name: str, value: object, inherited: object = None) -> Any:
    """Return the validated fact.

    Raises:
        SettingsError: The value has another type.
    """
    try:
        fact = _adapter(name).validate_python(plain_fact(name, value, inherited), strict=True)
    except (TypeError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise SettingsError(f"The model fact {name}={value!r} does not fit: {reason}.") from None
    if name == "retires" and fact is not None:
        _check_date(fact)
    return fact


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(typing.get_type_hints(ModelFacts)[name])


def _error(path: Path, text: str, table: str, key: str | None, why: str) -> SettingsError:
    line = _line_of(text, table, key)
    place = f"line {line}, " if line else ""
    return SettingsError(f"{path}, {place}key {table}{'.' + key if key else ''}: {why.rstrip('.')}.", hint=FORM)


def _line_of(text: str, table: str, key: str | None) -> int | None:
    """Return the number of the line where a table begins, or where one of its keys is; from 1."""
    header = re.compile(rf"""\s*\[.*(?<![\w/.-]){re.escape(table)}(?![\w/-])|\s*["']?{re.escape(table)}["']?\s*=""")
    own = re.compile(rf"""\s*["']?{re.escape(key or "")}["']?\s*[=.]""")
    begin = None
    for number, line in enumerate(text.splitlines(), 1):
        if begin is None:
            begin = number if header.match(line) else None
        elif line.lstrip().startswith("["):
            break
        elif key is not None and own.match(line):
            return number
    return begin
