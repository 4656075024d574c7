"""Readers for values of unknown shape (JSON objects, lists of them, text), and a JSON encoder. Readers never raise."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic_core import to_json

JsonObject: TypeAlias = Mapping[str, object]


def mapping_in(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object, otherwise an empty one: other shapes are ignored."""
    return value if isinstance(value, dict) else {}


def mappings_in(value: object) -> list[JsonObject]:
    """Return the JSON objects in a list; empty if the value is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def one_or_more_in(value: object) -> list[JsonObject]:
    """Return the JSON objects in a list, or a single object in place of a list."""
    return [value] if isinstance(value, dict) and value else mappings_in(value)


def text_in(value: object) -> str:
    """Return the value if it is a string, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def google_extras(body: JsonObject) -> Mapping[str, Any]:
    """Return Google's extras in a request's body, `extra_body.google`; empty if there are none."""
    return mapping_in(mapping_in(body.get("extra_body")).get("google"))


def encode_json(value: object) -> bytes:
    """Encode the value as JSON; halves of an emoji (lone surrogates), which UTF-8 cannot encode, are escaped."""
    try:
        return to_json(value)
    except ValueError:
        return json.dumps(value, separators=(",", ":")).encode()


def deep_merge(below: JsonObject, above: JsonObject) -> dict[str, Any]:
    """Return `below` with `above` merged over it, mapping by mapping; neither is changed."""
    merged = dict(below)
    for key, value in above.items():
        current = merged.get(key)
        if isinstance(current, Mapping) and isinstance(value, Mapping):
            value = deep_merge(current, value)  # noqa: PLW2901 - the merged value replaces the upper one
        merged[key] = value
    return merged
