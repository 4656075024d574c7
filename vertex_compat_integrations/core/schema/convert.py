"""JSON Schema → the endpoint's subset of OpenAPI 3.0.

Source of the subset: Google's reference of the type `Schema`, and the errors that users of the service report:
`enum: only allowed for STRING type`, `format: only 'enum' and 'date-time' are supported for STRING type`,
`properties: should be non-empty for OBJECT type`, `items: missing field`, `required[0]: property is not defined`,
`anyOf must be the only field in a schema node`, `schema didn't specify the schema type field`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import NamedTuple

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.schema.keywords import (
    TYPES,
    ContradictionError,
    Keywords,
    SchemaNode,
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
"""The values of `format` that the endpoint accepts, by type."""

KEY_ORDER = (
    *("type", "format", "description", "nullable", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    *("items", "minItems", "maxItems", "anyOf"),
)
# "schema didn't specify the schema type field": "anything" must be written out type by type, and an array in it needs
# `items`, which are again anything. Without recursion this must end at some level: at lists of lists.
ARRAYS_IN_ANY = 2
ANY_SIZE = 1_000
NULL_HINT = "Always null."

_ALL_FORMATS = frozenset(word for words in FORMATS.values() for word in words)
_LIMITS = (("minimum", "exclusiveMinimum", 1, "Greater than"), ("maximum", "exclusiveMaximum", -1, "Less than"))
_INFERENCE = {
    "object": ("minProperties", "maxProperties"),
    "array": ("minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def to_openapi(schema: JsonObject) -> wire.Json:
    """Convert a schema to the form that the endpoint accepts for a function's parameters and for a response.

    Every value that the schema accepts is accepted by the result, with two exceptions: a node without `type` is read as
    its other keywords intend (`properties` mean an object), and where anything is allowed (`{}`, `true`, elements of an
    array without `items`), a list may hold lists, but these no further lists, unless inside objects: each node of the
    result must name its type. Parts that the subset cannot express become a line of the description (`One of: 1, 2,
    3.`, `Format: email.`), or are left out.

    Args:
        schema: JSON Schema of any draft, or a result of this function, which is returned unchanged.

    Raises:
        SchemaError: The schema is recursive, refers to something outside itself, contradicts itself, or is too deep or
            too large to be sent; `path` is the position.
    """
    return _converted(schema, Reader(schema))


def _converted(schema: JsonObject, reader: Reader) -> wire.Json:
    if not isinstance(schema, Mapping):
        raise SchemaError(f"A schema is a mapping, not {type(schema).__name__}", hint=NODE_HINT)
    try:
        return _Converter(schema, reader).document()
    except ContradictionError as error:
        raise error.fatal() from None
    except RecursionError:
        raise too_deep("$") from None


def to_parameters(schema: JsonObject) -> wire.Json:
    """Convert the schema of a function's parameters: the result is one object, never a union of objects.

    A union at the root becomes one object that each of its branches fits: with all their properties, and with the
    properties that all branches require.

    Raises:
        SchemaError: See `to_openapi`; or no branch is an object.
    """
    return _as_parameters(to_openapi(schema))


class CutParameters(NamedTuple):
    """The schema of a function's parameters, and the paths where it contained itself and was cut."""

    schema: wire.Json
    cuts: tuple[str, ...] = ()


_CUT_BEYOND = (MAX_DEPTH, 3, 1)
"""Levels of references that are followed in a recursive schema: fewer, if many definitions refer to each other."""


def to_cut_parameters(schema: JsonObject) -> CutParameters:
    """Like `to_parameters`; but where the schema contains itself, any value of the type is accepted, e.g. any object.

    Raises:
        SchemaError: See `to_openapi`, except for recursion.
    """
    failure: SchemaError | None = None
    for cut_beyond in _CUT_BEYOND:
        reader = Reader(schema, cut_beyond)
        try:
            return CutParameters(_as_parameters(_converted(schema, reader)), tuple(dict.fromkeys(reader.cuts)))
        except SchemaError as error:
            # Definitions that all refer to each other multiply; without recursion, fewer references do not help.
            failure = failure or error
            if not reader.cuts:
                break
    raise failure or too_deep("$")


