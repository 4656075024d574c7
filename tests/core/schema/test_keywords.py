"""The demands of several nodes add up to what a value must satisfy to satisfy them all."""

import pytest

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.keywords import (
    ContradictionError,
    Keywords,
    SchemaNode,
    as_json,
    is_type,
    merged,
    one_of,
    without_repetition,
)


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ({"types": ("string", "null")}, {"types": ("null", "string")}, {"types": ("string", "null")}),
        ({"types": ("number",)}, {"types": ("integer",)}, {"types": ("integer",)}),
        ({"types": ("integer", "string")}, {"types": ("number",)}, {"types": ("integer",)}),
        ({"types": ("string",)}, {}, {"types": ("string",)}),
        ({"enum": (1, 2, 3)}, {"enum": (3.0, 2)}, {"enum": (2, 3)}),
        ({"descriptions": ("a", "b")}, {"descriptions": ("b", "c")}, {"descriptions": ("a", "b", "c")}),
        ({"bounds": {"minimum": 1, "maxItems": 5}}, {"bounds": {"minimum": 3, "maxItems": 4}},
         {"bounds": {"minimum": 3, "maxItems": 4}}),
        ({"required": ("a",)}, {"required": ("b", "a")}, {"required": ("a", "b")}),
        ({"additional": (SchemaNode({}),)}, {"additional": False}, {"additional": False}),
        ({"properties": {"a": (SchemaNode({}, "$.a"),)}}, {"properties": {"a": (SchemaNode(True, "$.b"),)}},
         {"properties": {"a": (SchemaNode({}, "$.a"), SchemaNode(True, "$.b"))}}),
    ],
)  # fmt: skip
def test_demands_add_up(left, right, both):
    assert merged([Keywords("$", **left), Keywords("$.x", **right)]) == Keywords("$", **both)


@pytest.mark.parametrize(
    ("left", "right"),
    [({"types": ("string",)}, {"types": ("array",)}), ({"enum": ("a",)}, {"enum": ("b",)})],
)
def test_demands_that_exclude_each_other_are_a_contradiction(left, right):
    with pytest.raises(ContradictionError, match="exclude each other") as caught:
        merged([Keywords("$.x", **left), Keywords("$.y", **right)])
    error = caught.value.fatal()
    assert isinstance(error, SchemaError)
    assert (error.path, bool(error.hint)) == ("$.x", True)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (1, {"integer", "number"}),
        (1.0, {"integer", "number"}),
        (1.5, {"number"}),
        (True, {"boolean"}),
        ("", {"string"}),
        (None, {"null"}),
        ([], {"array"}),
        ({}, {"object"}),
        (object(), set()),
    ],
)
def test_a_value_has_the_types_that_json_schema_gives_it(value, kinds):
    every = ("string", "integer", "number", "boolean", "array", "object", "null")
    assert {kind for kind in every if is_type(value, kind)} == kinds


def test_values_are_equal_as_json_schema_has_it():
    assert without_repetition([1, 1.0, True, "1", {"a": 1, "b": 2}, {"b": 2.0, "a": 1}], "$") == (
        1,
        True,
        "1",
        {"a": 1, "b": 2},
        {"b": 2.0, "a": 1},
    )
    assert as_json(2.0**60, "$") == "1.152921504606847e+18"
    assert one_of(["a", 1.0, None], "$") == 'One of: "a", 1, null.'


def test_a_value_that_is_no_json_is_refused_with_its_path():
    with pytest.raises(SchemaError) as caught:
        as_json({1, 2}, "$.enum")
    assert caught.value.path == "$.enum"


def test_a_path_is_one_that_can_be_read_back():
    node = SchemaNode({}).below({}, "properties", "a").below({}, "anyOf", 0).below({}, "properties", "not so")
    assert node.path == '$.properties.a.anyOf[0].properties["not so"]'
    assert node.depth == 3
