"""What holds for every schema: accepted by the endpoint's rules, nothing valid refused, stable, pure."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # no stubs are installed

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.emulator.rules.schemas import check_response_schema, check_tool_schema


def thorough(examples: int) -> settings:
    """The same examples in every run; whole documents are slow to draw."""
    unchecked = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=unchecked
    )


Pair = tuple[Any, Any]  # a schema, and a value that it accepts

NAMES = st.sampled_from(
    ["title", "default", "format", "$ref", "const", "examples", "type", "enum", "required", "a", "b", "naïve name"]
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
INTEGERS = st.integers(-20, 20)
NUMBERS = INTEGERS | st.floats(-20, 20).map(lambda number: round(number, 2))
SCALARS = st.none() | st.booleans() | INTEGERS | NUMBERS | TEXTS
# Where anything is allowed, two arrays within each other is what the result promises.
FLAT = st.recursive(SCALARS, lambda values: st.dictionaries(NAMES, values, max_size=2), max_leaves=3)
VALUES = FLAT | st.lists(FLAT, max_size=2) | st.lists(st.lists(FLAT, max_size=2), max_size=2)
ANNOTATIONS = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXTS,
        "description": TEXTS,
        "default": SCALARS,
        "examples": st.lists(SCALARS, max_size=2),
        "$comment": TEXTS,
        "x-order": INTEGERS,
        "deprecated": st.booleans(),
        "not": st.just({"const": "never drawn by any strategy"}),
    },
)


@st.composite
def strings(draw: st.DrawFn) -> Pair:
    value = draw(TEXTS)
    lower, upper = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    limits = {"minLength": max(0, len(value) - lower), "maxLength": len(value) + upper}
    extras = {"format": draw(st.sampled_from(["date-time", "email", "uuid", "enum"])), "pattern": "^"}
    return {"type": "string", **_some(draw, limits | extras)}, value


@st.composite
def numbers(draw: st.DrawFn) -> Pair:
    kind = draw(st.sampled_from(["integer", "number"]))
    value = draw(INTEGERS if kind == "integer" else NUMBERS)
    below, above = draw(st.sampled_from([0.5, 1, 3])), draw(st.sampled_from([0.5, 1, 3]))
    limits = {
        "minimum": value - draw(st.sampled_from([0, 1, 0.25])),
        "maximum": value + draw(st.sampled_from([0, 1, 0.25])),
        "exclusiveMinimum": value - below,
        "exclusiveMaximum": value + above,
        "format": "int32" if kind == "integer" else "double",
    }
    return {"type": kind, **_some(draw, limits)}, value


@st.composite
def choices(draw: st.DrawFn) -> Pair:
    values = draw(st.lists(SCALARS, min_size=1, max_size=4))
    value = draw(st.sampled_from(values))
    if draw(st.booleans()):
        return {"const": value}, value
    kinds = {None: "null", True: "boolean"}
    kind = next((kinds[key] for key in kinds if value is key), None)
    schema: dict[str, Any] = {"enum": values}
    if kind is None and draw(st.booleans()):
        schema["type"] = "string" if isinstance(value, str) else "boolean" if value is False else "number"
    return schema, value


def objects(parts: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    @st.composite
    def build(draw: st.DrawFn) -> Pair:
        pairs = draw(st.dictionaries(NAMES, parts, max_size=3))
        present = {name: value for name, (_, value) in pairs.items() if draw(st.booleans())}
        required = [name for name in present if draw(st.booleans())]
        schema: dict[str, Any] = {"type": "object", "properties": {name: pair[0] for name, pair in pairs.items()}}
        others: dict[str, Any] = {"additionalProperties": draw(st.booleans()), "unevaluatedProperties": {}}
        others |= {"propertyNames": {"type": "string"}, "minProperties": len(required), "required": required}
        schema |= _some(draw, others)
        if draw(st.booleans()):
            extra, value = draw(parts)
            pattern = draw(st.sampled_from([{"additionalProperties": extra}, {"patternProperties": {"^z": extra}}]))
            schema = {**schema, **pattern}
            present["z"] = value
            if "patternProperties" in pattern:
                schema.pop("additionalProperties", None)
        if not schema["properties"] and draw(st.booleans()):
            del schema["properties"]
        return schema, present

    return build()


def arrays(parts: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    @st.composite
    def build(draw: st.DrawFn) -> Pair:
        pairs = draw(st.lists(parts, max_size=3))
        values = [value for _, value in pairs]
        extras: dict[str, Any] = {"minItems": len(pairs), "maxItems": len(pairs), "contains": True}
        schema: dict[str, Any] = {"type": "array", **_some(draw, extras)}
        shape = draw(st.sampled_from(["tuple", "closed", "rest", "uniform", "open"]))
        if pairs and shape in ("tuple", "closed", "rest"):
            schema["prefixItems"] = [part for part, _ in pairs]
        if shape == "closed":
            schema["items"] = False
            values = values if pairs else []
        elif shape == "rest":
            schema["items"], value = draw(parts)
            assume(pairs)
            schema.pop("maxItems", None)
            values = [*values, value]
        elif shape == "uniform" and pairs:
            schema["items"] = pairs[0][0]
            values = [pairs[0][1]] * len(pairs)
        elif shape == "open":
            values = draw(st.lists(FLAT, min_size=len(pairs), max_size=len(pairs)))
        return schema, values

    return build()


def combined(parts: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    @st.composite
    def build(draw: st.DrawFn) -> Pair:
        first, second = draw(parts), draw(parts)
        schema, value = first
        union = draw(st.sampled_from(["anyOf", "oneOf"]))
        match draw(st.sampled_from(["union", "nullable", "null", "allOf", "list", "beside", "conditional"])):
            case "union":
                return {union: [schema, second[0]]}, draw(st.sampled_from([value, second[1]]))
            case "nullable":
                return {"anyOf": [schema, {"type": "null"}]}, draw(st.sampled_from([value, None]))
            case "null":
                return {"type": "null"}, None
            case "allOf":
                return {"allOf": [schema, draw(ANNOTATIONS)]}, value
            case "list":
                kinds = draw(st.lists(st.sampled_from(["string", "integer", "null"]), min_size=1, unique=True))
                drawn = {"string": "x", "integer": 3, "null": None}
                return {"type": kinds, "minLength": 1, "minimum": 3}, drawn[draw(st.sampled_from(kinds))]
            case "beside":
                return {"anyOf": [schema, True], "allOf": [schema, {union: [schema, {"type": "null"}]}]}, value
            case _:
                return {"allOf": [schema], "if": {"type": "string"}, "then": True}, value

    return build()


@st.composite
def annotated(draw: st.DrawFn, pairs: st.SearchStrategy[Pair]) -> Pair:
    schema, value = draw(pairs)
    return ({**draw(ANNOTATIONS), **schema} if isinstance(schema, dict) and draw(st.booleans()) else schema), value


ANYTHING = st.tuples(st.sampled_from([True, {}, {"title": "Any"}]), VALUES)
LEAVES = annotated(strings() | numbers() | choices() | ANYTHING | st.just(({"type": "boolean"}, True)))
NODES = st.recursive(LEAVES, lambda parts: annotated(objects(parts) | arrays(parts) | combined(parts)), max_leaves=8)


@st.composite
def documents(draw: st.DrawFn) -> Pair:
    """A tool's parameters: an object, some of whose properties refer to definitions."""
    schema, value = draw(objects(NODES))
    definitions = draw(st.dictionaries(st.sampled_from(["Point", "a/b", "c~d", "per%cent"]), NODES, max_size=2))
    schema = {**schema, "properties": dict(schema.get("properties", {}))}
    for name, (_, inner) in definitions.items():
        pointer = name.replace("~", "~0").replace("/", "~1").replace("%", "%25")
        schema["properties"][f"of {name}"] = {"$ref": f"#/$defs/{pointer}", "description": "Beside a reference."}
        value = {**value, f"of {name}": inner}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": _schemas(definitions)}, value


