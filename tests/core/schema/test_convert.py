"""Each rule of the conversion by example."""

import json
import subprocess
import sys
from typing import Any

import pytest

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.convert import to_openapi, to_parameters
from vertex_compat_integrations.emulator.rules.schemas import check_response_schema, check_tool_schema

ANYTHING = to_openapi({})


def part(schema: Any, **document: Any) -> Any:
    """What becomes of the schema of a property; the whole passes the endpoint's acceptance."""
    result = to_openapi({"type": "object", "properties": {"part": schema}, **document})
    assert check_tool_schema(result, "function") is None
    assert check_response_schema(result) is None
    assert to_openapi(result) == result
    return result["properties"]["part"]


STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
OBJECT = {"type": "object", "additionalProperties": True}

RULES = [
    pytest.param({"const": "a"}, {"type": "string", "enum": ["a"]}, id="const is an enum of one"),
    pytest.param({"const": 3}, {"type": "integer", "description": "One of: 3."}, id="const of a number is described"),
    pytest.param({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}, id="the type of an enum is inferred"),
    pytest.param(
        {"type": "integer", "enum": [1, 2, 3], "description": "Level."},
        {"type": "integer", "description": "Level.\nOne of: 1, 2, 3."},
        id="integers of an enum move to the description",
    ),
    pytest.param(
        {"type": "number", "enum": [1, 2.5]}, {"type": "number", "description": "One of: 1, 2.5."}, id="number enum"
    ),
    pytest.param({"enum": [True]}, {"type": "boolean", "description": "One of: true."}, id="boolean enum"),
    pytest.param(
        {"enum": ["a", 1, None]},
        {
            "nullable": True,
            "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "description": "One of: 1."}],
        },
        id="a mixed enum is split by type",
    ),
    pytest.param(
        {"type": "string", "enum": ["", "a"]},
        {"type": "string", "description": 'One of: "", "a".'},
        id="an enum with the empty string moves to the description",
    ),
    pytest.param(
        {"type": "string", "enum": ["a", None]},
        {"type": "string", "nullable": True, "enum": ["a"]},
        id="null in an enum is nullable",
    ),
    pytest.param(
        {"type": "string", "enum": [1, 2]},
        {"type": "string", "description": "One of: 1, 2."},
        id="values of another type than the node's are described",
    ),
    pytest.param(
        {"type": "integer", "enum": [1], "description": "Level. One of: 1. Really."},
        {"type": "integer", "description": "Level. One of: 1. Really."},
        id="a sentence that is there is not added",
    ),
    pytest.param(
        {"type": "number", "exclusiveMinimum": 1, "description": "Greater than 1.5."},
        {"type": "number", "description": "Greater than 1.5.\nGreater than 1.", "minimum": 1},
        id="a sentence that only begins like another is added",
    ),
    pytest.param({"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}, id="oneOf is anyOf"),
    pytest.param(
        {"anyOf": [STRING, {"type": "null"}], "default": None, "title": "Name", "description": "A name."},
        {"type": "string", "description": "A name.", "nullable": True},
        id="a union with null is nullable",
    ),
    pytest.param({"type": ["string", "null"]}, {"type": "string", "nullable": True}, id="type list with null"),
    pytest.param(
        {"type": ["string", "integer", "null"], "minLength": 1, "minimum": 0, "description": "D"},
        {
            "description": "D",
            "nullable": True,
            "anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}],
        },
        id="several types are anyOf, each with its own keywords",
    ),
    pytest.param({"type": "STRING"}, STRING, id="types in capitals are understood"),
    pytest.param({"type": "null"}, {"type": "string", "description": "Always null.", "nullable": True}, id="only null"),
    pytest.param(
        {"type": "object", "nullable": True, "allOf": [{"type": "object", "properties": {"a": STRING}}]},
        {"type": "object", "nullable": True, "properties": {"a": STRING}},
        id="nullable means the whole node",
    ),
    pytest.param(
        {
            "description": "Outer.",
            "allOf": [
                {"type": "object", "properties": {"a": {"minLength": 1}}, "required": ["a"], "description": "Inner."},
                {"properties": {"a": {"type": "string", "maxLength": 9}, "b": INTEGER}, "required": ["b", "a"]},
            ],
        },
        {
            "type": "object",
            "description": "Outer.\nInner.",
            "properties": {"a": {"type": "string", "minLength": 1, "maxLength": 9}, "b": INTEGER},
            "required": ["a", "b"],
        },
        id="allOf is merged",
    ),
    pytest.param(
        {"allOf": [{"minimum": 1, "maximum": 9}, {"type": "integer", "minimum": 3}, {"maximum": 12}]},
        {"type": "integer", "minimum": 3, "maximum": 9},
        id="bounds of allOf are intersected",
    ),
    pytest.param(
        {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]},
        {"type": "string", "enum": ["b"]},
        id="enums of allOf are intersected",
    ),
    pytest.param({"allOf": [NUMBER, INTEGER]}, INTEGER, id="an integer is a number"),
    pytest.param(
        {
            "type": "object",
            "properties": {"a": STRING, "b": STRING},
            "description": "D",
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        {
            "description": "D",
            "anyOf": [
                {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a"]},
                {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["b"]},
            ],
        },
        id="anyOf stands alone, what stood beside it goes into each alternative",
    ),
    pytest.param(
        {"type": "string", "anyOf": [{"type": "integer"}, {"minLength": 2}]},
        {"type": "string", "minLength": 2},
        id="an alternative that contradicts the node falls away",
    ),
    pytest.param({"anyOf": [{"anyOf": [STRING, INTEGER]}, STRING]}, {"anyOf": [STRING, INTEGER]}, id="flat unions"),
    pytest.param(
        {"type": "array", "prefixItems": [STRING, INTEGER], "minItems": 2, "maxItems": 2},
        {
            "type": "array",
            "description": "Items in this order: string, integer.",
            "items": {"anyOf": [STRING, INTEGER]},
            "minItems": 2,
            "maxItems": 2,
        },
        id="a tuple of 2020-12",
    ),
    pytest.param(
        {"type": "array", "items": [STRING, INTEGER], "additionalItems": False},
        {
            "type": "array",
            "description": "Items in this order: string, integer.",
            "items": {"anyOf": [STRING, INTEGER]},
            "maxItems": 2,
        },
        id="a tuple of draft 7",
    ),
    pytest.param(
        {"prefixItems": [STRING], "items": INTEGER},
        {"type": "array", "items": {"anyOf": [STRING, INTEGER]}},
        id="a tuple with more of another type",
    ),
    pytest.param({"prefixItems": [STRING]}, {"type": "array", "items": ANYTHING}, id="an open tuple holds anything"),
    pytest.param(
        {"type": "string", "format": "email", "description": "Where to."},
        {"type": "string", "description": "Where to.\nFormat: email."},
        id="a format of a string moves to the description",
    ),
    pytest.param(
        {"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}, id="date-time stays"
    ),
    pytest.param({"type": "integer", "format": "int64"}, {"type": "integer", "format": "int64"}, id="int64 stays"),
    pytest.param(
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5},
        {"type": "number", "description": "Greater than 0.\nLess than 1.5.", "minimum": 0, "maximum": 1.5},
        id="exclusive bounds of a number are relaxed and described",
    ),
    pytest.param(
        {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9.5, "maximum": 10},
        {"type": "integer", "minimum": 1, "maximum": 9},
        id="exclusive bounds of an integer are said exactly",
    ),
    pytest.param(
        {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        {"type": "integer", "minimum": 1},
        id="exclusive bounds of draft 4",
    ),
    pytest.param(
        {"type": "integer", "multipleOf": 5}, {"type": "integer", "description": "Multiple of 5."}, id="multipleOf"
    ),
    pytest.param(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://example.com/schema",
            "$comment": "c",
            "title": "T",
            "default": {},
            "examples": [{}],
            "deprecated": True,
            "x-order": 1,
            "not": {"required": ["z"]},
            "if": {},
            "then": {},
            "else": {},
            "discriminator": {"propertyName": "a"},
            "propertyNames": {"pattern": "^a"},
            "patternProperties": {"^x": {}},
            "dependentRequired": {"a": ["b"]},
            "unevaluatedProperties": False,
            "type": "object",
            "properties": {"a": STRING},
            "minProperties": 1,
        },
        {"type": "object", "properties": {"a": STRING}, "minProperties": 1},
        id="keywords that the endpoint does not know are dropped",
    ),
    pytest.param(
        {"type": "array", "items": STRING, "uniqueItems": True, "contains": STRING, "unevaluatedItems": False},
        {"type": "array", "items": STRING},
        id="keywords of arrays that the endpoint does not know are dropped",
    ),
    pytest.param(
        {"properties": {"a": STRING}, "required": ["a", "b"]},
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        id="required names only what is there",
    ),
    pytest.param(
        {"properties": {"a": STRING}, "required": True},
        {"type": "object", "properties": {"a": STRING}},
        id="required of draft 3",
    ),
    pytest.param({"items": STRING}, {"type": "array", "items": STRING}, id="items mean an array"),
    pytest.param({"pattern": "^a$"}, {"type": "string", "pattern": "^a$"}, id="a pattern means a string"),
    pytest.param({"minimum": 1}, {"type": "number", "minimum": 1}, id="a minimum means a number"),
    pytest.param({"type": "object"}, OBJECT, id="an object without properties takes any"),
    pytest.param({"type": "object", "additionalProperties": False}, OBJECT, id="a closed empty object has to take any"),
    pytest.param(
        {"type": "object", "additionalProperties": {"const": "x", "title": "X"}},
        {"type": "object", "additionalProperties": {"type": "string", "enum": ["x"]}},
        id="the schema of further properties is converted",
    ),
    pytest.param(
        {"properties": {"a": STRING}, "additionalProperties": False},
        {"type": "object", "properties": {"a": STRING}},
        id="a closed object says so no more",
    ),
    pytest.param(
        {"properties": {"a": STRING}, "additionalProperties": {}},
        {"type": "object", "properties": {"a": STRING}, "additionalProperties": True},
        id="an object that is said to be open stays so",
    ),
    pytest.param(
        {"type": "object", "patternProperties": {"^a": INTEGER, "^b": STRING}, "additionalProperties": NUMBER},
        {"type": "object", "additionalProperties": {"anyOf": [INTEGER, STRING, NUMBER]}},
        id="properties by pattern join the further properties",
    ),
    pytest.param(
        {"type": "object", "patternProperties": {"^a": INTEGER}, "additionalProperties": False},
        {"type": "object", "additionalProperties": INTEGER},
        id="properties by pattern in a closed object are its further properties",
    ),
    pytest.param({"type": "array"}, {"type": "array", "items": ANYTHING}, id="an array without items"),
    pytest.param(True, ANYTHING, id="true takes anything"),
    pytest.param({"description": "D"}, {"description": "D", **ANYTHING}, id="a node that only describes"),
    pytest.param(
        {"minLength": "3", "type": "string", "maxLength": 4.0},
        {"type": "string", "maxLength": 4},
        id="bounds that are no numbers are dropped",
    ),
    pytest.param(
        {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "b"}]},
        {"type": "string", "description": "Pattern: b", "pattern": "a"},
        id="a second pattern is described",
    ),
]


@pytest.mark.parametrize(("schema", "expected"), RULES)
def test_rule(schema: Any, expected: Any) -> None:
    assert part(schema) == expected


@pytest.mark.parametrize(
    "name", ["title", "default", "format", "$ref", "const", "examples", "enum", "$defs", "allOf", "nullable", "x-a", ""]
)
def test_a_property_may_be_named_like_a_keyword(name: str) -> None:
    schema = {"type": "object", "properties": {name: STRING}, "required": [name]}
    assert part(schema) == schema


def test_anything_names_a_type_at_each_node_and_takes_lists_of_lists() -> None:
    kinds = [branch["type"] for branch in ANYTHING["anyOf"]]
    assert kinds == ["string", "number", "boolean", "object", "array"]
    inner = ANYTHING["anyOf"][4]["items"]["anyOf"][4]["items"]
    assert [branch["type"] for branch in inner["anyOf"]] == kinds[:4]
    assert ANYTHING["nullable"] is inner["nullable"] is True


def test_a_function_without_parameters_stays_one() -> None:
    empty = {"type": "object", "properties": {}}
    assert to_openapi(empty) == empty
    assert to_openapi({"type": "object", "additionalProperties": False}) == empty
    assert to_openapi({"type": "object"}) == OBJECT
    assert to_openapi(empty | {"additionalProperties": True}) == OBJECT
    assert check_tool_schema(empty, "function") is None


def test_references_are_inlined_with_what_stands_beside_them() -> None:
    definitions = {"a/b": STRING, "c~d": {"$ref": "#/$defs/e%20f"}, "e f": {"type": "integer", "description": "Inner."}}
    assert part({"$ref": "#/$defs/a~1b"}, **{"$defs": definitions}) == STRING
    outer = {"$ref": "#/$defs/c~0d", "description": "Outer.", "title": "T", "minimum": 3}
    assert part(outer, **{"$defs": definitions}) == {"type": "integer", "description": "Outer.\nInner.", "minimum": 3}


def test_references_may_lead_anywhere_in_the_schema() -> None:
    properties = {"a": {"prefixItems": [STRING, INTEGER]}, "b": {"$ref": "#/properties/a/prefixItems/1"}}
    assert to_openapi({"type": "object", "properties": properties})["properties"]["b"] == INTEGER


def test_a_definition_may_be_used_beside_and_below_its_own_use() -> None:
    """Inheritance by allOf is no recursion: the friend is a person, not an employee."""
    schema = {
        "$defs": {"Person": {"type": "object", "properties": {"name": STRING}}},
        "allOf": [{"$ref": "#/$defs/Person"}, {"properties": {"friend": {"$ref": "#/$defs/Person"}}}],
    }
    person = {"type": "object", "properties": {"name": STRING}}
    assert to_openapi(schema) == {"type": "object", "properties": {"name": STRING, "friend": person}}


def test_the_result_is_the_same_text_in_every_process() -> None:
    schema = {
        "required": ["b", "a"],
        "properties": {"b": {"enum": ["z", 1, None, True]}, "a": {"minLength": 1, "items": STRING, "minimum": 1}},
        "type": "object",
        "description": "D",
    }
    code = (
        "import json,sys; from vertex_compat_integrations.core.schema.convert import to_openapi;"
        "print(json.dumps(to_openapi(json.loads(sys.argv[1]))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, json.dumps(schema)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert texts == {json.dumps(to_openapi(schema))}


def test_parameters_that_are_a_union_of_objects_become_one_object():
    """The endpoint refuses parameters whose root is no object; what any branch requires alone is not required."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "string"}},
        "required": ["c"],
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
    }
    converted = to_parameters(schema)
    assert converted["type"] == "object"
    assert sorted(converted["properties"]) == ["a", "b", "c"]
    assert converted["required"] == ["c"]
    assert "anyOf" not in converted


def test_parameters_of_different_shapes_keep_both_shapes_of_a_property():
    schema = {
        "anyOf": [
            {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
            {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
        ]
    }
    assert to_parameters(schema) == {
        "type": "object",
        "properties": {"x": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
        "required": ["x"],
    }


def test_parameters_that_may_be_anything_are_an_open_object():
    assert to_parameters({"description": "Whatever."})["type"] == "object"


def test_parameters_that_are_no_object_are_refused():
    with pytest.raises(SchemaError, match="not an object"):
        to_parameters({"type": "string"})
