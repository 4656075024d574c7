"""Reads JSON Schema: follows `$ref`, merges `allOf`, and converts the drafts' spellings to one form.

Drafts 4 to 2020-12 and OpenAPI's `nullable` are understood. `title`, `default`, `examples`, `not`, `if`, `contains`,
`propertyNames`, `uniqueItems`, `unevaluated…` and every unknown keyword are not read, which only allows more values;
but an alternative `{"not": {}}` is left out.
"""

import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import unquote

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.schema.keywords import (
    LOWER_BOUNDS,
    TYPES,
    UPPER_BOUNDS,
    ContradictionError,
    Keywords,
    SchemaNode,
    is_type,
    merged,
    one_of,
    without_repetition,
)

MAX_DEPTH = 64
"""Nested nodes, and nested references; the interpreter's stack allows several times as many."""

MAX_SIZE = 1_000_000
"""Approximate characters of a schema after its definitions are inlined."""

MAX_PARTS = 1_000
"""Schemas of which one node consists, by `allOf` and `$ref`."""

NODE_SIZE = 128
VALUE_SIZE = 8
BOUNDS = frozenset(LOWER_BOUNDS + UPPER_BOUNDS)
COUNTS = ("minLength", "minItems", "minProperties", "maxLength", "maxItems", "maxProperties")
RECURSION_HINT = (
    "The endpoint does not accept recursive schemas: spell out as many levels as you need, "
    "or make the inner field a string that holds JSON."
)
NODE_HINT = 'Put a JSON Schema there, such as {"type": "string"}.'

_MISSING = object()


