"""Schemas as pydantic 1 and 2, TypedDict, LangChain and zod write them."""

import enum
import warnings
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypedDict

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, Field

from vertex_compat_integrations.core.errors import SchemaError
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.emulator.rules.schemas import check_tool_schema

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic.v1 warns on Pythons that it does not know
    from pydantic import v1

ANYTHING = to_openapi({})
STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
OBJECT = {"type": "object", "additionalProperties": True}


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Address(BaseModel):
    """Where someone lives."""

    title: str = Field(description="A property that is named like a keyword.")
    default: int = 3
    format: Literal["long", "short"] = "long"


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid")

    home: Address = Field(description="The first home.")
    second_home: Address | None = None
    colour: Colour = Colour.RED
    level: Level | None = None
    position: tuple[float, float] = (0, 0)
    scores: dict[str, int] = {}
    tags: list[Any] = []
    notes: Any = None
    born: date | None = None
    seen: datetime
    age: Annotated[int, Field(gt=0, le=150)] = 1
    pet: Annotated["Cat | Dog", Field(discriminator="kind")]


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class Forest(BaseModel):
    trees: list[Tree]
    oldest: Tree | None = None


def test_a_pydantic_model() -> None:
    result = to_openapi(Person.model_json_schema())
    properties = result["properties"]
    assert check_tool_schema(result, "function") is None
    assert list(properties) == list(Person.model_fields)
    assert result["required"] == ["home", "seen", "pet"]
    assert properties["home"] == {
        "type": "object",
        "description": "The first home.\nWhere someone lives.",
        "properties": {
            "title": {"type": "string", "description": "A property that is named like a keyword."},
            "default": INTEGER,
            "format": {"type": "string", "enum": ["long", "short"]},
        },
        "required": ["title"],
    }
    assert properties["second_home"]["nullable"] is True
    assert properties["colour"] == {"type": "string", "enum": ["red", "blue"]}
    assert properties["level"] == {"type": "integer", "description": "One of: 1, 2.", "nullable": True}
    assert properties["position"]["items"] == NUMBER
    assert properties["position"]["minItems"] == properties["position"]["maxItems"] == 2
    assert properties["scores"] == {"type": "object", "additionalProperties": INTEGER}
    assert properties["tags"] == {"type": "array", "items": ANYTHING}
    assert properties["notes"] == ANYTHING
    assert properties["born"] == {"type": "string", "description": "Format: date.", "nullable": True}
    assert properties["seen"] == {"type": "string", "format": "date-time"}
    assert properties["age"] == {"type": "integer", "minimum": 1, "maximum": 150}
    assert [pet["properties"]["kind"]["enum"] for pet in properties["pet"]["anyOf"]] == [["cat"], ["dog"]]


def test_a_recursive_pydantic_model_is_refused_with_path_and_cycle() -> None:
    with pytest.raises(SchemaError, match="Tree contains itself: Tree → Tree") as caught:
        to_openapi(Forest.model_json_schema())
    assert caught.value.path == "$.properties.trees.items.properties.children.items"
    with pytest.raises(SchemaError) as caught:
        to_openapi(Tree.model_json_schema())
    assert caught.value.path == "$.properties.children.items"


class OldAddress(v1.BaseModel):
    """Where someone lived."""

    street: str
    number: int = v1.Field(1, gt=0)


class OldPerson(v1.BaseModel):
    home: OldAddress = v1.Field(description="The first home.")
    second_home: OldAddress | None = None
    colour: Colour = Colour.RED
    level: Literal[1, 2] = 1
    position: tuple[float, str]
    default: dict[str, OldAddress] = {}


class OldTree(v1.BaseModel):
    children: list["OldTree"] = []


OldTree.update_forward_refs()


