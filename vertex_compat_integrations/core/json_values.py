"""What a value of unknown shape holds: JSON objects, lists of them, text; and its bytes. Pure; no reader raises."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic_core import to_json

JsonObject: TypeAlias = Mapping[str, object]


def mapping_in(value: object) -> Mapping[str, Any]:
    """The value if it is a JSON object; else an empty one, since what is of another shape tells nothing."""
    return value if isinstance(value, dict) else {}


def mappings_in(value: object) -> list[JsonObject]:
    """The JSON objects in a list; empty if it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def one_or_more_in(value: object) -> list[JsonObject]:
    """The JSON objects in a list, or the one that stands where a list should."""
    return [value] if isinstance(value, dict) and value else mappings_in(value)


def text_in(value: object) -> str:
    """The value if it is a string; else an empty one."""
    return value if isinstance(value, str) else ""


def google_extras(body: JsonObject) -> Mapping[str, Any]:
    """Google's extras in a request's body, `extra_body.google`; empty if there are none."""
    return mapping_in(mapping_in(body.get("extra_body")).get("google"))


def encode_json(value: object) -> bytes:
    """The value as JSON; halves of an emoji, which have no UTF-8, are escaped."""
    try:
        return to_json(value)
    except ValueError:
        return json.dumps(value, separators=(",", ":")).encode()


def deep_merge(below: JsonObject, above: JsonObject) -> dict[str, Any]:
    """`below` with `above` over it, mapping by mapping; neither is changed."""
    merged = dict(below)
    for key, value in above.items():
        current = merged.get(key)
        if isinstance(current, Mapping) and isinstance(value, Mapping):
            value = deep_merge(current, value)  # noqa: PLW2901 - the merged value takes the place of the upper one
        merged[key] = value
    return merged
