"""An argument that a model wrote as bare text → its JSON value, by the tool's schema. Pure.

Qwen3-Coder, GLM and MiniMax write `42` for both the number and the text; the servers' own parsers use the tool's schema
(vLLM's `qwen3coder_tool_parser.py`, `glm4_moe_tool_parser.py`, `minimax_m2_tool_parser.py`).
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, text_in

Kinds: TypeAlias = frozenset[str]
"""Names of JSON Schema's types."""

_ANY: Kinds = frozenset({"string", "number", "integer", "boolean", "null", "object", "array"})
_MOST_REFERENCES = 32
_PYTHON_WORDS = {"True": True, "False": False, "None": None}
"""The words that the models' chat templates write, and therefore the models themselves."""


class UnclearValueError(ValueError):
    """The text fits no value of the schema, or more than one."""


def value_of(text: str, name: str, parameters: JsonObject) -> Any:
    """Return the value of an argument.

    Raises:
        UnclearValueError: The schema does not name the argument, or the text fits no value or more than one.
    """
    properties = mapping_in(parameters.get("properties"))
    if name not in properties:
        raise UnclearValueError(name)
    kinds = kinds_of(properties[name], parameters)
    if kinds == {"string"}:
        return text
    is_other, value = _read(text.strip(), kinds - {"string"})
    if not is_other and "string" in kinds:
        return text
    # Null has only one spelling; other text that is also, for example, a number is ambiguous.
    if not is_other or ("string" in kinds and value is not None):
        raise UnclearValueError(name)
    return value


def kinds_of(schema: object, root: JsonObject, depth: int = 0) -> Kinds:
    """Return the types that a schema allows; all of them if it has no restriction, or is too complex."""
    holder = mapping_in(schema)
    if depth > _MOST_REFERENCES:
        return _ANY
    if reference := text_in(holder.get("$ref")):
        return kinds_of(_at(reference, root), root, depth + 1)
    kinds = _stated(holder)
    for options in (mappings_in(holder.get(name)) for name in ("anyOf", "oneOf")):
        if options:
            kinds &= frozenset().union(*(kinds_of(option, root, depth + 1) for option in options))
    for part in mappings_in(holder.get("allOf")):
        kinds &= kinds_of(part, root, depth + 1)
    return kinds | {"null"} if holder.get("nullable") is True else kinds


def _stated(schema: JsonObject) -> Kinds:
    """The types that the schema itself states."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list) and values:
        return frozenset(_kind(value) for value in values)
    stated = schema.get("type")
    if isinstance(stated, str | list):
        names = frozenset([stated] if isinstance(stated, str) else map(str, stated))
        return frozenset(name.lower() for name in names) & _ANY or _ANY
    if "properties" in schema:
        return frozenset({"object"})
    return frozenset({"array"}) if "items" in schema else _ANY


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _at(reference: str, root: JsonObject) -> object:
    """Return the target of a local reference; empty if there is none."""
    place: object = root
    for step in reference.removeprefix("#").split("/")[1:]:
        place = mapping_in(place).get(step.replace("~1", "/").replace("~0", "~"))
    return place if isinstance(place, Mapping) else {}


def _read(text: str, kinds: Kinds) -> tuple[bool, Any]:
    """Return whether the text is a value of one of the types, and the value."""
    try:
        value: Any = _PYTHON_WORDS[text] if text in _PYTHON_WORDS else json.loads(text)
    except (ValueError, RecursionError):
        return False, None
    kind = _kind(value)
    fits = kind in kinds or (kind == "integer" and "number" in kinds)
    return fits or (kind == "number" and "integer" in kinds and value == value // 1), value
