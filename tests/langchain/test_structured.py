"""Structured output: three methods, every kind of schema, whole or streamed; what cannot be one object is an error."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import pydantic
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, Field
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1

from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.core.errors import EmptyReplyError, SchemaError, SettingsError
from vertex_compat_integrations.emulator import Answer, Emulator, completion, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.errors import RefusedAnswerError

Build = Callable[..., ChatVertexCompat]


class Joke(BaseModel):
    """A joke."""

    setup: str = Field(description="How it begins")
    punchline: str = Field(description="How it ends")


class JokeV1(BaseModelV1):
    """A joke."""

    setup: str = FieldV1(description="How it begins")
    punchline: str = FieldV1(description="How it ends")


class JokeDict(TypedDict):
    """A joke."""

    setup: Annotated[str, ..., "How it begins"]
    punchline: Annotated[str, ..., "How it ends"]


JOKE_SCHEMA = {
    "title": "joke",
    "description": "A joke.",
    "type": "object",
    "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
    "required": ["setup", "punchline"],
}
JOKE_WRAPPED = {"name": "joke", "strict": True, "schema": {"type": "object", "properties": JOKE_SCHEMA["properties"]}}
JOKE_FUNCTION = {
    "name": "joke",
    "description": "A joke.",
    "parameters": {key: JOKE_SCHEMA[key] for key in ("type", "properties", "required")},
}

SCHEMAS = {
    "pydantic": Joke,
    "pydantic 1": JokeV1,
    "TypedDict": JokeDict,
    "JSON schema": JOKE_SCHEMA,
    "function": JOKE_FUNCTION,
}
METHODS = ["json_schema", "function_calling", "json_mode"]
PROMPT = "Tell a joke about cats, as JSON with 'setup' and 'punchline' keys."


def assert_joke(value: Any, schema: Any) -> None:
    if isinstance(schema, type) and issubclass(schema, BaseModel | BaseModelV1):
        assert type(value) is schema
        assert value.setup
        assert value.punchline
    else:
        assert set(value) == {"setup", "punchline"}
        assert all(isinstance(word, str) and word for word in value.values())


class Options(BaseCallbackHandler):
    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []

    def on_chat_model_start(self, *_: Any, **kwargs: Any) -> None:
        self.options.append(kwargs["options"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=list(SCHEMAS))
class TestEveryKind:
    @pytest.mark.parametrize("strict", [None, False, True])
    async def test_object(self, emulator: Emulator, chat: Build, schema: Any, method: Any, strict: bool | None):
        model = chat().with_structured_output(schema, method=method, strict=strict)
        heard = Options()
        assert_joke(model.invoke(PROMPT, {"callbacks": [heard]}), schema)
        sent = emulator.journal.last.body
        assert ("tools" in sent) == (method == "function_calling")
        expected = {"json_schema": "json_schema", "json_mode": "json_object"}.get(method)
        assert sent.get("response_format", {}).get("type") == expected
        told = heard.options[0]["ls_structured_output_format"]
        assert told["schema"] == convert_to_json_schema(schema)
        assert told["kwargs"]["method"] == method
        assert "strict" not in str(sent)
        assert_joke(await model.ainvoke(PROMPT), schema)

    async def test_stream(self, emulator: Emulator, chat: Build, schema: Any, method: Any):
        model = chat().with_structured_output(schema, method=method, strict=True)
        pieces = list(model.stream(PROMPT))
        assert_joke(pieces[-1], schema)
        assert emulator.journal.last.body["stream"] is True
        assert_joke([piece async for piece in model.astream(PROMPT)][-1], schema)
        if method != "function_calling" and not isinstance(schema, type):
            assert len(pieces) > 2

    async def test_with_raw(self, emulator: Emulator, chat: Build, schema: Any, method: Any):
        model = chat().with_structured_output(schema, method=method, strict=False, include_raw=True)
        for told in (model.invoke(PROMPT), await model.ainvoke(PROMPT)):
            assert_joke(told["parsed"], schema)
            assert told["parsing_error"] is None
            assert told["raw"].usage_metadata
        merged: dict[str, Any] = {}
        for piece in model.stream(PROMPT):
            merged |= {key: value for key, value in piece.items() if key != "raw"}
        assert_joke(merged["parsed"], schema)


# Schemas of some depth


class Kind(Enum):
    CARGO = "cargo"
    FERRY = "ferry"


class Engine(BaseModel):
    """An engine."""

    kilowatts: int
    fuel: Literal["diesel", "gas"] | None = None


class Ship(BaseModel):
    """A ship."""

    name: str
    title: str = Field(description="A property that is named like a keyword")
    kind: Kind
    engines: list[Engine]
    spare: Engine | None = None
    lengths: dict[str, float] = Field(default_factory=dict)
    decks: Annotated[int, Field(ge=1, le=20)] = 1


SHIP = '{"name": "Fram", "title": "MS", "kind": "ferry", "engines": [{"kilowatts": 9, "fuel": "gas"}], "spare": null}'


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_nested_optional_enum_and_list(emulator: Emulator, chat: Build, method: Any):
    """`$defs` are inlined, and what the emulator makes of the schema is an object of the class."""
    model = chat().with_structured_output(Ship, method=method)
    ship = model.invoke("Describe the ferry 'Fram' with one engine of 9 kilowatts.")
    assert isinstance(ship, Ship)
    assert "$ref" not in emulator.journal.last.raw.decode()
    emulator.answer(text(SHIP) if method == "json_schema" else tool_call("Ship", SHIP))
    ship = model.invoke("Describe the ferry.")
    assert (ship.name, ship.title, ship.kind, ship.spare) == ("Fram", "MS", Kind.FERRY, None)
    assert ship.engines == [Engine(kilowatts=9, fuel="gas")]
    sent = emulator.journal.last.body
    schema = (
        sent["response_format"]["json_schema"]["schema"]
        if method == "json_schema"
        else sent["tools"][0]["function"]["parameters"]
    )
    assert set(schema["properties"]) == set(Ship.model_fields)
    assert schema["properties"]["kind"]["enum"] == ["cargo", "ferry"]
    assert schema["required"] == ["name", "title", "kind", "engines"]
    assert schema["properties"]["engines"]["items"]["properties"]["kilowatts"]["type"] == "integer"


class Tree(BaseModel):
    """A tree."""

    branches: list["Tree"]


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_schema_that_contains_itself_is_refused_with_its_place(emulator: Emulator, chat: Build, method: Any):
    with pytest.raises(SchemaError, match="branches") as caught:
        chat().with_structured_output(Tree, method=method).invoke("Draw a tree.")
    assert isinstance(caught.value, ModelError)
    assert not caught.value.is_retryable
    assert len(emulator.journal) == 0


@pytest.mark.parametrize("model", ["google/gemini-2.5-flash", "qwen/qwen3-next-80b-a3b-instruct-maas"])
@pytest.mark.parametrize("method", METHODS)
def test_other_models(emulator: Emulator, chat: Build, model: str, method: Any):
    assert_joke(chat(model).with_structured_output(Joke, method=method).invoke(PROMPT), Joke)


def test_json_mode_without_a_schema_gives_a_mapping(emulator: Emulator, chat: Build):
    assert_joke(chat().with_structured_output(method="json_mode").invoke(PROMPT), None)


def test_tools_may_stand_beside_a_schema(emulator: Emulator, chat: Build):
    def search(words: str) -> str:
        """Search for words."""
        return words

    model = chat().with_structured_output(Joke, tools=[search], include_raw=True)
    emulator.answer(text('{"setup": "a", "punchline": "b"}'))
    assert model.invoke(PROMPT)["parsed"] == Joke(setup="a", punchline="b")
    assert [tool["function"]["name"] for tool in emulator.journal.last.body["tools"]] == ["search"]


@each_way
@pytest.mark.parametrize("schema", [Joke, JOKE_SCHEMA, ["a", "b"]], ids=["class", "schema", "words"])
async def test_a_model_that_calls_a_tool_first_has_neither_answer_nor_error(
    emulator: Emulator, chat: Build, way, schema: Any
):
    def search(words: str) -> str:
        """Search for words."""
        return words

    emulator.rule(tool_call("search", {"words": "jokes"}))
    read = await ask(chat().with_structured_output(schema, tools=[search], include_raw=True), way, PROMPT)
    assert [call["name"] for call in read["raw"].tool_calls] == ["search"]
    assert (read["parsed"], read["parsing_error"]) == (None, None)
    with pytest.raises(OutputParserException, match=r"called search\. .*include_raw=True"):
        await ask(chat().with_structured_output(schema, tools=[search]), way, PROMPT)


@pytest.mark.parametrize(
    "value",
    [
        Joke,
        JOKE_SCHEMA,
        {"type": "json_schema", "json_schema": {"name": "joke", "schema": JOKE_SCHEMA}},
        {"title": "Word", "type": "string", "enum": ["a", "b"]},
        {"title": "Words", "type": "array", "items": {"type": "string"}},
    ],
    ids=["class", "schema", "wire", "enum schema", "array schema"],
)
def test_a_response_format_may_be_a_schema_of_any_kind(emulator: Emulator, chat: Build, value: Any):
    chat().bind(response_format=value).invoke(PROMPT)
    bound = emulator.journal.last.body["response_format"]
    chat().bind_tools([], response_format=value).invoke(PROMPT)
    assert emulator.journal.last.body["response_format"] == bound
    assert bound["type"] == "json_schema"
    assert bound["json_schema"]["schema"]["type"] in ("object", "string", "array")


def test_the_response_format_of_each_answer_may_be_a_class(emulator: Emulator, chat: Build):
    chat(response_format=Joke).invoke(PROMPT)
    of_each = emulator.journal.last.body["response_format"]
    chat().bind(response_format=Joke).invoke(PROMPT)
    assert emulator.journal.last.body["response_format"] == of_each


@pytest.mark.parametrize("schema", [JOKE_WRAPPED, {"type": "json_schema", "json_schema": JOKE_WRAPPED}])
def test_a_schema_may_be_wrapped_as_the_wire_has_it(emulator: Emulator, chat: Build, schema: Any):
    for method in ("json_schema", "function_calling"):
        emulator.answer(tool_call("joke", {"setup": "a"}) if method == "function_calling" else text('{"setup": "a"}'))
        assert chat().with_structured_output(schema, method=method).invoke(PROMPT) == {"setup": "a"}
        body = emulator.journal.last.body
        asked = body["tools"][0]["function"] if "tools" in body else body["response_format"]["json_schema"]
        assert asked["name"] == "joke"
        assert (asked.get("parameters") or asked["schema"])["properties"].keys() == {"setup", "punchline"}
    chat().bind_tools([], response_format=schema).invoke(PROMPT)
    assert emulator.journal.last.body["response_format"]["json_schema"]["name"] == "joke"


@pytest.mark.parametrize(
    "schema",
    [
        {"title": "Words", "type": "array", "items": {"type": "string"}},
        {"title": "Word", "anyOf": [{"type": "string"}, {"type": "integer"}]},
    ],
    ids=["array", "union"],
)
def test_what_is_no_object_cannot_be_a_calls_arguments(chat: Build, schema: Any):
    with pytest.raises(SettingsError, match="no properties at its root"):
        chat().with_structured_output(schema, method="function_calling")


def test_a_mime_type_is_passed_through(emulator: Emulator, chat: Build):
    chat().bind(response_format={"type": "text/x.enum"}).invoke(PROMPT)
    assert emulator.journal.last.body["response_format"] == {"type": "text/x.enum"}


# What is no object


BLOCKED = {"choices": [{"finish_reason": "content_filter: SAFETY", "index": 0, "message": {"role": "assistant"}}]}
CUT_TEXT = text('{"setup": "Why did the cat', finish_reason="length")
CUT_CALL = tool_call("Joke", '{"setup": "Why did the cat')


@pytest.mark.filterwarnings("ignore:The answer was blocked")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("include_raw", [False, True])
class TestRefusal:
    def test_is_a_typed_error(self, emulator: Emulator, chat: Build, method: Any, include_raw: bool):
        emulator.answer(completion(BLOCKED))
        model = chat().with_structured_output(Joke, method=method, include_raw=include_raw)
        if include_raw:
            told = model.invoke(PROMPT)
            assert told["parsed"] is None
            error, raw_message = told["parsing_error"], told["raw"]
        else:
            with pytest.raises(RefusedAnswerError) as caught:
                model.invoke(PROMPT)
            error, raw_message = caught.value, caught.value.raw_message
        assert isinstance(error, ModelError)
        assert not error.is_retryable
        assert "SAFETY" in str(error)
        assert raw_message.additional_kwargs["refusal"]

    async def test_is_one_in_a_stream(self, emulator: Emulator, chat: Build, method: Any, include_raw: bool):
        emulator.rule(completion(BLOCKED))
        model = chat().with_structured_output(Joke, method=method, include_raw=include_raw)
        if include_raw:
            (error,) = [piece["parsing_error"] for piece in model.stream(PROMPT) if "parsing_error" in piece]
            assert isinstance(error, RefusedAnswerError)
        else:
            with pytest.raises(RefusedAnswerError):
                list(model.stream(PROMPT))
            with pytest.raises(RefusedAnswerError):
                [piece async for piece in model.astream(PROMPT)]


def cut(method: str) -> Answer:
    return CUT_CALL if method == "function_calling" else CUT_TEXT


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
@pytest.mark.parametrize("schema", [Joke, JOKE_SCHEMA], ids=["class", "schema"])
async def test_a_cut_answer_is_a_typed_error(emulator: Emulator, chat: Build, method: Any, schema: Any):
    emulator.rule(CUT_TEXT)
    model = chat().with_structured_output(schema, method=method)
    with pytest.raises(EmptyReplyError, match="max_tokens") as caught:
        model.invoke(PROMPT)
    assert isinstance(caught.value, ModelError)
    assert caught.value.partial_text == '{"setup": "Why did the cat'
    assert not caught.value.is_retryable
    with pytest.raises(EmptyReplyError):
        list(model.stream(PROMPT))
    with pytest.raises(EmptyReplyError):
        [piece async for piece in model.astream(PROMPT)]
    raw = chat().with_structured_output(schema, method=method, include_raw=True)
    assert isinstance(raw.invoke(PROMPT)["parsing_error"], EmptyReplyError)


@pytest.mark.parametrize("schema", [Joke, JOKE_FUNCTION], ids=["class", "function"])
async def test_a_call_that_is_missing_or_cut_is_an_error_not_none(emulator: Emulator, chat: Build, schema: Any):
    model = chat().with_structured_output(schema, method="function_calling")
    for answer in (text("I would rather not."), tool_call("Joke", '{"setup": "Why did the cat')):
        emulator.reset()
        emulator.rule(answer)
        with pytest.raises(OutputParserException, match="did not call"):
            model.invoke(PROMPT)
        with pytest.raises(OutputParserException, match="did not call"):
            list(model.stream(PROMPT))
        with pytest.raises(OutputParserException, match="did not call"):
            [piece async for piece in model.astream(PROMPT)]


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_of_another_shape_is_a_parsing_error(emulator: Emulator, chat: Build, method: Any):
    wrong = '{"setup": "Why?"}'
    emulator.rule(tool_call("Joke", wrong) if method == "function_calling" else text(wrong))
    with pytest.raises((OutputParserException, pydantic.ValidationError)):
        chat().with_structured_output(Joke, method=method).invoke(PROMPT)
    with pytest.raises((OutputParserException, pydantic.ValidationError)):
        list(chat().with_structured_output(Joke, method=method).stream(PROMPT))
    told = chat().with_structured_output(Joke, method=method, include_raw=True).invoke(PROMPT)
    assert told["parsed"] is None
    assert "punchline" in str(told["parsing_error"])


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_does_not_stream_gives_its_object_in_streams_too(emulator: Emulator, chat: Build, method: Any):
    model = chat(disable_streaming=True).with_structured_output(Joke, method=method)
    assert_joke(list(model.stream(PROMPT))[-1], Joke)
    assert "stream" not in emulator.journal.last.body


def test_an_unknown_method_and_a_missing_schema_are_settings_errors(chat: Build):
    with pytest.raises(SettingsError, match="json_modus"):
        chat().with_structured_output(Joke, method="json_modus")
    with pytest.raises(SettingsError, match="without a schema"):
        chat().with_structured_output(None)


@pytest.mark.parametrize("strict", [True, False, None])
def test_strict_goes_out_with_the_tool_of_the_answer(chat: Build, emulator: Emulator, strict: bool | None):
    emulator.answer(tool_call("Joke", {"setup": "a", "punchline": "b"}))
    model = chat("meta/llama-4-scout-17b-16e-instruct-maas", base_url=emulator.base_url(location="us-east5"))
    model.with_structured_output(Joke, method="function_calling", strict=strict).invoke("Tell a joke.")
    (tool,) = emulator.journal.last.body["tools"]
    assert tool["function"].get("strict") is strict
