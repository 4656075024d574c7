"""JSON Schema in, the endpoint's subset of OpenAPI 3.0 out.

Source of the subset: Google's reference of the type `Schema`, and the errors that users of the service report:
`enum: only allowed for STRING type`, `format: only 'enum' and 'date-time' are supported for STRING type`,
`properties: should be non-empty for OBJECT type`, `items: missing field`, `required[0]: property is not defined`,
`anyOf must be the only field in a schema node`, `schema didn't specify the schema type field`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import floor
from typing import Any

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.keywords import (
    TYPES,
    ContradictionError,
    Keywords,
    Place,
    as_json,
    is_type,
    merged,
    one_of,
)
from vertex_compat_integrations.core.schema.reader import MAX_DEPTH, NODE_HINT, Reader, too_deep

FORMATS = {
    "string": ("date-time", "enum"),
    "integer": ("int32", "int64"),
    "number": ("float", "double"),
}
"""The values of `format` that the endpoint takes, by type."""

KEY_ORDER = (
    *("type", "format", "description", "nullable", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    *("items", "minItems", "maxItems", "anyOf"),
)
ARRAYS_IN_ANY = 2
ANY_SIZE = 1_000
NULL_HINT = "Always null."

_LIMITS = (("minimum", "exclusiveMinimum", 1, "Greater than"), ("maximum", "exclusiveMaximum", -1, "Less than"))
_INFERENCE = {
    "object": ("minProperties", "maxProperties"),
    "array": ("minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def to_openapi(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the form that the endpoint takes for a function's parameters and for a response.

    Every value that the schema accepts is accepted by the result, with two exceptions: a node without `type` is read
    as its other keywords intend (`properties` mean an object), and where anything is allowed (`{}`, `true`, elements of
    an array without `items`), a list may hold lists but these no further ones, unless inside objects: each node of the
    result must name its type. What the subset cannot say becomes a line of the description (`One of: 1, 2, 3.`,
    `Format: email.`), or is left out.

    Args:
        schema: JSON Schema of any draft, or a result of this function, which comes back as it is.

    Raises:
        SchemaError: If the schema is recursive, refers to something outside of itself, contradicts itself, or is too
            deep or too large to be sent; `path` says where.
    """
    if not isinstance(schema, Mapping):
        raise SchemaError(f"A schema is a mapping, not {type(schema).__name__}", hint=NODE_HINT)
    try:
        return _Converter(schema).document()
    except ContradictionError as error:
        raise error.fatal() from None
    except RecursionError:
        raise too_deep("$") from None


