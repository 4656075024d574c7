"""Generates values that are valid under a schema, from the prompt if it contains them."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from vertex_compat_integrations.emulator.builtin_model.prompt import Evidence, excerpt, topic_of, words_of
from vertex_compat_integrations.emulator.chat_request import mapping, objects
from vertex_compat_integrations.wire import Json

_DEEPEST = 6
_MOST_ITEMS = 2
_LARGEST_COUNT = 100_000

# Fields that get the whole prompt, and fields that get a sentence instead of a name.
_VERBATIM = frozenset({"query", "question", "text", "prompt", "request", "input", "message", "content"})
_PROSE = frozenset(
    {
        "answer", "analysis", "comment", "conclusion", "description", "details", "explanation", "notes", "punchline",
        "reason", "reasoning", "report", "response", "setup", "summary", "thought", "thoughts",
    }
)  # fmt: skip

_FORMATS: Mapping[str, tuple[str, str]] = {
    "date": (r"\d{4}-\d\d-\d\d", "2026-01-31"),
    "date-time": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "2026-01-31T12:00:00Z"),
    "time": (r"\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "12:00:00Z"),
    "duration": (r"P(?:\d+[YMWD])*(?:T(?:\d+[HMS])+)?", "P1D"),
    "email": (r"[\w.+-]+@[\w-]+\.[\w.-]+\w", "user@example.com"),
    "uri": (r"https?://[^\s\"'<>]+", "https://example.com/"),
    "url": (r"https?://[^\s\"'<>]+", "https://example.com/"),
    "uuid": (r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "123e4567-e89b-42d3-a456-426614174000"),
    "ipv4": (r"\d{1,3}(?:\.\d{1,3}){3}", "192.0.2.1"),
}
_PATTERN_CANDIDATES = (
    "a", "A", "0", "1", "ab", "AB", "12", "abc", "ABC", "123", "1234", "12345", "abcd", "ABCD", "a1", "A1", "AB12",
    "AB-12", "abc-123", "ABC-123", "2026-01-31", "12:00", "#a1b2c3", "+14155550100", "user@example.com", "https://example.com/",
)  # fmt: skip


class Found(NamedTuple):
    """A value, and whether it comes from the prompt."""

    value: Any
    is_evident: bool = False


class Generator:
    """Generates values for one schema from the values in a prompt.

    Args:
        schema: The whole schema, used to resolve references.
        evidence: The values in the prompt.
        includes_optional: Whether to include optional properties that the prompt has no values for.
    """

    def __init__(self, schema: Json, evidence: Evidence, *, includes_optional: bool) -> None:
        self._root = schema
        self._evidence = evidence
        self._includes_optional = includes_optional
        self._makers: Mapping[str, Callable[[Json, str, int], Found]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": self._boolean,
            "null": lambda *_: Found(None),
        }

    def generate(self) -> Any:
        """Return a value for the whole schema."""
        return self._value(self._root, "", 0).value

    def _value(self, schema: Any, name: str, depth: int) -> Found:
        node = self._resolved(schema)
        if "const" in node:
            return Found(node["const"])
        if isinstance(node.get("enum"), list) and node["enum"]:
            return self._one_of(node["enum"], name)
        branches = objects(node.get("anyOf")) or objects(node.get("oneOf"))
        if branches:
            drawn = self._value(self._branch(branches, depth), name, depth)
        else:
            drawn = self._makers[_kind(node)](node, name, depth)
        may_be_null = _is_nullable(node) or any(_kind(self._resolved(branch)) == "null" for branch in branches)
        is_guess = may_be_null and not drawn.is_evident and not _is_prose(name)
        return Found(None) if is_guess else drawn

    def _resolved(self, schema: Any) -> Json:
        node = mapping(schema)
        for _ in range(_DEEPEST):
            if "$ref" not in node:
                break
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            node = {**mapping(_pointed(self._root, str(node["$ref"]))), **siblings}
        for part in objects(node.get("allOf")):
            node = _merged(node, self._resolved(part))
        return node

    def _branch(self, branches: Sequence[Json], depth: int) -> Json:
        resolved = [self._resolved(branch) for branch in branches]
        full = [branch for branch in resolved if _kind(branch) != "null"]
        plain = [branch for branch in resolved if _kind(branch) not in {"object", "array"}]
        if depth > _DEEPEST and plain:
            return plain[-1]
        return (full or resolved)[0]

    def _one_of(self, values: Sequence[Any], name: str) -> Found:
        if self._evidence.fact(name) in values and self._evidence.fact(name) is not None:
            return Found(self._evidence.fact(name), is_evident=True)
        mentioned = [value for value in values if isinstance(value, str) and self._evidence.mentions(value)]
        if mentioned:
            return Found(mentioned[0], is_evident=True)
        return Found(next((value for value in values if value is not None), values[0]))

    def _object(self, node: Json, _: str, depth: int) -> Found:
        properties = mapping(node.get("properties"))
        required = _names(node.get("required"))
        value: Json = {}
        is_evident = False
        for name, child in properties.items():
            is_wanted = name in required or (self._includes_optional and depth <= _DEEPEST)
            if depth > 4 * _DEEPEST or (depth > _DEEPEST and not is_wanted):
                continue
            drawn = self._value(child, name, depth + 1)
            if is_wanted or drawn.is_evident:
                value[name] = drawn.value
            is_evident = is_evident or drawn.is_evident
        value.update(self._further(node, value, required, depth))
        return Found(value, is_evident)

    def _further(self, node: Json, value: Json, required: Sequence[str], depth: int) -> Json:
        """Return undeclared properties: required ones without a schema, and entries of a map."""
        names = [name for name in required if name not in value]
        schema = node.get("additionalProperties")
        short = _count(node, "minProperties", 0) - len(value) - len(names)
        is_map = isinstance(schema, dict) and not node.get("properties") and depth <= _DEEPEST
        count = max(short, 1 if is_map else 0)
        names += [f"key{number}" for number in range(1, count + 1)]
        return {name: self._value(schema or {"type": "string"}, name, depth + 1).value for name in names}

    def _array(self, node: Json, name: str, depth: int) -> Found:
        prefix = node.get("prefixItems")
        if isinstance(prefix, list):
            drawn = [self._value(item, name, depth + 1) for item in prefix]
            return Found([item.value for item in drawn], any(item.is_evident for item in drawn))
        least, most = _count(node, "minItems", 0), _count(node, "maxItems", _MOST_ITEMS)
        wanted = least if depth > _DEEPEST else max(least, min(most, _MOST_ITEMS))
        items: list[Found] = []
        while len(items) < wanted:
            if len(items) >= max(least, 1) and self._evidence.is_spent:
                break
            items.append(self._value(node.get("items", {"type": "string"}), _singular(name), depth + 1))
        values = [item.value for item in items]
        if node.get("uniqueItems"):
            values = [value for place, value in enumerate(values) if value not in values[:place]]
        return Found(values, any(item.is_evident for item in items))

    def _string(self, node: Json, name: str, _: int) -> Found:
        drawn = self._drawn_string(node, name)
        text = str(drawn.value)
        least, most = _count(node, "minLength", 0), _count(node, "maxLength", sys.maxsize)
        text = text.ljust(least, ".")[:most]
        pattern = node.get("pattern")
        if isinstance(pattern, str) and not _matches(pattern, text):
            offers = (each for each in _PATTERN_CANDIDATES if _matches(pattern, each))
            fitting = [each for each in offers if least <= len(each) <= most]
            return Found(fitting[0]) if fitting else Found(text)
        return Found(text, drawn.is_evident)

    def _drawn_string(self, node: Json, name: str) -> Found:
        evidence = self._evidence
        if str(node.get("format")) in _FORMATS:
            pattern, default = _FORMATS[str(node["format"])]
            match = evidence.search(pattern)
            return Found(match or default, match is not None)
        fact = evidence.fact(name)
        if isinstance(fact, str | int | float):
            return Found(str(fact), is_evident=True)
        if _is_prose(name):
            return Found(f"{name}: {topic_of(evidence.text)}")
        value = evidence.named_string(name)
        if value is None and _last_word(name) in _VERBATIM:
            return Found(evidence.text.strip() or name)
        value = value or evidence.place(name) or evidence.next_string()
        if value:
            return Found(value, is_evident=True)
        return Found(f"{name}: {topic_of(evidence.text)}" if name else excerpt(evidence.text))

    def _number(self, node: Json, name: str, _: int) -> Found:
        fact = self._evidence.fact(name)
        value: Any = fact if isinstance(fact, int | float) and not isinstance(fact, bool) else None
        if value is None:
            value = self._evidence.named_number(name)
        if value is None:
            value = self._evidence.next_number()
        is_evident = value is not None
        base = value if is_evident else _amount(node, "default") or 1
        return Found(_fitting(base, node, is_integer=_kind(node) == "integer"), is_evident)

    def _boolean(self, node: Json, name: str, _: int) -> Found:
        fact = self._evidence.fact(name)
        if isinstance(fact, bool):
            return Found(fact, is_evident=True)
        is_named = any(len(word) > 2 and self._evidence.mentions(word) for word in words_of(name))
        return Found(is_named or node.get("default") is True, is_named)


def _kind(node: Json) -> str:
    kind = node.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str) and kind.lower() in _KINDS:
        return kind.lower()
    return "object" if "properties" in node else "array" if "items" in node else "string"


_KINDS = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})


def _is_nullable(node: Json) -> bool:
    kind = node.get("type")
    return node.get("nullable") is True or (isinstance(kind, list) and "null" in kind)


def _last_word(name: str) -> str:
    return (words_of(name) or [""])[-1]


def _is_prose(name: str) -> bool:
    return _last_word(name) in _PROSE


def _pointed(root: Json, pointer: str) -> Any:
    target: Any = root
    for step in pointer.removeprefix("#").split("/")[1:]:
        target = mapping(target).get(step.replace("~1", "/").replace("~0", "~"))
    return target


def _merged(left: Json, right: Json) -> Json:
    merged = {**right, **left}
    merged["properties"] = {**mapping(right.get("properties")), **mapping(left.get("properties"))}
    merged["required"] = [*_names(left.get("required")), *_names(right.get("required"))]
    return {key: value for key, value in merged.items() if value not in ({}, []) and key != "allOf"}


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _count(node: Json, name: str, default: int) -> int:
    value = node.get(name)
    return min(max(value, 0), _LARGEST_COUNT) if isinstance(value, int) else default


def _amount(node: Json, name: str) -> int | float | None:
    value = node.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _fitting(value: float, node: Json, *, is_integer: bool) -> int | float:
    """Return the number if the schema allows it, otherwise the nearest one that it allows."""
    step = _amount(node, "multipleOf") or (1 if is_integer else 0)
    low = _bound(node, "minimum", "exclusiveMinimum", step or 1)
    high = _bound(node, "maximum", "exclusiveMaximum", -(step or 1))
    if low is not None and value < low:
        value = low
    if high is not None and value > high:
        value = high
    if _amount(node, "multipleOf"):
        value = round(value / step) * step
    return int(value) if is_integer else value


def _bound(node: Json, inclusive: str, exclusive: str, step: float) -> float | None:
    included, excluded = _amount(node, inclusive), _amount(node, exclusive)
    bounds = [bound for bound in (included, None if excluded is None else excluded + step) if bound is not None]
    return (max(bounds) if step > 0 else min(bounds)) if bounds else None


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _singular(name: str) -> str:
    return name.removesuffix("s") if len(name) > 3 else name