class Reader:
    """Reads the nodes of one document, within a budget for the total size.

    Attributes:
        cuts: The paths where the document contains itself and was cut.
    """

    def __init__(self, document: JsonObject, cut_beyond: int | None = None) -> None:
        """Read this document; with `cut_beyond`, recursion is cut, and so is everything behind more references."""
        self._document = document
        self._budget = MAX_SIZE
        self._cut_beyond = cut_beyond
        self.cuts: list[str] = []

    def read(self, *nodes: SchemaNode) -> Keywords:
        """Read the requirements for a value that satisfies every one of the nodes.

        Raises:
            SchemaError: A node is not a schema, refers to itself or to nothing, or is too deep or too large.
            ContradictionError: No value satisfies all nodes.
        """
        parts: list[Keywords] = []
        waiting = list(reversed(nodes))
        while waiting:
            node = waiting.pop()
            schema = self._visit(node)
            if len(parts) >= MAX_PARTS:
                raise SchemaError(f"The schema grows beyond {MAX_PARTS:,} parts of one node", path=node.path)
            # OpenAPI 3.0's keyword; JSON Schema uses a type "null" instead.
            if schema.get("nullable") is True:
                parts.append(_or_null(node, schema))
            else:
                parts.append(_own_keywords(node, schema))
                waiting.extend(reversed(self._parents(node, schema)))
        return merged(parts)

    def spend(self, size: int, path: str) -> None:
        """Subtract a size from the budget.

        Raises:
            SchemaError: The budget is used up.
        """
        self._budget -= size
        if self._budget < 0:
            message = f"The schema grows beyond {MAX_SIZE:,} characters once its definitions are inlined"
            raise SchemaError(message, path=path, hint="Use fewer or smaller definitions, or split the tool.")

    def _visit(self, node: SchemaNode) -> JsonObject:
        # `true` and `false` are schemas since draft 6.
        schema = {} if node.schema is True else node.schema
        if schema is False:
            raise ContradictionError("The schema `false` accepts nothing", node.path)
        if not isinstance(schema, Mapping):
            raise SchemaError(f"{reprlib.repr(schema)} is not a schema", path=node.path, hint=NODE_HINT)
        if max(node.depth, len(node.references)) > MAX_DEPTH:
            raise too_deep(node.path)
        self.spend(_size(schema), node.path)
        return schema

    def _parents(self, node: SchemaNode, schema: JsonObject) -> list[SchemaNode]:
        # Drafts 2020-12 and 2019-09: their target is known only for an instance, and they serve to extend recursive
        # schemas.
        for keyword in ("$dynamicRef", "$recursiveRef"):
            if keyword in schema:
                if self._cut_beyond is not None:
                    return [self._cut(node, "object")]
                raise SchemaError(f"{keyword} is for recursive schemas", path=node.path, hint=RECURSION_HINT)
        # Up to draft 7, keywords next to $ref are ignored; since 2019-09 both hold. pydantic writes descriptions there.
        parents = [self._follow(node, schema["$ref"])] if "$ref" in schema else []
        return parents + [node.below(part, "allOf", index) for index, part in _listed(node, schema, "allOf")]

    def _follow(self, node: SchemaNode, reference: object) -> SchemaNode:
        if not isinstance(reference, str):
            raise SchemaError(f"$ref is not text: {reprlib.repr(reference)}", path=node.path, hint=NODE_HINT)
        # In a URI fragment, a JSON pointer is percent-encoded (RFC 6901, section 6).
        pointer = unquote(reference)
        if self._cut_beyond is not None and (pointer in node.references or len(node.references) > self._cut_beyond + 1):
            return self._cut(node, self._kind(self.target(pointer, node.path)))
        if pointer in node.references:
            cycle = (*node.references[node.references.index(pointer) :], pointer)
            message = f"{_name(pointer)} contains itself: {' → '.join(_name(step) for step in cycle)}"
            raise SchemaError(message, path=node.path, hint=RECURSION_HINT)
        return replace(node, schema=self.target(pointer, node.path), references=(*node.references, pointer))

    def _cut(self, node: SchemaNode, kind: str | None) -> SchemaNode:
        """Return a node that any value of this type fits; any value at all, if the type is not known."""
        self.cuts.append(node.path)
        return replace(node, schema=True if kind is None else {"type": kind})

    def _kind(self, schema: object, steps: int = 8) -> str | None:
        """The type that all values of a recursive schema have, if it is easy to find."""
        if not isinstance(schema, Mapping) or not steps:
            return None
        if isinstance(kind := schema.get("type"), str):
            return kind.lower()
        if "properties" in schema:
            return "object"
        if isinstance(reference := schema.get("$ref"), str):
            return self._kind(self.target(unquote(reference), "$"), steps - 1)
        for keyword in ("anyOf", "oneOf", "allOf"):
            parts = schema.get(keyword)
            if isinstance(parts, list | tuple) and parts:
                kinds = {self._kind(part, steps - 1) for part in parts[:MAX_DEPTH]}
                return kinds.pop() if len(kinds) == 1 else None
        return None

    def target(self, pointer: str, path: str) -> object:
        """Return the target of a reference.

        Raises:
            SchemaError: The target is outside the document, or does not exist.
        """
        if not pointer.startswith("#"):
            message = f"The reference {reprlib.repr(pointer)} leaves the schema"
            raise SchemaError(message, path=path, hint="Copy the definition into $defs and refer to #/$defs/NAME.")
        node: object = self._document
        head, *steps = pointer.split("/")
        for step in steps:
            # RFC 6901, section 4: first ~1, then ~0, so that "~01" becomes "~1" and not "/".
            node = _entry(node, step.replace("~1", "/").replace("~0", "~"))
        if node is _MISSING or head != "#":
            message = f"The reference {reprlib.repr(pointer)} has no target"
            hint = "References start at the schema's root: put the definition into $defs there."
            raise SchemaError(message, path=path, hint=hint)
        return node


def too_deep(path: str) -> SchemaError:
    """Return the error for a schema that is nested too deep."""
    return SchemaError(f"The schema is nested deeper than {MAX_DEPTH} levels", path=path)


def _entry(node: object, key: str) -> object:
    if isinstance(node, Mapping):
        return node.get(key, _MISSING)
    if isinstance(node, list | tuple) and key.isdecimal() and int(key) < len(node):
        return node[int(key)]
    return _MISSING


def _name(pointer: str) -> str:
    return pointer.rpartition("/")[2] if "/" in pointer else "the whole schema"


def _size(schema: JsonObject) -> int:
    # Only parts that are copied into the result count: titles, defaults and examples are not.
    texts: list[object] = [schema.get("description"), schema.get("pattern")]
    for keyword in ("enum", "properties", "required"):
        parts = schema.get(keyword)
        texts.extend(parts if isinstance(parts, list | tuple | Mapping) else ())
    return NODE_SIZE + sum(len(text) if isinstance(text, str) else _value_size(text) for text in texts)