def _as_parameters(converted: wire.Json) -> wire.Json:
    if converted.get("type") == "object":
        return converted
    branches = [branch for branch in converted.get("anyOf", ()) if branch.get("type") == "object"]
    if not branches:
        raise SchemaError(
            "A function's parameters are not an object", hint="Pass a schema with type object at its root."
        )
    united: wire.Json = {
        "type": "object",
        "properties": _united_properties(branches),
        "required": _required_by_all(branches),
    }
    if description := converted.get("description"):
        united["description"] = description
    if any("additionalProperties" in branch for branch in branches):
        united["additionalProperties"] = True
    return to_openapi(united)


def _united_properties(branches: Iterable[wire.Json]) -> wire.Json:
    """The properties of all branches; a property that differs between them becomes the union of its schemas."""
    schemas: dict[str, dict[str, wire.Json]] = {}
    for branch in branches:
        for name, schema in branch.get("properties", {}).items():
            schemas.setdefault(name, {}).setdefault(json.dumps(schema), schema)
    return {
        name: next(iter(each.values())) if len(each) == 1 else to_openapi({"anyOf": list(each.values())})
        for name, each in schemas.items()
    }


def _required_by_all(branches: Sequence[wire.Json]) -> list[str]:
    first, *others = (branch.get("required", ()) for branch in branches)
    by_all = set(first).intersection(*others)
    return [name for name in first if name in by_all]


@dataclass(frozen=True, slots=True)
class _Alternatives:
    """A node of the result: a value must fit one of the branches, or be null if that is allowed."""

    branches: tuple[wire.Json, ...]
    nullable: bool = False
    descriptions: tuple[str, ...] = ()


class _Converter:
    def __init__(self, document: JsonObject, reader: Reader) -> None:
        self._document = document
        self._reader = reader

    def document(self) -> wire.Json:
        keywords = self._reader.read(SchemaNode(self._document, references=("#",)))
        schema = _closed(self._alternatives(keywords))
        if schema.get("type") == "object" and "properties" not in schema and _declares_no_properties(keywords):
            # A function without parameters. "properties: should be non-empty for OBJECT type" is an error only for
            # nested objects.
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

    def _satisfiable(self, kinds: list[str], keywords: Keywords, *, nullable: bool) -> list[wire.Json]:
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
        """Return the union's alternatives, each with all other requirements of the node."""
        # "anyOf must be the only field in a schema node": keywords next to a union move into each alternative, and of
        # several unions each combination becomes an alternative; the budget limits their number.
        if len(keywords.unions) > MAX_DEPTH:
            raise too_deep(keywords.path)
        union, *others = keywords.unions
        base = replace(keywords, unions=tuple(others), descriptions=())
        branches: list[wire.Json] = []
        nullable = False
        contradiction: ContradictionError | None = None
        for node in union:
            self._reader.spend(_width(base), node.path)
            try:
                outcome = self._alternatives(replace(merged([base, self._reader.read(node)]), path=node.path))
            except ContradictionError as error:
                contradiction = error
                continue
            nullable = nullable or outcome.nullable
            branches.extend(_members(outcome))
        if contradiction and not branches and not nullable:
            raise contradiction
        return _Alternatives(_distinct(branches), nullable, keywords.descriptions)

    def _typed(self, kind: str, keywords: Keywords) -> wire.Json:
        schema: wire.Json = {"type": kind}
        hints = list(_enum(schema, keywords))
        match kind:
            case "string":
                hints.extend(_string(schema, keywords))
            case "integer" | "number":
                hints.extend(_number(schema, keywords))
            case "array":
                # "items: missing field": an array always has `items`.
                hints.extend(f"Items in this order: {order}." for order in keywords.orders)
                schema["items"] = self._element(keywords)
            case "object":
                self._fill_object(schema, keywords)
        _copy_bounds(schema, keywords)
        return _ordered({**schema, "description": _joined(hints)})

    def _element(self, keywords: Keywords) -> wire.Json:
        try:
            items = self._reader.read(*(keywords.items or (SchemaNode(schema=True, path=keywords.path),)))
            return _closed(self._alternatives(items))
        except ContradictionError as error:
            raise _escalated(error, is_required=keywords.bounds.get("minItems", 0) > 0) from None

    def _property(self, nodes: tuple[SchemaNode, ...], *, is_required: bool) -> wire.Json:
        try:
            return _closed(self._alternatives(self._reader.read(*nodes)))
        except ContradictionError as error:
            raise _escalated(error, is_required=is_required) from None

    def _fill_object(self, schema: wire.Json, keywords: Keywords) -> None:
        required = set(keywords.required)
        properties = {
            name: self._property(nodes, is_required=name in required)
            for name, nodes in (keywords.properties or {}).items()
        }
        additional = self._additional(keywords)
        if properties:
            schema["properties"] = properties
            schema["required"] = [name for name in keywords.required if name in properties] or None
            schema["additionalProperties"] = additional
        else:
            schema["additionalProperties"] = additional or True

    def _additional(self, keywords: Keywords) -> wire.Json | bool | None:
        if not keywords.additional:
            return None
        try:
            others = self._reader.read(*keywords.additional)
            return _closed(self._alternatives(others)) if others.unions or _kinds(others) else True
        except ContradictionError:
            return None


