"""What cannot be said in the subset ends in an error that names the place, and in bounded time."""

import sys
import time
from typing import Any

import pytest

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.convert import to_openapi

STRING = {"type": "string"}
INTEGER = {"type": "integer"}

ERRORS = [
    ({"properties": {"a": {"$ref": "#"}}}, "$.properties.a", "the whole schema contains itself"),
    ({"properties": {"a": {"$ref": "#/$defs/Nope"}}}, "$.properties.a", "'#/$defs/Nope' has no target"),
    ({"properties": {"a": {"$ref": "#anchor"}}}, "$.properties.a", "has no target"),
    ({"items": {"$ref": "https://example.com/s.json"}}, "$.items", "leaves the schema"),
    ({"items": {"$ref": 3}}, "$.items", "$ref is not text"),
    ({"$dynamicRef": "#node"}, "$", "recursive"),
    ({"properties": {"a": False}}, "$.properties.a", "`false` accepts nothing"),
    ({"properties": {"a b": {"items": "string"}}}, '$.properties["a b"].items', "'string' is not a schema"),
    ({"properties": ["a"]}, "$", "properties does not map names"),
    ({"anyOf": [{"allOf": {"type": "string"}}]}, "$.anyOf[0]", "allOf is not a list"),
    ({"anyOf": []}, "$", "anyOf has no alternatives"),
    ({"type": "str"}, "$", "'str' is not a type"),
    ({"enum": []}, "$", "empty"),
    ({"enum": "abc"}, "$", "enum is not a list"),
    ({"enum": [object()]}, "$", "not a JSON value"),
    ({"items": {"allOf": [STRING, INTEGER]}}, "$.items", "string and integer exclude each other"),
    ({"allOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, "$", "exclude each other"),
    ({"allOf": [INTEGER, {"minimum": 3}, {"maximum": 2}]}, "$", "minimum 3 is greater than maximum 2"),
    ({"allOf": [INTEGER, {"enum": ["a"]}]}, "$", "of type integer"),
    ({"anyOf": [{"allOf": [STRING, INTEGER]}, False]}, "$.anyOf[1]", "accepts nothing"),
    ({"anyOf": [STRING, {"properties": {"a": False}}]}, "$.anyOf[1].properties.a", "accepts nothing"),
]


@pytest.mark.parametrize(("schema", "path", "message"), ERRORS)
def test_what_cannot_be_said_is_refused_with_its_place(schema: Any, path: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        to_openapi(schema)
    assert message in caught.value.message
    assert caught.value.path == path
    assert path in str(caught.value)
    assert caught.value.hint


def test_an_alternative_whose_required_property_is_impossible_falls_away() -> None:
    schema = {"anyOf": [STRING, {"properties": {"a": False}, "required": ["a"]}]}
    assert to_openapi(schema) == STRING


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(SchemaError, match="not list"):
        to_openapi([STRING])  # type: ignore[arg-type]  # the mistake is the test


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda inner: {"type": "object", "properties": {"a": inner}}, id="properties"),
        pytest.param(lambda inner: {"items": inner}, id="items"),
        pytest.param(lambda inner: {"allOf": [inner]}, id="allOf"),
        pytest.param(lambda inner: {"anyOf": [inner, STRING]}, id="anyOf"),
        pytest.param(lambda inner: {"additionalProperties": inner}, id="additionalProperties"),
        pytest.param(lambda inner: {"prefixItems": [inner, STRING], "items": False}, id="prefixItems"),
    ],
)
def test_endless_nesting_is_refused_at_once(wrap: Any) -> None:
    schema: dict[str, Any] = STRING
    for _ in range(200_000):
        schema = wrap(schema)
    with pytest.raises(SchemaError, match="deeper than 64"):
        to_openapi(schema)


def test_a_mapping_that_holds_itself_is_refused() -> None:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    with pytest.raises(SchemaError, match="deeper than 64"):
        to_openapi(schema)


def test_a_deep_value_in_an_enum_is_refused() -> None:
    value: Any = 1
    for _ in range(200_000):
        value = [value]
    with pytest.raises(SchemaError, match="not a JSON value"):
        to_openapi({"const": value})


def test_a_chain_of_references_without_end_is_refused() -> None:
    definitions = {f"D{index}": {"$ref": f"#/$defs/D{index + 1}"} for index in range(1_000)}
    with pytest.raises(SchemaError, match="deeper than 64"):
        to_openapi({"$defs": definitions, "$ref": "#/$defs/D0"})


def test_an_almost_full_stack_ends_in_the_same_error() -> None:
    schema: dict[str, Any] = STRING
    for _ in range(60):
        schema = {"items": schema}

    def deeper(frames: int) -> Any:
        return deeper(frames - 1) if frames else to_openapi(schema)

    with pytest.raises(SchemaError, match="nested deeper"):
        deeper(sys.getrecursionlimit() - 200)
    assert to_openapi(schema)["type"] == "array"


@pytest.mark.parametrize("combine", ["properties", "anyOf", "allOf"])
def test_definitions_that_multiply_are_refused_in_bounded_time(combine: str) -> None:
    definitions: dict[str, Any] = {"D0": STRING}
    for index in range(1, 41):
        twice = [{"$ref": f"#/$defs/D{index - 1}"}] * 2
        parts = {"left": twice[0], "right": twice[1]} if combine == "properties" else twice
        definitions[f"D{index}"] = {combine: parts}
    started = time.process_time()
    with pytest.raises(SchemaError, match=r"grows beyond|deeper than"):
        to_openapi({"$defs": definitions, "$ref": "#/$defs/D40"})
    assert time.process_time() - started < 10


def test_unions_beside_unions_are_refused_when_they_multiply() -> None:
    union = {"anyOf": [{"minLength": length} for length in range(10)]}
    with pytest.raises(SchemaError, match="grows beyond"):
        to_openapi({"type": "string", "allOf": [union] * 10})


def test_a_long_description_that_is_used_often_counts() -> None:
    schema = {
        "$defs": {"Long": {"type": "string", "description": "x" * 100_000}},
        "properties": {f"p{index}": {"$ref": "#/$defs/Long"} for index in range(20)},
    }
    with pytest.raises(SchemaError, match="grows beyond"):
        to_openapi(schema)


def test_a_large_schema_is_converted() -> None:
    schema = {"properties": {f"p{index}": {"type": "string", "description": "Text."} for index in range(5_000)}}
    assert len(to_openapi(schema)["properties"]) == 5_000
