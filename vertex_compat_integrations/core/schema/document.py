"""Finds errors that are invalid for every server: null parts, references without target, endless nesting."""

import reprlib
from collections.abc import Mapping
from urllib.parse import unquote

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.schema.keywords import SchemaNode
from vertex_compat_integrations.core.schema.reader import MAX_DEPTH, NODE_HINT, Reader, too_deep

_MAPS = ("properties", "patternProperties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not")


def check_document(document: JsonObject) -> None:
    """Refuse a schema that no server can read; nothing is converted, and recursion is allowed.

    Raises:
        SchemaError: A part is null or text, a reference has no target, or the schema nests too deep; `path` is the
            position.
    """
    reader = Reader(document)
    waiting = [SchemaNode(document)]
    while waiting:
        node = waiting.pop()
        if node.depth > MAX_DEPTH:
            raise too_deep(node.path)
        schema = node.schema
        if isinstance(schema, bool):
            continue
        if not isinstance(schema, Mapping):
            raise SchemaError(f"{reprlib.repr(schema)} is not a schema", path=node.path, hint=NODE_HINT)
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            reader.target(unquote(reference), node.path)
        waiting.extend(_parts(node, schema))


def _parts(node: SchemaNode, schema: JsonObject) -> list[SchemaNode]:
    """The schemas directly inside."""
    parts: list[SchemaNode] = []
    for keyword in _MAPS:
        inner = schema.get(keyword)
        if isinstance(inner, Mapping):
            parts += [node.below(part, keyword, str(name)) for name, part in inner.items()]
    for keyword in _LISTS:
        inner = schema.get(keyword)
        if isinstance(inner, list | tuple):
            parts += [node.below(part, keyword, index) for index, part in enumerate(inner)]
    parts += [node.below(schema[keyword], keyword) for keyword in _SINGLE if isinstance(schema.get(keyword), Mapping)]
    return parts