def to_parameters(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a function's parameters in the form that the endpoint takes: one object, never a union of objects.

    A union at the root becomes the object that each of its branches fits: all their properties, and what all require.

    Raises:
        SchemaError: See `to_openapi`; or no branch is an object.
    """
    converted = to_openapi(schema)
    if converted.get("type") == "object":
        return converted
    branches = [branch for branch in converted.get("anyOf", ()) if branch.get("type") == "object"]
    if not branches:
        raise SchemaError("A function's parameters are no object", hint="Give a schema with type object at its root.")
    united: dict[str, Any] = {"type": "object", "properties": {}}
    for branch in branches:
        for name, node in branch.get("properties", {}).items():
            known = united["properties"].get(name, node)
            united["properties"][name] = node if known == node else to_openapi({"anyOf": [known, node]})
    demands = [branch.get("required", ()) for branch in branches]
    united["required"] = [name for name in demands[0] if all(name in demanded for demanded in demands)]
    if description := converted.get("description"):
        united["description"] = description
    if any("additionalProperties" in branch for branch in branches):
        united["additionalProperties"] = True
    return to_openapi(united)


@dataclass(frozen=True, slots=True)
class _Alternatives:
    """A node on its way out: one of the branches, or null, holds."""

    branches: tuple[dict[str, Any], ...]
    nullable: bool = False
    descriptions: tuple[str, ...] = ()


class _Converter:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._reader = Reader(document)

    def document(self) -> dict[str, Any]:
        keywords = self._reader.read(Place(self._document, references=("#",)))
        schema = _closed(self._alternatives(keywords))
        if schema.get("type") == "object" and "properties" not in schema and _declares_no_properties(keywords):
            # A function without parameters; only nested objects are refused without properties.
            schema = _ordered({**schema, "properties": {}, "additionalProperties": None})
        return schema

    def _alternatives(self, keywords: Keywords) -> _Alternatives:
        if keywords.unions:
            return self._distributed(keywords)
        kinds = _kinds(keywords)
        if not kinds:
            self._reader.spend(ANY_SIZE, keywords.path)
            return _Alternatives(_anything(ARRAYS_IN_ANY), nullable=True, descriptions=keywords.descriptions)
        nullable = "null" in kinds or None in (keywords.enum or ())
        branches = self._satisfiable([kind for kind in kinds if kind != "null"], keywords, nullable=nullable)
        return _Alternatives(tuple(branches), nullable, keywords.descriptions)

    def _satisfiable(self, kinds: list[str], keywords: Keywords, *, nullable: bool) -> list[dict[str, Any]]:
        branches = []
        contradiction: ContradictionError | None = None
        for kind in kinds:
            try:
                branches.append(self._typed(kind, keywords))
            except ContradictionError as error:
                contradiction = error
        if contradiction and not branches and not nullable:
            raise contradiction
        return branches

    def _distributed(self, keywords: Keywords) -> _Alternatives:
        """The union's alternatives, each with all else that the node demands: `anyOf` must stand alone."""
        if len(keywords.unions) > MAX_DEPTH:
            raise too_deep(keywords.path)
        union, *others = keywords.unions
        base = replace(keywords, unions=tuple(others), descriptions=())
        branches: list[dict[str, Any]] = []
        nullable = False
        contradiction: ContradictionError | None = None
        for place in union:
            self._reader.spend(_width(base), place.path)
            try:
                outcome = self._alternatives(replace(merged([base, self._reader.read(place)]), path=place.path))
            except ContradictionError as error:
                contradiction = error
                continue
            nullable = nullable or outcome.nullable
            branches.extend(_members(outcome))
        if contradiction and not branches and not nullable:
            raise contradiction
        return _Alternatives(_distinct(branches), nullable, keywords.descriptions)

    def _typed(self, kind: str, keywords: Keywords) -> dict[str, Any]:
        values = None if keywords.enum is None else [value for value in keywords.enum if is_type(value, kind)]
        if values is not None and not values:
            raise ContradictionError(f"None of the allowed values (enum, const) is of type {kind}", keywords.path)
        schema: dict[str, Any] = {"type": kind}
        hints: list[str] = []
        if values and kind == "string" and all(values):
            schema["enum"] = values
        elif values:
            hints.append(one_of(values, keywords.path))
        match kind:
            case "string":
                hints.extend(_string(schema, keywords))
            case "integer" | "number":
                hints.extend(_number(schema, keywords))
            case "array":
                hints.extend(f"Items in this order: {order}." for order in keywords.orders)
                schema["items"] = self._element(keywords)
            case "object":
                self._fill_object(schema, keywords)
        _copy_bounds(schema, keywords)
        return _ordered({**schema, "description": _joined(hints)})

    def _element(self, keywords: Keywords) -> dict[str, Any]:
        try:
            items = self._reader.read(*(keywords.items or (Place(schema=True, path=keywords.path),)))
            return _closed(self._alternatives(items))
        except ContradictionError as error:
            raise _weighed(error, indispensable=keywords.bounds.get("minItems", 0) > 0) from None

    def _property(self, places: tuple[Place, ...], *, indispensable: bool) -> dict[str, Any]:
        try:
            return _closed(self._alternatives(self._reader.read(*places)))
        except ContradictionError as error:
            raise _weighed(error, indispensable=indispensable) from None

    def _fill_object(self, schema: dict[str, Any], keywords: Keywords) -> None:
        required = set(keywords.required)
        properties = {
            name: self._property(places, indispensable=name in required)
            for name, places in (keywords.properties or {}).items()
        }
        additional = self._additional(keywords)
        if properties:
            schema["properties"] = properties
            schema["required"] = [name for name in keywords.required if name in properties] or None
            schema["additionalProperties"] = additional
        else:
            schema["additionalProperties"] = additional or True

    def _additional(self, keywords: Keywords) -> dict[str, Any] | bool | None:
        if not keywords.additional:
            return None
        try:
            others = self._reader.read(*keywords.additional)
            return _closed(self._alternatives(others)) if others.unions or _kinds(others) else True
        except ContradictionError:
            return None


def _weighed(error: ContradictionError, *, indispensable: bool) -> ContradictionError | SchemaError:
    """The error for the whole: if the part may be missing, there are values, and the mistake is the caller's."""
    return error if indispensable else error.fatal()


def _kinds(keywords: Keywords) -> tuple[str, ...]:
    """The types of the node, said or inferred; empty if it takes anything."""
    if keywords.types is not None:
        return keywords.types
    if keywords.enum is not None:
        return tuple(_kinds_of_values(keywords.enum))
    return tuple(_intended(keywords))


def _kinds_of_values(values: Iterable[Any]) -> Iterator[str]:
    rows = [[kind for kind in TYPES if is_type(value, kind)] for value in values]
    found = {row[0] for row in rows}
    if "number" in found:
        found.discard("integer")
    return (kind for kind in TYPES if kind in found)


def _intended(keywords: Keywords) -> Iterator[str]:
    """The types that the keywords are about, for a node that names none."""
    bounded = {kind for kind, names in _INFERENCE.items() if keywords.bounds.keys() & set(names)}
    formatted = {kind for kind in ("integer", "number") for word in keywords.formats if word in FORMATS[kind]}
    if keywords.properties is not None or keywords.required or keywords.additional is not None or "object" in bounded:
        yield "object"
    if keywords.items or keywords.orders or "array" in bounded:
        yield "array"
    if keywords.patterns or "string" in bounded or (keywords.formats and not formatted):
        yield "string"
    if "integer" in formatted:
        yield "integer"
    elif formatted or keywords.multiples or "number" in bounded:
        yield "number"


def _string(schema: dict[str, Any], keywords: Keywords) -> Iterator[str]:
    """Fill in what a string can say; the sentences for the rest."""
    yield from _format(schema, keywords)
    schema["pattern"], *others = keywords.patterns or (None,)
    yield from (f"Pattern: {pattern}" for pattern in others)


def _number(schema: dict[str, Any], keywords: Keywords) -> Iterator[str]:
    """Fill in what a number can say; the sentences for the rest."""
    yield from _format(schema, keywords)
    for inclusive, exclusive, sign, word in _LIMITS:
        limit, beyond = keywords.bounds.get(inclusive), keywords.bounds.get(exclusive)
        if beyond is not None and (limit is None or sign * beyond >= sign * limit):
            if schema["type"] == "integer":
                beyond = sign * (floor(sign * beyond) + 1)
            else:
                yield f"{word} {as_json(beyond, keywords.path)}."
            limit = beyond
        schema[inclusive] = limit
    yield from (f"Multiple of {as_json(divisor, keywords.path)}." for divisor in keywords.multiples)


def _format(schema: dict[str, Any], keywords: Keywords) -> Iterator[str]:
    """Fill in the first format that the type takes; the sentences for those that no type takes."""
    taken = [word for word in keywords.formats if word in FORMATS[schema["type"]]]
    schema["format"] = taken[0] if taken else None
    known = {word for words in FORMATS.values() for word in words}
    foreign = keywords.types is None or len(keywords.types) > 1
    for word in keywords.formats:
        if word not in taken and not (foreign and word in known):
            yield f"Format: {word}."


def _copy_bounds(schema: dict[str, Any], keywords: Keywords) -> None:
    noun = {"string": "Length", "array": "Items", "object": "Properties"}.get(schema["type"], "")
    if noun:
        for keyword in (f"min{noun}", f"max{noun}"):
            schema[keyword] = keywords.bounds.get(keyword)
    low, high = (f"min{noun}", f"max{noun}") if noun else ("minimum", "maximum")
    smallest, largest = schema.get(low), schema.get(high)
    if smallest is not None and largest is not None and smallest > largest:
        raise ContradictionError(f"{low} {smallest} is greater than {high} {largest}", keywords.path)


def _anything(arrays: int) -> tuple[dict[str, Any], ...]:
    """The types of any value; elements of an array are anything with one array less."""
    branches: list[dict[str, Any]] = [{"type": kind} for kind in ("string", "number", "boolean")]
    branches.append({"type": "object", "additionalProperties": True})
    if arrays:
        branches.append({"type": "array", "items": _closed(_Alternatives(_anything(arrays - 1), nullable=True))})
    return tuple(branches)


def _declares_no_properties(keywords: Keywords) -> bool:
    return keywords.additional is False or (keywords.properties is not None and keywords.additional is None)


def _width(keywords: Keywords) -> int:
    return len(keywords.properties or ()) + len(keywords.enum or ()) + len(keywords.required)


def _members(outcome: _Alternatives) -> tuple[dict[str, Any], ...]:
    """The branches as alternatives of an outer union; a described union stays together."""
    if outcome.branches and outcome.descriptions:
        return (_closed(replace(outcome, nullable=False)),)
    return outcome.branches


def _distinct(branches: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple({json.dumps(branch): branch for branch in branches}.values())


def _closed(outcome: _Alternatives) -> dict[str, Any]:
    """The node as the endpoint takes it."""
    match outcome.branches:
        case ():
            schema: dict[str, Any] = {"type": "string", "description": NULL_HINT}
        case (branch,):
            schema = branch
        case branches:
            schema = {"anyOf": list(branches)}
    texts = [*outcome.descriptions, schema.get("description", "")]
    return _ordered({**schema, "description": _joined(texts), "nullable": outcome.nullable or None})


def _joined(texts: Iterable[str]) -> str | None:
    """The texts below each other, without those that stand in an earlier one."""
    kept: list[str] = []
    said = " "
    for text in texts:
        words = " ".join(text.split())
        if words and f" {words} " not in said:
            kept.append(text)
            said += f"{words} "
    return "\n".join(kept) or None


def _ordered(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that have a value, in one order."""
    said = [keyword for keyword, value in schema.items() if value is not None]
    return {keyword: schema[keyword] for keyword in sorted(said, key=KEY_ORDER.index)}
