"""Reads JSON Schema: follows `$ref`, merges `allOf`, and brings the drafts' spellings to one form.

Drafts 4 to 2020-12 and OpenAPI's `nullable` are understood. `title`, `default`, `examples`, `not`, `if`, `contains`,
`propertyNames`, `uniqueItems`, `unevaluated…` and every unknown keyword are not read, which only admits more values;
but an alternative `{"not": {}}` is left out.
"""

import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import unquote

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.keywords import (
    LOWER_BOUNDS,
    TYPES,
    UPPER_BOUNDS,
    ContradictionError,
    Keywords,
    Place,
    is_type,
    merged,
    one_of,
    without_repetition,
)

MAX_DEPTH = 64
"""Nested nodes, and references inside references; the interpreter's stack holds several times as much."""

MAX_SIZE = 1_000_000
"""Characters, roughly, of what a schema becomes once its definitions are inlined."""

NODE_SIZE = 64
BOUNDS = frozenset(LOWER_BOUNDS + UPPER_BOUNDS)
COUNTS = ("minLength", "minItems", "minProperties", "maxLength", "maxItems", "maxProperties")
RECURSION_HINT = (
    "The endpoint takes no recursive schemas: spell out as many levels as you need, "
    "or make the inner field a string that holds JSON."
)
NODE_HINT = 'Put a JSON Schema there, such as {"type": "string"}.'

_MISSING = object()


