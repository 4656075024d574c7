"""Descriptions of settings: the string below each field, for editors, `help()` and JSON schemas.

pydantic's own `use_attribute_docstrings` finds the same texts, but takes 0.12 s for our eight classes at each start: it
tokenizes their modules. Here the source text is searched, which takes 2 ms for all of them.
"""

import inspect
import re
import sys
from collections.abc import Mapping
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

_PACKAGE = __name__.partition(".")[0]
_FIELD = re.compile(r'^    ([a-z]\w*): .*\n(?:(?: {8}.*| {4}[\])}].*)\n)*    """((?:.|\n)*?)"""$', re.MULTILINE)
_END = re.compile(r"\n\S")
_INDENT = re.compile(r"\n +")


def descriptions_below(cls: type) -> dict[str, str]:
    """Map each field's name to its description, which is the string below the field in the source code.

    Inherited fields are not included. The mapping is empty if the source code is not available.
    """
    body = _source(cls.__module__).partition(f"\nclass {cls.__name__}(")[2]
    end = _END.search(body)
    fields = _FIELD.findall(body[: end.start() if end else None])
    return {name: _INDENT.sub("\n", text).strip() for name, text in fields}


def _source(module: str) -> str:
    """The module's source; empty for modules outside this package, or with bytecode only."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    if module.partition(".")[0] != _PACKAGE or spec is None:
        return ""
    try:
        # Not every file loader has `get_source`: pytest's has none, and it loads the packages of plugins.
        return Path(spec.origin or "").read_text(encoding="utf-8")
    except OSError:
        return _from_archive(spec)


def _from_archive(spec: ModuleSpec) -> str:
    try:
        return cast("InspectLoader", spec.loader).get_source(spec.name) or ""
    except (AttributeError, ImportError):
        return ""


def describe_fields(cls: type[BaseModel], inherited: Mapping[str, str]) -> None:
    """Set each field's description: the string below it, or the text in `inherited` for a framework's own field."""
    for name, text in {**inherited, **descriptions_below(cls)}.items():
        if name in cls.model_fields:
            cls.model_fields[name].description = text


def described_arguments(cls: type[BaseModel], docstring: str) -> str:
    """Return a constructor's docstring, with the meaning of each argument."""
    lines = [
        f"    {name}: {(field.description or '').replace(chr(10), chr(10) + '        ')}"
        for name, field in cls.model_fields.items()
    ]
    return "\n".join((inspect.cleandoc(docstring), "", "Args:", *lines))


def described_schema(cls: type[BaseModel], schema: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the class's JSON schema, with descriptions of fields that had none when pydantic built the class."""
    for name, each in handler.resolve_ref_schema(schema).get("properties", {}).items():
        field = cls.model_fields.get(name)
        if field is not None and field.description:
            each["description"] = field.description
    return schema


class SettingsSchema(GenerateJsonSchema):
    """Generator of the settings' JSON schemas; a type that JSON cannot express, such as a function, is any value."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - a hook
        """Return a schema that accepts anything."""
        return {}