def test_a_pydantic_1_model() -> None:
    result = to_openapi(OldPerson.schema())
    properties = result["properties"]
    assert check_tool_schema(result, "function") is None
    address = {
        "type": "object",
        "description": "Where someone lived.",
        "properties": {"street": STRING, "number": {"type": "integer", "minimum": 1}},
        "required": ["street"],
    }
    assert properties["home"] == address | {"description": "The first home.\nWhere someone lived."}
    assert properties["second_home"] == address
    assert properties["colour"] == {"type": "string", "description": "An enumeration.", "enum": ["red", "blue"]}
    assert properties["level"] == {"type": "integer", "description": "One of: 1, 2."}
    assert properties["position"]["items"] == {"anyOf": [NUMBER, STRING]}
    assert properties["default"] == {"type": "object", "additionalProperties": address}
    with pytest.raises(SchemaError, match="OldTree contains itself"):
        to_openapi(OldTree.schema())


class Movie(TypedDict):
    """A film."""

    title: Annotated[str, ..., "Its title."]
    year: int | None
    cast: list[str]


def search(
    query: str, limit: int | None = None, kind: Literal["a", "b"] = "a", options: dict[str, Any] | None = None
) -> str:
    """Search the catalogue.

    Args:
        query: What to look for.
        limit: How many at most.
        kind: Which catalogue.
        options: Anything else.
    """
    return query


def nothing() -> str:
    """Take no arguments."""
    return ""


@pytest.mark.parametrize("source", [Movie, search, nothing, Person, OldPerson])
def test_what_langchain_makes_of_a_tool_is_accepted(source: Any) -> None:
    parameters = convert_to_openai_tool(source)["function"]["parameters"]
    result = to_openapi(parameters)
    assert check_tool_schema(result, "function") is None
    assert list(result["properties"]) == list(parameters["properties"])
    assert result.get("required", []) == parameters.get("required", [])


def test_what_langchain_makes_of_a_typed_dict_and_a_function() -> None:
    movie = to_openapi(convert_to_openai_tool(Movie)["function"]["parameters"])
    assert movie["properties"]["title"] == {"type": "string", "description": "Its title."}
    assert movie["properties"]["cast"] == {"type": "array", "items": STRING}
    found = to_openapi(convert_to_openai_tool(search)["function"]["parameters"])["properties"]
    assert found["limit"] == {"type": "integer", "description": "How many at most.", "nullable": True}
    assert found["options"] == OBJECT | {"description": "Anything else.", "nullable": True}


def test_what_zod_makes_of_an_mcp_tool() -> None:
    """The schema as zod-to-json-schema writes it: a name for the root, literals as const, draft 7."""
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": "#/definitions/Input",
        "definitions": {
            "Input": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "minLength": 1, "default": "."},
                    "mode": {"anyOf": [{"type": "string", "const": "r"}, {"type": "number", "const": 7}]},
                    "head": {"type": ["number", "null"], "exclusiveMinimum": 0},
                    "same": {"$ref": "#/definitions/Input/properties/path"},
                    "never": {"not": {}},
                },
                "required": ["path"],
                "additionalProperties": False,
            }
        },
    }
    result = to_openapi(schema)
    assert check_tool_schema(result, "function") is None
    assert result["properties"] == {
        "path": {"type": "string", "minLength": 1},
        "mode": {"anyOf": [{"type": "string", "enum": ["r"]}, {"type": "number", "description": "One of: 7."}]},
        "head": {"type": "number", "description": "Greater than 0.", "nullable": True, "minimum": 0},
        "same": {"type": "string", "minLength": 1},
        "never": ANYTHING,
    }


@pytest.mark.parametrize("never", [{"not": {}}, {"not": True}, {"not": {}, "description": "Never."}])
@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_an_alternative_that_is_never_is_left_out(never: Any, union: str) -> None:
    """zod-to-json-schema writes an optional member of a union as `{"not": {}}` beside its own schema."""
    assert to_openapi({union: [never, STRING]}) == STRING
    nested = {"anyOf": [{union: [never, STRING]}, {"type": "null"}]}
    assert to_openapi(nested) == STRING | {"nullable": True}


def test_an_alternative_is_kept_where_not_excludes_something_only() -> None:
    assert to_openapi({"anyOf": [{"not": {"type": "string"}}, STRING]}) == ANYTHING
