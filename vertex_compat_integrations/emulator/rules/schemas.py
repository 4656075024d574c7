"""Rules about schemas: Google's `Schema` message, checked in two stages as by the service.

The parse stage checks field names; the semantic stage checks combinations. Tools' parameters are an OpenAPI 3.0 schema;
a response format may also contain non-recursive `$ref` and `$defs`.

Sources: the reference of `google.cloud.aiplatform.v1.Schema` for the names, Google's page "OpenAI compatibility"
(additional properties are supported, fully recursive schemas are not), and public reports that quote the refusals
(google-gemini/gemini-cli#2237, datastax/astra-assistants-api#73, spring-projects/spring-ai#1373).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.wire import Json

TOOL_FIELDS = frozenset(
    {
        "type", "format", "title", "description", "nullable", "default", "items", "minItems", "maxItems", "enum",
        "properties", "propertyOrdering", "required", "minProperties", "maxProperties", "minimum", "maximum",
        "minLength", "maxLength", "pattern", "example", "anyOf", "additionalProperties",
    }
)  # fmt: skip
RESPONSE_FIELDS = TOOL_FIELDS | {"$ref", "$defs"}
TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
STRING_FORMATS = frozenset({"enum", "date-time"})
BESIDE_ANY_OF = frozenset({"anyOf", "description", "nullable", "title", "default", "$defs"})

_MOST_NODES = 10_000
_LEARN_MORE = "Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a schema.

    Attributes:
        schema: The schema of this node.
        parse_path: Its path in messages of the parse stage: `properties[0].value`.
        path: Its path in messages of the semantic stage: `properties[unit]`.
        is_root: Whether it is the whole schema.
        followed: References that led here.
    """

    schema: Any
    parse_path: str
    path: str
    is_root: bool = False
    followed: frozenset[str] = field(default_factory=frozenset)


def check_tool_schema(schema: Any, function: str, place: int = 0) -> Refusal | None:
    """Return why the parameters of a function are refused; None if they are accepted."""
    at = f"tools[0].function_declarations[{place}].parameters"
    refusal = _check(schema, at, TOOL_FIELDS)
    if refusal or str(schema.get("type")).lower() == "object":
        return refusal
    message = f"Unable to submit request because `{function}` functionDeclaration parameters schema should be of type "
    return Refusal(f"{message}OBJECT. {_LEARN_MORE}")


def check_response_schema(schema: Any) -> Refusal | None:
    """Return why the schema of a response format is refused; None if it is accepted."""
    return _check(schema, "generation_config.response_schema", RESPONSE_FIELDS)


def _check(schema: Any, at: str, fields: frozenset[str]) -> Refusal | None:
    nodes: list[Node] = []
    pending = [Node(schema, at, at, is_root=True)]
    while pending:
        node = pending.pop()
        nodes.append(node)
        if len(nodes) > _MOST_NODES:
            return Refusal("The specified schema produces a constraint that has too many states for serving.")
        if "$ref" in fields and _reference(node) is not None:
            definitions = schema.get("$defs", {})
            unfollowable = _unfollowable(node, definitions)
            if unfollowable:
                return unfollowable
            pending.append(_followed(node, definitions))
        pending.extend(reversed(list(_children(node))))
    return _parse_refusal(nodes, fields) or _semantic_refusal(nodes)


def _children(node: Node) -> Iterator[Node]:
    schema = node.schema
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    for place, (name, child) in enumerate(properties.items() if isinstance(properties, dict) else ()):
        yield _child(node, child, f"properties[{place}].value", f"properties[{name}]")
    for key in ("items", "additionalProperties"):
        if key in schema and not isinstance(schema[key], bool):
            yield _child(node, schema[key], _snake(key), _snake(key))
    branches = schema.get("anyOf")
    for place, child in enumerate(branches if isinstance(branches, list) else ()):
        yield _child(node, child, f"any_of[{place}]", f"any_of[{place}]")


def _child(node: Node, schema: Any, parse_step: str, step: str) -> Node:
    return Node(schema, f"{node.parse_path}.{parse_step}", f"{node.path}.{step}", followed=node.followed)


def _followed(node: Node, definitions: Json) -> Node:
    reference = str(_reference(node))
    target = definitions[reference.removeprefix("#/$defs/")]
    return Node(target, node.parse_path, node.path, node.is_root, node.followed | {reference})


def _unfollowable(node: Node, definitions: Json) -> Refusal | None:
    reference = str(_reference(node))
    if reference in node.followed:
        return Refusal(f"Schema at '{node.path}' is recursive by '{reference}'; recursive schemas are not supported.")
    if not isinstance(definitions, dict) or reference.removeprefix("#/$defs/") not in definitions:
        return Refusal(f"Schema at '{node.path}' refers to '{reference}', which is not defined.")
    return None