def _schemas(pairs: dict[str, Pair]) -> dict[str, Any]:
    return {name: schema for name, (schema, _) in pairs.items()}


def _some(draw: st.DrawFn, keywords: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if draw(st.booleans())}


def converted(schema: dict[str, Any]) -> dict[str, Any]:
    """The result; a schema that the strategies made contradictory by chance is no example."""
    try:
        return to_openapi(schema)
    except SchemaError as error:
        assume("exclude each other" not in error.message)
        raise


def as_json_schema(node: Any) -> Any:
    """OpenAPI's `nullable` in JSON Schema's words."""
    if isinstance(node, bool):
        return node
    plain = {keyword: value for keyword, value in node.items() if keyword != "nullable"}
    if "properties" in plain:
        plain["properties"] = {name: as_json_schema(part) for name, part in plain["properties"].items()}
    for keyword in plain.keys() & {"items", "additionalProperties"}:
        plain[keyword] = as_json_schema(plain[keyword])
    if "anyOf" in plain:
        plain["anyOf"] = [as_json_schema(part) for part in plain["anyOf"]]
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") else plain


def is_promised(result: dict[str, Any], value: Any) -> bool:
    """Whether the documented exception, deep arrays where anything is allowed, does not concern the value."""
    anything = json.dumps(to_openapi({})["anyOf"][:4])[1:-1]
    return nested_arrays(value) <= 2 or anything not in json.dumps(result)


