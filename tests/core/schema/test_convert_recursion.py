"""Schemas that contain themselves, cut where a tool's parameters may be."""

import time

import pytest

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.convert import to_cut_parameters, to_openapi, to_parameters

FREE = {"type": "object", "additionalProperties": True}


def document(definition, **more):
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/D"}}, "$defs": {"D": definition, **more}}


@pytest.mark.parametrize(
    ("definition", "cut"),
    [
        ({"type": "object", "properties": {"n": {"$ref": "#/$defs/D"}}}, FREE),
        ({"properties": {"n": {"$ref": "#/$defs/D"}}}, FREE),
        ({"anyOf": [{"properties": {"n": {"$ref": "#/$defs/D"}}}, {"type": "object"}]}, FREE),
    ],
    ids=["object", "without type", "union of objects"],
)
def test_a_circle_of_objects_ends_at_a_free_object(definition, cut):
    converted, cuts = to_cut_parameters(document(definition))
    inner = converted["properties"]["x"]
    inner = next(iter(inner["anyOf"]), inner) if "anyOf" in inner else inner
    assert inner["properties"]["n"] == cut
    assert len(cuts) == 1


def test_a_circle_of_lists_ends_at_a_list_of_anything():
    converted, _ = to_cut_parameters(document({"type": "array", "items": {"$ref": "#/$defs/D"}}))
    assert converted["properties"]["x"]["items"]["type"] == "array"


@pytest.mark.parametrize(
    "schema",
    [
        document({"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/D"}}]}),
        document({"$ref": "#/$defs/D"}),
        document({"type": "object", "properties": {"n": {"$dynamicRef": "#node"}}}),
        {"type": "object", "properties": {"n": {"$ref": "#"}}},
    ],
    ids=["JSON value", "nothing but itself", "dynamic", "root"],
)
def test_other_circles_end_too_and_the_result_is_a_schema_of_the_subset(schema):
    converted, cuts = to_cut_parameters(schema)
    assert cuts
    assert to_openapi(converted) == converted


def test_twelve_definitions_that_all_name_each_other_are_cut_soon():
    names = [f"D{number}" for number in range(12)]
    every = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}
    schema = {"type": "object", "properties": every["properties"], "$defs": dict.fromkeys(names, every)}
    started = time.process_time()
    converted, cuts = to_cut_parameters(schema)
    assert time.process_time() - started < 10
    assert set(converted["properties"]) == set(names)
    assert cuts


def test_what_is_not_recursive_is_not_cut():
    schema = document({"type": "object", "properties": {"n": {"type": "string"}}})
    assert to_cut_parameters(schema) == (to_parameters(schema), ())


def test_a_bomb_without_a_circle_is_an_error_and_not_cut():
    definitions = {"D0": {"type": "string"}}
    for number in range(1, 40):
        part = {"$ref": f"#/$defs/D{number - 1}"}
        definitions[f"D{number}"] = {"type": "object", "properties": {"a": part, "b": part}}
    with pytest.raises(SchemaError, match="grows beyond"):
        to_cut_parameters({"type": "object", "properties": {"x": {"$ref": "#/$defs/D39"}}, "$defs": definitions})


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": list(range(200_000))},
        {"enum": [{"a": number} for number in range(50_000)]},
        {"allOf": [{"description": f"word{number} " * 5} for number in range(10_000)]},
        {"allOf": [{"required": [f"r{number}"]} for number in range(20_000)]},
    ],
    ids=["numbers", "objects", "descriptions", "required"],
)
def test_size_bombs_end_soon(schema):
    started = time.process_time()
    with pytest.raises(SchemaError, match="grows beyond"):
        to_openapi({"type": "object", "properties": {"x": schema}})
    assert time.process_time() - started < 5


def test_a_root_of_many_objects_becomes_one_soon():
    parts = [{"type": "object", "properties": {"v": {"type": "string", "description": f"d{n}"}}} for n in range(1_000)]
    started = time.process_time()
    assert set(to_parameters({"anyOf": parts})["properties"]) == {"v"}
    assert time.process_time() - started < 10
