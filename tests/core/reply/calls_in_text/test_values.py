"""Bare text → a value of the tool's schema."""

import pytest

from vertex_compat_integrations.core.reply.calls_in_text.values import UnclearValueError, kinds_of, value_of

SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "number": {"type": "number"},
        "whole": {"type": ["integer", "null"]},
        "flag": {"type": "boolean"},
        "word": {"enum": ["a", "1"]},
        "maybe": {"type": "string", "nullable": True},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "both": {"allOf": [{"type": ["string", "integer"]}, {"type": "integer"}]},
        "list": {"items": {"type": "string"}},
        "far": {"$ref": "#/$defs/a~1b"},
        "endless": {"$ref": "#/$defs/endless"},
    },
    "$defs": {"a/b": {"const": "x"}, "endless": {"$ref": "#/$defs/endless"}},
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", " 42 ", " 42 "),
        ("text", "null", "null"),
        ("number", "42", 42),
        ("number", "4.5", 4.5),
        ("whole", "4.0", 4.0),
        ("whole", "None", None),
        ("flag", "True", True),
        ("flag", "false", False),
        ("word", "1", "1"),
        ("maybe", "null", None),
        ("maybe", "nothing", "nothing"),
        ("either", "five", "five"),
        ("both", "5", 5),
        ("list", '["a"]', ["a"]),
        ("far", "true", "true"),
        ("endless", "some words", "some words"),
    ],
)
def test_the_schema_says_what_a_text_is(name, text, value):
    read = value_of(text, name, SCHEMA)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("number", "many"),
        ("whole", "4.5"),
        ("flag", "1"),
        ("flag", "yes"),
        ("either", "5"),
        ("endless", "5"),
        ("list", "a"),
        ("list", "[" * 100_000),
        ("other", "a"),
    ],
)
def test_what_may_be_more_than_one_value_or_none_is_unclear(name, text):
    with pytest.raises(UnclearValueError):
        value_of(text, name, SCHEMA)


def test_a_schema_that_says_nothing_admits_everything():
    assert len(kinds_of({}, {})) == len(kinds_of(True, {})) == 7
    assert kinds_of({"properties": {}}, {}) == {"object"}
