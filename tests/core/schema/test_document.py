"""What is wrong with a schema wherever it goes."""

import pytest

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.document import check_document


def nested(levels):
    schema = {}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"a": None}}, "$.properties.a"),
        ({"properties": {"a": "text"}}, "$.properties.a"),
        ({"anyOf": [{}, None]}, "$.anyOf[1]"),
        ({"$defs": {"A": {"properties": {"b": {"$ref": "#/$defs/B"}}}}}, "$.$defs.A.properties.b"),
    ],
)
def test_it_is_refused_with_the_path(schema, path):
    with pytest.raises(SchemaError) as caught:
        check_document(schema)
    assert caught.value.path.replace('["$defs"]', ".$defs") == path


def test_nesting_has_an_end():
    check_document(nested(20))
    with pytest.raises(SchemaError, match="deeper than"):
        check_document(nested(5_000))


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"next": {"$ref": "#"}}},
        {"$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}}, "$ref": "#/$defs/A"},
        {"properties": {"a": True, "b": {"$ref": "https://example.org/schema"}, "c": {"unknown": None}}},
    ],
)
def test_the_rest_is_for_the_server_to_judge(schema):
    check_document(schema)