def _escalated(error: ContradictionError, *, is_required: bool) -> ContradictionError | SchemaError:
    """Return the error for the whole node if a part of it accepts no value.

    Without an optional part the node still accepts values, so only the part is wrong, and the caller gets that error.
    """
    return error if is_required else error.fatal()


def _kinds(keywords: Keywords) -> tuple[str, ...]:
    """The types of the node, named or inferred; empty if it accepts anything."""
    if keywords.types is not None:
        return keywords.types
    if keywords.enum is not None:
        return tuple(_kinds_of_values(keywords.enum))
    return tuple(_intended(keywords))


def _kinds_of_values(values: Iterable[object]) -> Iterator[str]:
    rows = [[kind for kind in TYPES if is_type(value, kind)] for value in values]
    # TYPES has integer before number: a value that is both counts as integer.
    present = {row[0] for row in rows}
    if "number" in present:
        present.discard("integer")
    return (kind for kind in TYPES if kind in present)


def _intended(keywords: Keywords) -> Iterator[str]:
    """The types to which the keywords apply, for a node without `type`."""
    # By JSON Schema such a node also accepts values of any other type, but "schema didn't specify the schema type
    # field" is an error of the endpoint, and a schema with `properties` is meant for objects.
    numeric = [kind for kind in ("integer", "number") for word in keywords.formats if word in FORMATS[kind]]
    signs: dict[str, tuple[object, ...]] = {
        "object": (keywords.properties is not None, keywords.required, keywords.additional is not None),
        "array": (keywords.items, keywords.orders),
        "string": (keywords.patterns, keywords.formats and not numeric),
        "number": (keywords.multiples, numeric),
    }
    for kind, present in signs.items():
        if any(present) or keywords.bounds.keys() & set(_INFERENCE[kind]):
            yield "integer" if kind == "number" and "integer" in numeric else kind


def _enum(schema: wire.Json, keywords: Keywords) -> Iterator[str]:
    """Set the enum if the type accepts it; otherwise yield the sentence that lists the values.

    Raises:
        ContradictionError: No value has the type.
    """
    if keywords.enum is None:
        return
    values = [value for value in keywords.enum if is_type(value, schema["type"])]
    if not values:
        message = f"None of the allowed values (enum, const) is of type {schema['type']}"
        raise ContradictionError(message, keywords.path)
    # "enum: only allowed for STRING type"; an empty string in it is also refused ("enum[0]: cannot be empty").
    if schema["type"] == "string" and all(values):
        schema["enum"] = values
    else:
        yield one_of(values, keywords.path)


def _string(schema: wire.Json, keywords: Keywords) -> Iterator[str]:
    """Set format and pattern of a string; yield sentences for parts that the subset cannot express."""
    yield from _format(schema, keywords)
    schema["pattern"], *others = keywords.patterns or (None,)
    yield from (f"Pattern: {pattern}" for pattern in others)