def _value_size(value: object) -> int:
    return 4 * VALUE_SIZE if isinstance(value, Mapping | list) else VALUE_SIZE


def _or_null(node: SchemaNode, schema: JsonObject) -> Keywords:
    plain = {keyword: value for keyword, value in schema.items() if keyword != "nullable"}
    return Keywords(node.path, unions=((replace(node, schema=plain), replace(node, schema={"type": "null"})),))


def _own_keywords(node: SchemaNode, schema: JsonObject) -> Keywords:
    """The node's own requirements, without `$ref` and `allOf`."""
    prefix = _prefix(node, schema)
    required = schema.get("required")
    keywords = Keywords(
        node.path,
        types=_types(node, schema),
        enum=_values(node, schema),
        # A description that is not text is not refused: annotation keywords do not affect validity.
        descriptions=tuple(text.strip() for text in _texts(schema, "description")),
        formats=tuple(_texts(schema, "format")),
        patterns=tuple(_texts(schema, "pattern")),
        multiples=tuple(_numbers(schema, "multipleOf")),
        bounds=_bounds(schema, prefix),
        items=_items(node, schema, prefix),
        orders=(", ".join(_label(part) for part in prefix),) if len(prefix) > 1 else (),
        properties=_properties(node, schema),
        required=tuple(name for name in required if isinstance(name, str))
        if isinstance(required, list | tuple)
        else (),
        additional=_additional(node, schema),
        unions=tuple(_union(node, schema, keyword) for keyword in ("anyOf", "oneOf") if keyword in schema),
    )
    return _without_foreign_values(keywords)


def _without_foreign_values(keywords: Keywords) -> Keywords:
    """Remove an enum without any value of the node's type, and list its values in the description instead.

    In JSON Schema, no value is valid for such a node. Callers mean the type: `{"type": "integer", "enum": ["1", "2"]}`
    is an integer. An enum that contains null is kept.
    """
    types, values = keywords.types or (), keywords.enum or ()
    if not types or not values or any(value is None or is_type(value, kind) for value in values for kind in types):
        return keywords
    return replace(keywords, enum=None, descriptions=(*keywords.descriptions, one_of(values, keywords.path)))


def _types(node: SchemaNode, schema: JsonObject) -> tuple[str, ...] | None:
    value = schema.get("type")
    names = value if isinstance(value, list | tuple) else [value]
    # Google's own `Schema` writes types in capitals (STRING), and users of its SDK pass such schemas on.
    types: list[str] = []
    for kind in (name.lower() if isinstance(name, str) else name for name in names if name is not None):
        if kind not in TYPES:
            raise SchemaError(
                f"{reprlib.repr(kind)} is not a type", path=node.path, hint=f"Use one of {', '.join(TYPES)}."
            )
        types.append(kind)
    return tuple(dict.fromkeys(types)) or None


def _values(node: SchemaNode, schema: JsonObject) -> tuple[object, ...] | None:
    # Since draft 6; the subset has no `const`, and an enum of one value is equivalent.
    if "const" in schema:
        return without_repetition([schema["const"]], node.path)
    values = schema.get("enum")
    if values is None:
        return None
    if not isinstance(values, list | tuple):
        raise SchemaError("enum is not a list", path=node.path, hint='Write the values as a list: ["a", "b"].')
    if not values:
        raise ContradictionError("The enum is empty", node.path)
    return without_repetition(values, node.path)


def _texts(schema: JsonObject, keyword: str) -> Iterator[str]:
    text = schema.get(keyword)
    if isinstance(text, str) and text.strip():
        yield text


def _numbers(schema: JsonObject, keyword: str) -> Iterator[float]:
    number = schema.get(keyword)
    if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < math.inf:
        yield number


