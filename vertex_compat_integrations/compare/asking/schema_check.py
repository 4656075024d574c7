"""Validates answers against a JSON schema. Nothing is downloaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from vertex_compat_integrations.compare.answer import Validity
from vertex_compat_integrations.core.adapters.model_spec import read_file
from vertex_compat_integrations.core.errors import SettingsError

_SHOWN = 300


class Schema:
    """A JSON schema to validate answers against."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """Check the schema.

        Raises:
            SettingsError: The schema is invalid.
        """
        kind: Any = validator_for(content, default=Draft202012Validator)
        try:
            kind.check_schema(content)
        except SchemaError as error:
            raise SettingsError(f"The schema is invalid: {error.message}", hint="Correct the schema.") from None
        self.content = dict(content)
        # An empty registry, because the library's default would download references.
        self._validator = kind(content, registry=Registry())

    def check(self, text: str) -> Validity:
        """Return whether the text is JSON that matches the schema, and where it does not."""
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            reason = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
            return Validity(is_valid=False, reason=f"Not valid JSON{reason}.")
        try:
            worst = best_match(self._validator.iter_errors(value))
        except Unresolvable as unknown:
            return Validity(is_valid=False, reason=f"The schema has an unknown reference: {unknown}.")
        except RecursionError:
            return Validity(is_valid=False, reason="Nested too deep to be checked.")
        if worst is None:
            return Validity(is_valid=True)
        message = worst.message if len(worst.message) <= _SHOWN else f"{worst.message[:_SHOWN]}…"
        return Validity(is_valid=False, reason=f"{worst.json_path}: {message}")

    def response_format(self) -> dict[str, Any]:
        """Return the `response_format` of Chat Completions for this schema."""
        name = str(self.content.get("title") or "answer")
        safe = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:64]
        return {"type": "json_schema", "json_schema": {"name": safe, "schema": self.content}}


def read_schema(path: Path) -> Schema:
    """Read the schema in a JSON, YAML or TOML file.

    Raises:
        SettingsError: The file cannot be read, or contains no valid schema.
    """
    content = read_file(path)
    if not isinstance(content, Mapping):
        raise SettingsError(f"{path} contains no schema.", hint='Write a JSON object, such as {"type": "object", …}.')
    return Schema(content)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")