class Reader:
    """Reads the nodes of one document, within a budget for the size of the whole."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._budget = MAX_SIZE

    def read(self, *places: Place) -> Keywords:
        """What holds for a value that satisfies every one of the places.

        Raises:
            SchemaError: If a place is no schema, refers to itself or to nothing, or is too deep or too large.
            ContradictionError: If no value satisfies them all.
        """
        parts = []
        waiting = list(reversed(places))
        while waiting:
            place = waiting.pop()
            schema = self._visit(place)
            if schema.get("nullable") is True:
                parts.append(_or_null(place, schema))
            else:
                parts.append(_own_keywords(place, schema))
                waiting.extend(reversed(self._parents(place, schema)))
        return merged(parts)

    def spend(self, size: int, path: str) -> None:
        """Take a size off the budget.

        Raises:
            SchemaError: If the budget is used up.
        """
        self._budget -= size
        if self._budget < 0:
            message = f"The schema grows beyond {MAX_SIZE:,} characters once its definitions are inlined"
            raise SchemaError(message, path=path, hint="Use fewer or smaller definitions, or split the tool.")

    def _visit(self, place: Place) -> Mapping[str, Any]:
        schema = {} if place.schema is True else place.schema
        if schema is False:
            raise ContradictionError("The schema `false` accepts nothing", place.path)
        if not isinstance(schema, Mapping):
            raise SchemaError(f"{reprlib.repr(schema)} is no schema", path=place.path, hint=NODE_HINT)
        if max(place.depth, len(place.references)) > MAX_DEPTH:
            raise too_deep(place.path)
        self.spend(_size(schema), place.path)
        return schema

    def _parents(self, place: Place, schema: Mapping[str, Any]) -> list[Place]:
        for keyword in ("$dynamicRef", "$recursiveRef"):
            if keyword in schema:
                raise SchemaError(f"{keyword} is for recursive schemas", path=place.path, hint=RECURSION_HINT)
        parents = [self._follow(place, schema["$ref"])] if "$ref" in schema else []
        return parents + [place.below(part, "allOf", index) for index, part in _listed(place, schema, "allOf")]

    def _follow(self, place: Place, reference: Any) -> Place:
        if not isinstance(reference, str):
            raise SchemaError(f"$ref is no text: {reprlib.repr(reference)}", path=place.path, hint=NODE_HINT)
        pointer = unquote(reference)
        if pointer in place.references:
            cycle = (*place.references[place.references.index(pointer) :], pointer)
            message = f"{_name(pointer)} contains itself: {' → '.join(_name(step) for step in cycle)}"
            raise SchemaError(message, path=place.path, hint=RECURSION_HINT)
        return replace(place, schema=self._target(pointer, place.path), references=(*place.references, pointer))

    def _target(self, pointer: str, path: str) -> Any:
        if not pointer.startswith("#"):
            message = f"The reference {reprlib.repr(pointer)} leaves the schema"
            raise SchemaError(message, path=path, hint="Copy the definition into $defs and refer to #/$defs/NAME.")
        node: Any = self._document
        head, *steps = pointer.split("/")
        for step in steps:
            node = _entry(node, step.replace("~1", "/").replace("~0", "~"))
        if node is _MISSING or head != "#":
            message = f"The reference {reprlib.repr(pointer)} leads nowhere"
            hint = "References start at the schema's root: put the definition into $defs there."
            raise SchemaError(message, path=path, hint=hint)
        return node


def too_deep(path: str) -> SchemaError:
    """The error for a schema that nests further than is followed."""
    return SchemaError(f"The schema is nested deeper than {MAX_DEPTH} levels", path=path)


def _entry(node: Any, key: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(key, _MISSING)
    if isinstance(node, list | tuple) and key.isdecimal() and int(key) < len(node):
        return node[int(key)]
    return _MISSING


def _name(pointer: str) -> str:
    return pointer.rpartition("/")[2] if "/" in pointer else "the whole schema"


def _size(schema: Mapping[str, Any]) -> int:
    texts: list[Any] = [schema.get("description"), schema.get("pattern")]
    for keyword in ("enum", "properties", "required"):
        parts = schema.get(keyword)
        texts.extend(parts if isinstance(parts, list | tuple | Mapping) else ())
    return NODE_SIZE + sum(len(text) if isinstance(text, str) else 1 for text in texts)


def _or_null(place: Place, schema: Mapping[str, Any]) -> Keywords:
    plain = {keyword: value for keyword, value in schema.items() if keyword != "nullable"}
    return Keywords(place.path, unions=((replace(place, schema=plain), replace(place, schema={"type": "null"})),))


def _own_keywords(place: Place, schema: Mapping[str, Any]) -> Keywords:
    """What the node itself says, without `$ref` and `allOf`."""
    prefix = _prefix(place, schema)
    required = schema.get("required")
    keywords = Keywords(
        place.path,
        types=_types(place, schema),
        enum=_values(place, schema),
        descriptions=tuple(text.strip() for text in _texts(schema, "description")),
        formats=tuple(_texts(schema, "format")),
        patterns=tuple(_texts(schema, "pattern")),
        multiples=tuple(_numbers(schema, "multipleOf")),
        bounds=_bounds(schema, prefix),
        items=_items(place, schema, prefix),
        orders=(", ".join(_label(part) for part in prefix),) if len(prefix) > 1 else (),
        properties=_properties(place, schema),
        required=tuple(name for name in required if isinstance(name, str))
        if isinstance(required, list | tuple)
        else (),
        additional=_additional(place, schema),
        unions=tuple(_union(place, schema, keyword) for keyword in ("anyOf", "oneOf") if keyword in schema),
    )
    return _without_foreign_values(keywords)


def _without_foreign_values(keywords: Keywords) -> Keywords:
    """The same, with an enum of which no value is of the node's type as a text: the type is what callers mean."""
    types, values = keywords.types or (), keywords.enum or ()
    if not types or not values or any(value is None or is_type(value, kind) for value in values for kind in types):
        return keywords
    return replace(keywords, enum=None, descriptions=(*keywords.descriptions, one_of(values, keywords.path)))