def _reference(node: Node) -> str | None:
    reference = node.schema.get("$ref") if isinstance(node.schema, dict) else None
    return reference if isinstance(reference, str) else None


def _snake(name: str) -> str:
    return "additional_properties" if name == "additionalProperties" else name


# Parse stage


def _parse_refusal(nodes: list[Node], fields: frozenset[str]) -> Refusal | None:
    violations = [violation for node in nodes for violation in _parse_violations(node, fields)]
    if not violations:
        return None
    detail: Json = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
    return Refusal("\n".join(violation["description"] for violation in violations), details=(detail,))


def _parse_violations(node: Node, fields: frozenset[str]) -> Iterator[Json]:
    if not isinstance(node.schema, dict):
        yield _wrong_value(node.parse_path, "google.cloud.aiplatform.v1.Schema", node.schema)
        return
    for name in node.schema:
        if name not in fields:
            text = f"Invalid JSON payload received. Unknown name \"{name}\" at '{node.parse_path}': Cannot find field."
            yield {"field": node.parse_path, "description": text}
    kind = node.schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in TYPES):
        yield _wrong_value(f"{node.parse_path}.type", "google.cloud.aiplatform.v1.Type", kind)
    for key, expected in _SHAPES.items():
        if key in node.schema and not isinstance(node.schema[key], expected):
            yield _wrong_value(f"{node.parse_path}.{key}", "google.cloud.aiplatform.v1.Schema", node.schema[key])


_SHAPES: Mapping[str, type | tuple[type, ...]] = {
    "properties": dict,
    **dict.fromkeys(("required", "enum", "anyOf", "propertyOrdering"), list),
    **dict.fromkeys(("description", "title", "format", "pattern"), str),
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"), int),
    **dict.fromkeys(("minimum", "maximum"), (int, float)),
    "nullable": bool,
}


def _wrong_value(path: str, message_type: str, value: Any) -> Json:
    text = f"Invalid value at '{path}' (type.googleapis.com/{message_type}), {json.dumps(value, default=str)}"
    return {"field": path, "description": text}


# Semantic stage


def _semantic_refusal(nodes: list[Node]) -> Refusal | None:
    complaints = [
        f"* GenerateContentRequest.{node.path}{complaint}"
        for node in nodes
        for check in _SEMANTIC_CHECKS
        for complaint in check(node)
    ]
    return Refusal("\n".join(complaints) + "\n") if complaints else None


def _any_of_alone(node: Node) -> Iterator[str]:
    if "anyOf" not in node.schema:
        return
    if set(node.schema) - BESIDE_ANY_OF:
        yield ": anyOf must be the only field in a schema node"
    if not node.schema["anyOf"]:
        yield ".any_of: should be non-empty"


def _type_given(node: Node) -> Iterator[str]:
    if not {"type", "anyOf", "$ref"} & set(node.schema):
        yield ".type: schema didn't specify the schema type field"


def _enum_of_strings(node: Node) -> Iterator[str]:
    if "enum" not in node.schema:
        return
    if _kind(node) != "string":
        yield ".enum: only allowed for STRING type"
        return
    for place, value in enumerate(node.schema["enum"]):
        if not isinstance(value, str):
            yield f".enum[{place}]: only allowed for STRING type"
        elif not value:
            yield f".enum[{place}]: cannot be empty"


def _known_format(node: Node) -> Iterator[str]:
    if _kind(node) == "string" and node.schema.get("format") not in {None, *STRING_FORMATS}:
        yield ".format: only 'enum' and 'date-time' are supported for STRING type"


def _object_has_properties(node: Node) -> Iterator[str]:
    if _kind(node) != "object" or node.is_root or node.schema.get("properties"):
        return
    if node.schema.get("additionalProperties") in (None, False):
        yield ".properties: should be non-empty for OBJECT type"


def _array_has_items(node: Node) -> Iterator[str]:
    if _kind(node) == "array" and "items" not in node.schema:
        yield ".items: missing field"


def _required_is_defined(node: Node) -> Iterator[str]:
    properties = node.schema.get("properties", {})
    for place, name in enumerate(node.schema.get("required", ())):
        if not isinstance(name, str) or name not in properties:
            yield f".required[{place}]: property is not defined"


def _kind(node: Node) -> str:
    return str(node.schema.get("type", "")).lower()


_SEMANTIC_CHECKS: tuple[Callable[[Node], Iterator[str]], ...] = (
    _any_of_alone,
    _type_given,
    _enum_of_strings,
    _known_format,
    _object_has_properties,
    _array_has_items,
    _required_is_defined,
)
