"""The schema subset: what the endpoint's two stages refuse, and what they take."""

import pytest

from vertex_compat_integrations.emulator.rules.schemas import check_response_schema, check_tool_schema

TEXT = {"type": "string"}


def within(schema, **more):
    return {"type": "object", "properties": {"a": schema}, **more}


REFUSED_NAMES = [
    ("$schema", "x"), ("$id", "x"), ("const", "x"), ("examples", ["x"]), ("propertyNames", TEXT),
    ("exclusiveMinimum", 1), ("exclusiveMaximum", 1), ("oneOf", [TEXT]), ("allOf", [TEXT]), ("not", TEXT),
    ("prefixItems", [TEXT]), ("patternProperties", {}), ("uniqueItems", True), ("multipleOf", 2), ("contains", TEXT),
    ("discriminator", {}), ("x-thing", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED_NAMES, ids=[name for name, _ in REFUSED_NAMES])
@pytest.mark.parametrize("check", [lambda schema: check_tool_schema(schema, "f"), check_response_schema])
def test_unknown_names_are_refused_with_their_place(check, name, value):
    refusal = check(within({**TEXT, name: value}))
    assert f'Unknown name "{name}"' in refusal.message
    (detail,) = refusal.details
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert detail["fieldViolations"][0]["field"].endswith("properties[0].value")


@pytest.mark.parametrize("name", ["$schema", "const", "title", "default", "format", "$ref", "enum", "type", "examples"])
def test_a_property_may_have_any_name(name):
    schema = {"type": "object", "properties": {name: TEXT}, "required": [name]}
    assert check_tool_schema(schema, "f") is None
    assert check_response_schema(schema) is None


ACCEPTED = {
    "no properties at the root": {"type": "object", "properties": {}},
    "upper-case types": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
    "description, title and default": within({**TEXT, "description": "d", "title": "A", "default": "x"}),
    "bounds": within({"type": "integer", "minimum": 0, "maximum": 9}),
    "nullable": within({**TEXT, "nullable": True}),
    "an enum of strings": within({**TEXT, "enum": ["x", "y"]}),
    "date-time": within({**TEXT, "format": "date-time"}),
    "anyOf beside a description": within({"anyOf": [TEXT, {"type": "integer"}], "description": "d", "nullable": True}),
    "additional properties": within({"type": "object", "additionalProperties": TEXT}, additionalProperties=False),
    "any object": within({"type": "object", "additionalProperties": True}),
    "an array": within({"type": "array", "items": within(TEXT), "minItems": 1}),
    "number formats": within({"type": "integer", "format": "int32"}),
}


@pytest.mark.parametrize("schema", ACCEPTED.values(), ids=ACCEPTED)
def test_the_subset_is_accepted(schema):
    assert check_tool_schema(schema, "f") is None
    assert check_response_schema(schema) is None


REFUSED = {
    "an enum of numbers": (within({"type": "integer", "enum": [1]}), "[a].enum: only allowed for STRING type"),
    "a mixed enum": (within({**TEXT, "enum": ["x", None]}), "properties[a].enum[1]: only allowed for STRING type"),
    "an empty word": (within({**TEXT, "enum": ["x", ""]}), "properties[a].enum[1]: cannot be empty"),
    "another format": (within({**TEXT, "format": "date"}), "only 'enum' and 'date-time' are supported for STRING type"),
    "an empty object": (within({"type": "object"}), "properties[a].properties: should be non-empty for OBJECT type"),
    "a closed empty object": (within({"type": "object", "additionalProperties": False}), "should be non-empty"),
    "an array without items": (within({"type": "array"}), "properties[a].items: missing field"),
    "such an array in anyOf": (within({"anyOf": [TEXT, {"type": "array"}]}), "any_of[1].items: missing field"),
    "an unknown required": (within(TEXT, required=["a", "b"]), "required[1]: property is not defined"),
    "anyOf beside a type": (within({"anyOf": [TEXT], "type": "string"}), "anyOf must be the only field in a schema"),
    "an empty anyOf": (within({"anyOf": []}), "any_of: should be non-empty"),
    "no type": (within({"description": "anything"}), "schema didn't specify the schema type field"),
    "several types": (within({"type": ["string", "null"]}), "(type.googleapis.com/google.cloud.aiplatform.v1.Type)"),
    "a node that is no object": (within(True), "(type.googleapis.com/google.cloud.aiplatform.v1.Schema), true"),
    "required that is no list": (within(TEXT, required="a"), "parameters.required"),
    "additional properties out of the subset": (
        within({"type": "object", "additionalProperties": {"type": "array"}}), "additional_properties.items: missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused(schema, words):
    assert words in check_tool_schema(schema, "f").message


def test_parameters_are_an_object():
    assert "`f` functionDeclaration parameters schema should be of type OBJECT" in check_tool_schema(TEXT, "f").message


def references(depth):
    """Definitions, each of which uses the next one twice."""
    pair = {f"D{k}": within({"$ref": f"#/$defs/D{k + 1}"}, title=f"{k}") for k in range(depth)}
    for k, each in enumerate(pair.values()):
        each["properties"]["b"] = {"$ref": f"#/$defs/D{k + 1}"}
    return {**within({"$ref": "#/$defs/D0"}), "$defs": {**pair, f"D{depth}": TEXT}}


def test_references_are_followed_in_a_response_format_only():
    schema = references(2)
    assert check_response_schema(schema) is None
    assert 'Unknown name "$defs"' in check_tool_schema(schema, "f").message
    schema["$defs"]["D2"] = {"type": "array"}
    assert "items: missing field" in check_response_schema(schema).message


def test_recursion_and_dangling_references_are_refused():
    recursive = {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}
    assert "recursive" in check_response_schema({**recursive, "$defs": {"N": recursive}}).message
    assert "not defined" in check_response_schema(recursive).message


def test_a_schema_that_explodes_is_refused_quickly():
    assert "too many states for serving" in check_response_schema(references(60)).message