def _number(schema: wire.Json, keywords: Keywords) -> Iterator[str]:
    """Set format and limits of a number; yield sentences for parts that the subset cannot express."""
    yield from _format(schema, keywords)
    for inclusive, exclusive, sign, word in _LIMITS:
        limit, beyond = keywords.bounds.get(inclusive), keywords.bounds.get(exclusive)
        if beyond is not None and (limit is None or sign * beyond >= sign * limit):
            # The subset has only inclusive limits; the next integer is equivalent, but for other numbers there is no
            # next one.
            if schema["type"] == "integer":
                beyond = sign * (floor(sign * beyond) + 1)
            else:
                yield f"{word} {as_json(beyond, keywords.path)}."
            limit = beyond
        schema[inclusive] = limit
    yield from (f"Multiple of {as_json(divisor, keywords.path)}." for divisor in keywords.multiples)


def _format(schema: wire.Json, keywords: Keywords) -> Iterator[str]:
    """Set the first format that the type accepts; yield sentences for formats that none of the types accepts."""
    accepted = FORMATS[schema["type"]]
    schema["format"] = next((word for word in keywords.formats if word in accepted), None)
    # In a node with several types, the format is for another one: "type": ["string", "integer"], "format": "int64".
    elsewhere = _ALL_FORMATS if keywords.types is None or len(keywords.types) > 1 else frozenset()
    yield from (f"Format: {word}." for word in keywords.formats if word not in accepted and word not in elsewhere)


def _copy_bounds(schema: wire.Json, keywords: Keywords) -> None:
    noun = {"string": "Length", "array": "Items", "object": "Properties"}.get(schema["type"], "")
    if noun:
        for keyword in (f"min{noun}", f"max{noun}"):
            schema[keyword] = keywords.bounds.get(keyword)
    low, high = (f"min{noun}", f"max{noun}") if noun else ("minimum", "maximum")
    smallest, largest = schema.get(low), schema.get(high)
    if smallest is not None and largest is not None and smallest > largest:
        raise ContradictionError(f"{low} {smallest} is greater than {high} {largest}", keywords.path)


def _anything(arrays: int) -> tuple[wire.Json, ...]:
    """The types of any value; elements of an array are anything with one array level less."""
    branches: list[wire.Json] = [{"type": kind} for kind in ("string", "number", "boolean")]
    branches.append({"type": "object", "additionalProperties": True})
    if arrays:
        branches.append({"type": "array", "items": _closed(_Alternatives(_anything(arrays - 1), nullable=True))})
    return tuple(branches)


def _declares_no_properties(keywords: Keywords) -> bool:
    return keywords.additional is False or (keywords.properties is not None and keywords.additional is None)


def _width(keywords: Keywords) -> int:
    return len(keywords.properties or ()) + len(keywords.enum or ()) + len(keywords.required)


def _members(outcome: _Alternatives) -> tuple[wire.Json, ...]:
    """Return the branches as alternatives of an outer union; a union with a description stays together."""
    if outcome.branches and outcome.descriptions:
        return (_closed(replace(outcome, nullable=False)),)
    return outcome.branches


def _distinct(branches: Iterable[wire.Json]) -> tuple[wire.Json, ...]:
    return tuple({json.dumps(branch): branch for branch in branches}.values())


def _closed(outcome: _Alternatives) -> wire.Json:
    """Return the node in the endpoint's form."""
    match outcome.branches:
        case ():
            # Only null fits: OpenAPI 3.0 has no such type, only `nullable` in addition to another type.
            schema: wire.Json = {"type": "string", "description": NULL_HINT}
        case (branch,):
            schema = branch
        case branches:
            schema = {"anyOf": list(branches)}
    texts = [*outcome.descriptions, schema.get("description", "")]
    return _ordered({**schema, "description": _joined(texts), "nullable": outcome.nullable or None})


def _joined(texts: Iterable[str]) -> str | None:
    """Join the texts, one per line, without those that an earlier one contains."""
    lines: list[str] = []
    earlier = " "
    for text in texts:
        words = " ".join(text.split())
        if words and f" {words} " not in earlier:
            lines.append(text)
            earlier += f"{words} "
    return "\n".join(lines) or None


def _ordered(schema: JsonObject) -> wire.Json:
    """Return the keywords that have a value, in a fixed order."""
    # Equal requests must have equal bytes: prompts are cached by prefix.
    present = [keyword for keyword, value in schema.items() if value is not None]
    return {keyword: schema[keyword] for keyword in sorted(present, key=KEY_ORDER.index)}
