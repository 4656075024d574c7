"""The shape of JSON values, path by path, and graded differences between two shapes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

Shape = dict[str, set[str]]
"""Path (`choices[].message.content`) → JSON types found there."""

Grade = Literal["harmless", "look", "serious"]

_OWN_FIELDS = ("extra_content", "extra_properties")
"""Google's own fields: the SDK's types do not have them, and this package preserves their content."""


@dataclass(frozen=True)
class Field:
    """One path in an SDK type: the JSON types it accepts, and whether it is required."""

    types: frozenset[str]
    is_required: bool


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        path: The path.
        what: The difference in words.
        grade: `harmless`, `look` (needs review), or `serious` (a typed client or the emulator's tests are wrong).
    """

    path: str
    what: str
    grade: Grade


def shape_of(*values: Any) -> Shape:
    """Return the shape of all values together."""
    shape: Shape = {}
    for value in values:
        for path, kind in _walk(value, ""):
            shape.setdefault(path, set()).add(kind)
    return shape


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            yield path, "object"
            for key, item in value.items():
                yield from _walk(item, f"{path}.{key}" if path else key)
        case list():
            yield path, "array"
            for item in value:
                yield from _walk(item, f"{path}[]")
        case None:
            yield path, "null"
        case bool():
            yield path, "boolean"
        case int() | float():
            yield path, "number"
        case _:
            yield path, "string"


def sdk_shape(kind: type) -> dict[str, Field]:
    """Return the shape of an SDK type."""
    schema = TypeAdapter(kind).json_schema()
    return dict(_fields(schema, "", schema.get("$defs", {}), is_required=True))


def _fields(
    schema: Mapping[str, Any], path: str, definitions: Mapping[str, Any], *, is_required: bool
) -> Iterator[tuple[str, Field]]:
    nodes = list(_alternatives(schema, definitions))
    kinds = {"number" if node.get("type") == "integer" else node.get("type", "any") for node in nodes}
    yield path, Field(frozenset(kinds), is_required)
    # If several kinds of object are possible, only fields that all of them require are required.
    demands = [set(node.get("required", ())) for node in nodes if node.get("type") == "object"]
    required = set.intersection(*demands) if demands else set()
    for node in nodes:
        for key, inner in node.get("properties", {}).items():
            below = f"{path}.{key}" if path else key
            yield from _fields(inner, below, definitions, is_required=key in required)
        if "items" in node:
            yield from _fields(node["items"], f"{path}[]", definitions, is_required=False)


def _alternatives(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in schema:
        yield from _alternatives(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif choices := schema.get("anyOf") or schema.get("oneOf"):
        for choice in choices:
            yield from _alternatives(choice, definitions)
    else:
        yield schema


def compare_with_sdk(shape: Shape, fields: Mapping[str, Field]) -> list[Difference]:
    """Return the differences between an answer and the SDK's type."""
    return [*_beyond_sdk(shape, fields), *_missing_for_sdk(shape, fields)]


def values_beyond_sdk(body: Any, kind: type) -> list[Difference]:
    """Return values, such as finish reasons, that are missing in the SDK type's list; checks strictly."""
    try:
        TypeAdapter(kind).validate_python(body, strict=True)
    except ValidationError as error:
        unlisted = [each for each in error.errors() if each["type"] == "literal_error"]
        return [
            Difference(_path(each["loc"]), f"is {each['input']!r}, which the SDK's type does not list", "serious")
            for each in unlisted
        ]
    return []


def _path(steps: Iterable[int | str]) -> str:
    """Return a path as in shapes, without the type names that pydantic inserts for unions."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += "[]"
        elif not step[:1].isupper():
            path += f".{step}" if path else step
    return path


def _beyond_sdk(shape: Shape, fields: Mapping[str, Field]) -> Iterator[Difference]:
    for path, kinds in sorted(shape.items()):
        if path not in fields:
            is_own = any(f".{name}" in f".{path}" for name in _OWN_FIELDS)
            yield Difference(path, "is unknown to the SDK's type", "harmless" if is_own else "look")
        elif "any" not in fields[path].types and (odd := kinds - fields[path].types):
            yield Difference(path, f"is {_words(odd)}; the SDK's type accepts {_words(fields[path].types)}", "serious")


def _missing_for_sdk(shape: Shape, fields: Mapping[str, Field]) -> Iterator[Difference]:
    for path, field in sorted(fields.items()):
        parent = path.rpartition(".")[0]
        is_there = "object" in shape.get(parent, set())
        if field.is_required and is_there and path not in shape:
            yield Difference(path, "is absent; the SDK's type requires it", "serious")


def compare_with_emulator(shape: Shape, emulated: Shape) -> list[Difference]:
    """Return the differences between the service's answer and the emulator's to the same request."""
    differences: list[Difference] = []
    for path in sorted(shape.keys() | emulated.keys()):
        if path not in emulated:
            differences.append(Difference(path, "is unknown to the emulator", "look"))
        elif path not in shape:
            differences.append(Difference(path, "comes from the emulator only", "look"))
        elif shape[path].isdisjoint(emulated[path]):
            what = f"is {_words(shape[path])}; from the emulator it is {_words(emulated[path])}"
            differences.append(Difference(path, what, "serious"))
    return differences


def _words(kinds: Iterable[str]) -> str:
    return " or ".join(sorted(kinds))
