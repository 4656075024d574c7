"""What a value of unknown shape holds: JSON objects, lists of them, text. Pure; nothing here raises."""

from collections.abc import Mapping
from typing import Any


def mapping_in(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object; else an empty one, since what is of another shape tells nothing."""
    return value if isinstance(value, dict) else {}


def mappings_in(value: Any) -> list[Mapping[str, Any]]:
    """The JSON objects in a list; empty if it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def one_or_more_in(value: Any) -> list[Mapping[str, Any]]:
    """The JSON objects in a list, or the one that stands where a list should."""
    return [value] if isinstance(value, dict) and value else mappings_in(value)


def text_in(value: Any) -> str:
    """The value if it is a string; else an empty one."""
    return value if isinstance(value, str) else ""


def google_extras(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Google's extras in a request's body, `extra_body.google`; empty if there are none."""
    return mapping_in(mapping_in(body.get("extra_body")).get("google"))


def deep_merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with `above` over it, mapping by mapping; neither is changed."""
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        merged[key] = deep_merge(held, value) if isinstance(held, Mapping) and isinstance(value, Mapping) else value
    return merged