def nested_arrays(value: Any) -> int:
    if isinstance(value, dict):
        return max(map(nested_arrays, value.values()), default=0)
    return 1 + max(map(nested_arrays, value), default=0) if isinstance(value, list) else 0


def accepts(schema: Any, value: Any) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))


@thorough(70)
@given(documents())
def test_every_result_passes_the_endpoints_acceptance(pair: Pair) -> None:
    result = converted(pair[0])
    assert check_tool_schema(result, "function") is None
    assert check_response_schema(result) is None
    assert json.loads(json.dumps(result)) == result


@thorough(130)
@given(NODES)
def test_every_result_of_a_part_passes_as_a_response_schema(pair: Pair) -> None:
    assert check_response_schema(converted({"type": "object", "properties": {"part": pair[0]}})) is None
    assert pair[0] is True or check_response_schema(converted(pair[0])) is None


@thorough(80)
@given(documents())
def test_what_the_schema_accepts_the_result_accepts(pair: Pair) -> None:
    schema, value = pair
    result = converted(schema)
    assume(is_promised(result, value) and accepts(schema, value))
    assert accepts(as_json_schema(result), value)


@thorough(130)
@given(NODES, VALUES)
def test_any_value_that_the_schema_accepts_by_chance_the_result_accepts(pair: Pair, stranger: Any) -> None:
    schema, value = pair
    assume(isinstance(schema, dict))
    result = converted(schema)
    for candidate in (value, stranger, [value], {"a": value}, None, "", 0, True):
        if is_promised(result, candidate) and accepts(schema, candidate):
            assert accepts(as_json_schema(result), candidate)


@thorough(130)
@given(NODES)
def test_a_result_comes_back_as_it_is(pair: Pair) -> None:
    result = converted(pair[0] if isinstance(pair[0], dict) else {"items": pair[0]})
    again = to_openapi(result)
    assert again == result
    assert json.dumps(again) == json.dumps(result)


@thorough(80)
@given(objects(NODES))
def test_the_input_is_unchanged_and_shares_nothing_that_can_change(pair: Pair) -> None:
    before = copy.deepcopy(pair[0])
    result = converted(pair[0])
    _destroy(result)
    assert pair[0] == before


def _destroy(node: Any) -> None:
    for part in list(node.values()) if isinstance(node, dict) else list(node) if isinstance(node, list) else ():
        _destroy(part)
    if isinstance(node, dict | list):
        node.clear()


@thorough(80)
@given(objects(LEAVES))
def test_the_names_of_properties_survive_in_their_order(pair: Pair) -> None:
    schema = pair[0]
    assert list(converted(schema).get("properties", {})) == list(schema.get("properties", {}))
