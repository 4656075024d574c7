"""The requirements of a node of a JSON Schema, and how requirements of several nodes are merged.

This is the form between `reader`, which reads JSON Schema's keywords, and `convert`, which writes the endpoint's.
"""

import json
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, TypeVar

from vertex_compat_integrations.core.errors import SchemaError

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Above this, a float cannot represent every integer (IEEE 754), so 2.0**60 is not written as an integer.
EXACT_INTEGERS = 2**53

Value = TypeVar("Value")


class ContradictionError(Exception):
    """No value satisfies the node: an error for the caller, unless the node is one of several alternatives."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def fatal(self) -> SchemaError:
        """Return the error for the caller."""
        return SchemaError(self.message, path=self.path, hint="No value fits there: change or remove a condition.")


@dataclass(frozen=True, slots=True)
class SchemaNode:
    """A schema, and its path in the document with all references inlined.

    Attributes:
        schema: The node, as the caller wrote it.
        path: JSON path, with all references inlined.
        references: The references that led here, outermost first.
        depth: The number of enclosing nodes.
    """

    schema: object
    path: str = "$"
    references: tuple[str, ...] = ()
    depth: int = 0

    def below(self, schema: object, *steps: str | int) -> "SchemaNode":
        """Return the node for a part of this node; each step is a keyword, a property's name or an index."""
        path = self.path + "".join(_step(step) for step in steps)
        return SchemaNode(schema, path, self.references, self.depth + 1)


def _step(step: str | int) -> str:
    if isinstance(step, str) and step.isidentifier():
        return f".{step}"
    return f"[{json.dumps(step, ensure_ascii=False)}]"


@dataclass(frozen=True, slots=True)
class Keywords:
    """All requirements of a node; `None` and empty mean no requirement.

    Attributes:
        path: JSON path of the node.
        types: Type names, `"null"` included.
        enum: The allowed values, `const` included.
        descriptions: The texts, outermost first.
        formats: Values of `format`.
        patterns: Values of `pattern`.
        multiples: Values of `multipleOf`.
        bounds: Lengths, counts and limits, by keyword.
        items: Schemas that each element must satisfy.
        orders: For tuples, the order of the members, as text.
        properties: Schemas that each property must satisfy.
        required: Names of properties that must be present.
        additional: Schemas that every other property must satisfy; False if no other property is allowed.
        unions: Lists of alternatives; a value must satisfy one of each list.
    """

    path: str
    types: tuple[str, ...] | None = None
    enum: tuple[object, ...] | None = None
    descriptions: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    multiples: tuple[float, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict)
    items: tuple[SchemaNode, ...] = ()
    orders: tuple[str, ...] = ()
    properties: Mapping[str, tuple[SchemaNode, ...]] | None = None
    required: tuple[str, ...] = ()
    additional: tuple[SchemaNode, ...] | Literal[False] | None = None
    unions: tuple[tuple[SchemaNode, ...], ...] = ()


def is_type(value: object, kind: str) -> bool:
    """Return whether the value has the JSON type; 1.0 is an integer, true is not."""
    match kind:
        case "integer":
            # Since draft 6, a number without a fraction is an integer, also 1.0.
            return is_type(value, "number") and (
                isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            )
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "null":
            return value is None
        case _:
            classes = {"string": str, "boolean": bool, "array": list | tuple, "object": Mapping}
            return isinstance(value, classes[kind])


def as_json(value: object, path: str) -> str:
    """Return the value as JSON text, equal for values that JSON Schema considers equal: 1 and 1.0, not 1 and true.

    Raises:
        SchemaError: The value is not JSON.
    """
    # Core specification, 4.2.2 (draft 2020-12): numbers are equal if they have the same mathematical value.
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_INTEGERS:
        value = int(value)
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise SchemaError(f"{reprlib.repr(value)} is not a JSON value", path=path) from None


def one_of(values: Iterable[object], path: str) -> str:
    """Return the sentence for values that the endpoint does not accept in an `enum`."""
    return f"One of: {', '.join(as_json(value, path) for value in values)}."


def without_repetition(values: Sequence[object], path: str) -> tuple[object, ...]:
    """Return the values in their order, each once."""
    by_text: dict[str, object] = {}
    for value in values:
        by_text.setdefault(as_json(value, path), value)
    return tuple(by_text.values())


def merged(parts: Sequence[Keywords]) -> Keywords:
    """Return the merged requirements of several nodes; a value that satisfies them satisfies every node.

    Raises:
        ContradictionError: The types or values exclude each other.
    """
    first, *others = parts
    if not others:
        return first
    return Keywords(
        first.path,
        types=_common_types(parts),
        enum=_common_values(parts),
        descriptions=_each(part.descriptions for part in parts),
        formats=_each(part.formats for part in parts),
        patterns=_each(part.patterns for part in parts),
        multiples=_each(part.multiples for part in parts),
        bounds=_tightest(parts),
        items=tuple(chain.from_iterable(part.items for part in parts)),
        orders=_each(part.orders for part in parts),
        properties=_all_properties(parts),
        required=_each(part.required for part in parts),
        additional=_all_additional(parts),
        unions=tuple(chain.from_iterable(part.unions for part in parts)),
    )


def _each(groups: Iterable[Iterable[Value]]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))


def _common_types(parts: Sequence[Keywords]) -> tuple[str, ...] | None:
    common: tuple[str, ...] | None = None
    for part in parts:
        if common is None or part.types is None:
            common = part.types if common is None else common
            continue
        both = _narrower(common, part.types)
        if not both:
            message = f"The types {' or '.join(common)} and {' or '.join(part.types)} exclude each other"
            raise ContradictionError(message, parts[0].path)
        common = both
    return common


def _narrower(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    """Return the types that both allow; an integer is also a number."""
    allowed = {*right, *(("integer",) if "number" in right else ())}
    both = [kind for kind in left if kind in allowed]
    if "number" in left and "integer" in right and "integer" not in both:
        both.append("integer")
    return tuple(both)


def _common_values(parts: Sequence[Keywords]) -> tuple[object, ...] | None:
    path = parts[0].path
    common: dict[str, object] | None = None
    for part in parts:
        if part.enum is None:
            continue
        values = {as_json(value, path): value for value in part.enum}
        if common is not None:
            values = {text: value for text, value in common.items() if text in values}
        if not values:
            raise ContradictionError("The allowed values (enum, const) exclude each other", path)
        common = values
    return None if common is None else tuple(common.values())


def _tightest(parts: Sequence[Keywords]) -> dict[str, float]:
    bounds: dict[str, float] = {}
    for part in parts:
        for keyword, number in part.bounds.items():
            tighter = max if keyword in LOWER_BOUNDS else min
            bounds[keyword] = tighter(number, bounds.get(keyword, number))
    return bounds


def _all_properties(parts: Sequence[Keywords]) -> dict[str, tuple[SchemaNode, ...]] | None:
    declared = [part.properties for part in parts if part.properties is not None]
    nodes: dict[str, list[SchemaNode]] = {}
    for properties in declared:
        for name, schemas in properties.items():
            nodes.setdefault(name, []).extend(schemas)
    return {name: tuple(schemas) for name, schemas in nodes.items()} if declared else None


def _all_additional(parts: Sequence[Keywords]) -> tuple[SchemaNode, ...] | Literal[False] | None:
    nodes: list[SchemaNode] = []
    for part in parts:
        if part.additional is False:
            return False
        nodes.extend(part.additional or ())
    return tuple(nodes) or None
