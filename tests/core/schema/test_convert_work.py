"""The work of a conversion grows with the schema, or ends at a limit with its name; it never grows with the square."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.counted_work import lines_run
from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.convert import to_cut_parameters

Schema = dict[str, Any]


def branch(number: int) -> Schema:
    properties = {"kind": {"const": f"k{number}"}, "v": {"type": "string", "description": f"d{number}"}}
    return {"type": "object", "properties": properties, "required": ["kind", "v"]}


def nested(depth: int) -> Schema:
    schema: Schema = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def recursive(count: int) -> Schema:
    options = [{**branch(at), "properties": {**branch(at)["properties"], "next": {"$ref": "#"}}} for at in range(count)]
    return {"anyOf": options}


GROWING: dict[str, Callable[[int], Schema]] = {
    "a union at the root": lambda count: {"anyOf": [branch(at) for at in range(count)]},
    "a union in a property": lambda count: {
        "type": "object",
        "properties": {"x": {"anyOf": [branch(at) for at in range(count)]}},
    },
    "a union of references": lambda count: {
        "type": "object",
        "properties": {"x": {"oneOf": [{"$ref": f"#/$defs/D{at}"} for at in range(count)]}},
        "$defs": {f"D{at}": branch(at) for at in range(count)},
    },
    "a union that contains itself": recursive,
    "names that all branches require": lambda count: {
        "anyOf": [
            {"type": "object", "properties": {f"p{at}": {"type": "string"}}, "required": [f"p{at}" for at in range(40)]}
            for at in range(count)
        ]
    },
    "parts of one node": lambda count: {
        "type": "object",
        "properties": {"x": {"type": "string"}},
        "allOf": [{"required": [f"r{at}"]} for at in range(count)],
    },
    "values": lambda count: {"type": "object", "properties": {"x": {"enum": [f"v{at}" for at in range(10 * count)]}}},
}


@pytest.mark.parametrize("grow", GROWING.values(), ids=GROWING)
def test_twice_the_schema_is_twice_the_work(grow):
    once, twice = (lines_run(lambda: to_cut_parameters(grow(count))) for count in (100, 200))  # noqa: B023
    assert twice < 2.3 * once


def test_twice_the_nesting_is_twice_the_work():
    once, twice = (lines_run(lambda: to_cut_parameters(nested(depth))) for depth in (25, 50))  # noqa: B023
    assert twice < 2.3 * once


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (nested(200), "nested deeper than 64 levels"),
        ({"anyOf": [branch(at) for at in range(10_000)]}, "grows beyond 1,000,000 characters"),
        (
            {"type": "object", "allOf": [{"description": f"d{at}"} for at in range(1_001)]},
            "grows beyond 1,000 parts of one node",
        ),
    ],
)
def test_a_limit_says_which_it_is(schema, problem):
    with pytest.raises(SchemaError, match=problem):
        to_cut_parameters(schema)