def _bounds(schema: JsonObject, prefix: Sequence[object]) -> dict[str, float]:
    bounds = {keyword: number for keyword in schema if keyword in BOUNDS for number in _numbers(schema, keyword)}
    for inclusive, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        # In draft 4, and in OpenAPI 3.0, the exclusive keyword is a flag for the inclusive one; since draft 6 a number.
        if schema.get(exclusive) is True and inclusive in bounds:
            bounds[exclusive] = bounds[inclusive]
    # A closed tuple: `items: false` (2020-12), `additionalItems: false` (before).
    if _rest(schema) is False:
        bounds["maxItems"] = min(len(prefix), bounds.get("maxItems", len(prefix)))
    # 2.0 is a valid count in JSON Schema; Google's `Schema` requires int64.
    return {keyword: int(number) if keyword in COUNTS else number for keyword, number in bounds.items()}


def _prefix(node: SchemaNode, schema: JsonObject) -> list[object]:
    """The tuple's members: `prefixItems`, or a list under `items` as in drafts before 2020-12."""
    keyword = "items" if isinstance(schema.get("items"), list | tuple) else "prefixItems"
    return [part for _, part in _listed(node, schema, keyword)]


def _rest(schema: JsonObject) -> object:
    """The schema of elements after the tuple's members."""
    items = schema.get("items", True)
    return schema.get("additionalItems", True) if isinstance(items, list | tuple) else items


def _items(node: SchemaNode, schema: JsonObject, prefix: Sequence[object]) -> tuple[SchemaNode, ...]:
    rest = _rest(schema)
    if not prefix:
        return (node.below(rest, "items"),) if "items" in schema and rest is not False else ()
    # The subset has no tuples: each element may be any of the members, or any later element.
    longest = next(_numbers(schema, "maxItems"), math.inf)
    if rest is False or longest <= len(prefix):
        return (node.below({"anyOf": [*prefix]}, "prefixItems"),)
    return (node.below(True if rest is True else {"anyOf": [*prefix, rest]}, "prefixItems"),)


def _label(schema: object) -> str:
    for keyword in ("title", "type", "$ref"):
        if isinstance(schema, Mapping) and isinstance(text := schema.get(keyword), str):
            return _name(text) if keyword == "$ref" else text
    return "any"


def _properties(node: SchemaNode, schema: JsonObject) -> dict[str, tuple[SchemaNode, ...]] | None:
    properties = schema.get("properties")
    if properties is None:
        return None
    if not isinstance(properties, Mapping) or not all(isinstance(name, str) for name in properties):
        raise SchemaError("properties does not map names to schemas", path=node.path, hint=NODE_HINT)
    return {name: (node.below(part, "properties", name),) for name, part in properties.items()}


def _additional(node: SchemaNode, schema: JsonObject) -> tuple[SchemaNode, ...] | Literal[False] | None:
    additional = schema.get("additionalProperties")
    patterns = schema.get("patternProperties")
    # Without the keyword anything is allowed, as with true (draft 2020-12, core, 10.3.2.3); only true is written out.
    if additional is None:
        return None
    # The subset has no patternProperties: any other property may satisfy any of their schemas.
    if additional is not True and isinstance(patterns, Mapping) and patterns:
        alternatives = [*patterns.values(), *([] if additional is False else [additional])]
        others = {"anyOf": alternatives} if len(alternatives) > 1 else alternatives[0]
        return (node.below(others, "patternProperties"),)
    return False if additional is False else (node.below(additional, "additionalProperties"),)


def _union(node: SchemaNode, schema: JsonObject, keyword: str) -> tuple[SchemaNode, ...]:
    parts = _listed(node, schema, keyword)
    if not parts:
        raise SchemaError(f"{keyword} has no alternatives", path=node.path, hint=NODE_HINT)
    # `not` is not read, so such an alternative would allow anything.
    possible = [(index, part) for index, part in parts if not _is_never(part)] or parts
    return tuple(node.below(part, keyword, index) for index, part in possible)


def _is_never(schema: object) -> bool:
    """Return whether the schema is `{"not": {}}`, zod's form of a schema that nothing fits."""
    return isinstance(schema, Mapping) and schema.get("not") in ({}, True)


def _listed(node: SchemaNode, schema: JsonObject, keyword: str) -> list[tuple[int, object]]:
    parts = schema.get(keyword, ())
    if not isinstance(parts, list | tuple):
        raise SchemaError(f"{keyword} is not a list", path=node.path, hint=f'Write "{keyword}": [ … ].')
    return list(enumerate(parts))