def _types(place: Place, schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    said = schema.get("type")
    names = said if isinstance(said, list | tuple) else [said]
    # Google's own schemas write types in capitals.
    types = [name.lower() if isinstance(name, str) else name for name in names if name is not None]
    if unknown := [name for name in types if name not in TYPES]:
        raise SchemaError(f"{reprlib.repr(unknown[0])} is no type", path=place.path, hint=f"Types: {', '.join(TYPES)}.")
    return tuple(dict.fromkeys(types)) or None


def _values(place: Place, schema: Mapping[str, Any]) -> tuple[Any, ...] | None:
    if "const" in schema:
        return without_repetition([schema["const"]], place.path)
    values = schema.get("enum")
    if values is None:
        return None
    if not isinstance(values, list | tuple):
        raise SchemaError("enum is no list", path=place.path, hint='Write the values as a list: ["a", "b"].')
    if not values:
        raise ContradictionError("The enum is empty", place.path)
    return without_repetition(values, place.path)


def _texts(schema: Mapping[str, Any], keyword: str) -> Iterator[str]:
    text = schema.get(keyword)
    if isinstance(text, str) and text.strip():
        yield text


def _numbers(schema: Mapping[str, Any], keyword: str) -> Iterator[float]:
    number = schema.get(keyword)
    if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < math.inf:
        yield number


def _bounds(schema: Mapping[str, Any], prefix: Sequence[Any]) -> dict[str, float]:
    bounds = {keyword: number for keyword in schema if keyword in BOUNDS for number in _numbers(schema, keyword)}
    for inclusive, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and inclusive in bounds:  # JSON Schema draft 4
            bounds[exclusive] = bounds[inclusive]
    if _rest(schema) is False:
        bounds["maxItems"] = min(len(prefix), bounds.get("maxItems", len(prefix)))
    return {keyword: int(number) if keyword in COUNTS else number for keyword, number in bounds.items()}


def _prefix(place: Place, schema: Mapping[str, Any]) -> list[Any]:
    """The tuple's members: `prefixItems`, or a list under `items` as drafts before 2020-12 have it."""
    keyword = "items" if isinstance(schema.get("items"), list | tuple) else "prefixItems"
    return [part for _, part in _listed(place, schema, keyword)]


def _rest(schema: Mapping[str, Any]) -> Any:
    """What elements after the tuple's members satisfy."""
    items = schema.get("items", True)
    return schema.get("additionalItems", True) if isinstance(items, list | tuple) else items


def _items(place: Place, schema: Mapping[str, Any], prefix: Sequence[Any]) -> tuple[Place, ...]:
    rest = _rest(schema)
    if not prefix:
        return (place.below(rest, "items"),) if "items" in schema and rest is not False else ()
    longest = next(_numbers(schema, "maxItems"), math.inf)
    if rest is False or longest <= len(prefix):
        return (place.below({"anyOf": [*prefix]}, "prefixItems"),)
    return (place.below(True if rest is True else {"anyOf": [*prefix, rest]}, "prefixItems"),)


def _label(schema: Any) -> str:
    for keyword in ("title", "type", "$ref"):
        if isinstance(schema, Mapping) and isinstance(text := schema.get(keyword), str):
            return _name(text) if keyword == "$ref" else text
    return "any"


def _properties(place: Place, schema: Mapping[str, Any]) -> dict[str, tuple[Place, ...]] | None:
    said = schema.get("properties")
    if said is None:
        return None
    if not isinstance(said, Mapping) or not all(isinstance(name, str) for name in said):
        raise SchemaError("properties maps no names to schemas", path=place.path, hint=NODE_HINT)
    return {name: (place.below(part, "properties", name),) for name, part in said.items()}


def _additional(place: Place, schema: Mapping[str, Any]) -> tuple[Place, ...] | Literal[False] | None:
    said = schema.get("additionalProperties")
    patterns = schema.get("patternProperties")
    if said is None:
        return None
    if said is not True and isinstance(patterns, Mapping) and patterns:
        alternatives = [*patterns.values(), *([] if said is False else [said])]
        others = {"anyOf": alternatives} if len(alternatives) > 1 else alternatives[0]
        return (place.below(others, "patternProperties"),)
    return False if said is False else (place.below(said, "additionalProperties"),)


def _union(place: Place, schema: Mapping[str, Any], keyword: str) -> tuple[Place, ...]:
    parts = _listed(place, schema, keyword)
    if not parts:
        raise SchemaError(f"{keyword} has no alternatives", path=place.path, hint=NODE_HINT)
    possible = [(index, part) for index, part in parts if not _is_never(part)] or parts
    return tuple(place.below(part, keyword, index) for index, part in possible)


def _is_never(schema: Any) -> bool:
    """Whether it is how zod writes a schema that nothing fits."""
    return isinstance(schema, Mapping) and schema.get("not") in ({}, True)


def _listed(place: Place, schema: Mapping[str, Any], keyword: str) -> list[tuple[int, Any]]:
    parts = schema.get(keyword, ())
    if not isinstance(parts, list | tuple):
        raise SchemaError(f"{keyword} is no list", path=place.path, hint=f'Write "{keyword}": [ … ].')
    return list(enumerate(parts))
