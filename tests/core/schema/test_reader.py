"""JSON Schema in any of its drafts is read into one form."""

import pytest

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.keywords import ContradictionError, SchemaNode
from vertex_compat_integrations.core.schema.reader import MAX_DEPTH, MAX_SIZE, Reader


def read(schema, document=None):
    return Reader(document or {}).read(SchemaNode(schema))


@pytest.mark.parametrize(
    ("schema", "attribute", "value"),
    [
        ({"type": "STRING"}, "types", ("string",)),
        ({"type": ["string", "null", "string"]}, "types", ("string", "null")),
        ({"type": None}, "types", None),
        (True, "types", None),
        ({"const": None}, "enum", (None,)),
        ({"const": 1, "enum": [1, 2]}, "enum", (1,)),
        ({"description": "  A. ", "format": "date", "pattern": "a"}, "descriptions", ("A.",)),
        ({"description": 5}, "descriptions", ()),
        ({"minimum": 1, "exclusiveMinimum": True}, "bounds", {"minimum": 1, "exclusiveMinimum": 1}),
        ({"exclusiveMinimum": 1}, "bounds", {"exclusiveMinimum": 1}),
        ({"minLength": 2.0, "minimum": 2.5}, "bounds", {"minLength": 2, "minimum": 2.5}),
        ({"minimum": float("inf")}, "bounds", {}),
        ({"prefixItems": [{}, {}], "items": False}, "bounds", {"maxItems": 2}),
        ({"items": [{}, {}], "additionalItems": False, "maxItems": 1}, "bounds", {"maxItems": 1}),
        ({"items": [{"type": "string"}, {"title": "Age"}]}, "orders", ("string, Age",)),
        ({"prefixItems": [{"$ref": "#/$defs/City"}, True]}, "orders", ("City, any",)),
        ({"required": ["a", 1]}, "required", ("a",)),
        ({"required": True}, "required", ()),
        ({"additionalProperties": False}, "additional", False),
        ({"additionalProperties": None}, "additional", None),
        ({"type": "string", "enum": [1, 2]}, "enum", None),
        ({"type": "string", "enum": [1, 2]}, "descriptions", ("One of: 1, 2.",)),
    ],
)
def test_a_spelling_has_one_form(schema, attribute, value):
    assert getattr(read(schema), attribute) == value


@pytest.mark.parametrize(
    ("schema", "attribute", "nodes"),
    [
        ({"items": {"type": "string"}}, "items", [({"type": "string"}, "$.items")]),
        ({"additionalProperties": True}, "additional", [(True, "$.additionalProperties")]),
        (
            {"patternProperties": {"a": {}}, "additionalProperties": False},
            "additional",
            [({}, "$.patternProperties")],
        ),
        ({"prefixItems": [{}], "maxItems": 1}, "items", [({"anyOf": [{}]}, "$.prefixItems")]),
    ],
)
def test_a_part_is_a_node_with_its_path(schema, attribute, nodes):
    assert [(node.schema, node.path) for node in getattr(read(schema), attribute)] == nodes


def test_openapis_nullable_is_a_union_with_null():
    ((plain, null),) = read({"type": "string", "nullable": True}).unions
    assert (plain.schema, null.schema) == ({"type": "string"}, {"type": "null"})


def test_an_alternative_that_nothing_fits_is_left_out():
    ((only,),) = read({"anyOf": [{"not": {}}, {"type": "string"}]}).unions
    assert only.path == "$.anyOf[1]"


@pytest.mark.parametrize("reference", ["#/$defs/a~1b", "#/%24defs/a~1b"])
def test_a_reference_and_what_stands_beside_it_both_hold(reference):
    document = {"$defs": {"a/b": {"type": "string", "description": "There."}}}
    keywords = read({"$ref": reference, "description": "Here."}, document)
    assert keywords.types == ("string",)
    assert keywords.descriptions == ("Here.", "There.")


def test_a_pointer_goes_through_lists():
    assert read({"$ref": "#/anyOf/1"}, {"anyOf": [{}, {"type": "array"}]}).types == ("array",)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("string", "is not a schema"),
        ({"type": "text"}, "'text' is not a type"),
        ({"type": [1]}, "1 is not a type"),
        ({"enum": "ab"}, "enum is not a list"),
        ({"properties": []}, "properties does not map names"),
        ({"anyOf": []}, "anyOf has no alternatives"),
        ({"allOf": {}}, "allOf is not a list"),
        ({"$ref": 1}, "is not text"),
        ({"$ref": "#/$defs/Missing"}, "has no target"),
        ({"$ref": "#anchor"}, "has no target"),
        ({"$ref": "other.json#/a"}, "leaves the schema"),
        ({"$dynamicRef": "#node"}, "recursive"),
    ],
)
def test_what_cannot_be_read_is_refused(schema, said):
    with pytest.raises(SchemaError, match=said):
        read(schema)


@pytest.mark.parametrize("schema", [False, {"enum": []}, {"allOf": [False]}])
def test_what_nothing_satisfies_is_a_contradiction(schema):
    with pytest.raises(ContradictionError):
        read(schema)


def test_a_definition_that_contains_itself_is_named_with_its_way():
    document = {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}
    with pytest.raises(SchemaError, match="A contains itself: A → B → A"):
        read({"$ref": "#/$defs/A"}, document)


def test_depth_and_size_are_bounded():
    with pytest.raises(SchemaError, match=f"deeper than {MAX_DEPTH}"):
        Reader({}).read(SchemaNode({}, depth=MAX_DEPTH + 1))
    reader = Reader({})
    reader.spend(MAX_SIZE, "$")
    with pytest.raises(SchemaError, match="grows beyond"):
        reader.spend(1, "$.x")
