"""Kinds of tools and answers: allowed, strict and deprecated ones, several answers, words of an enumeration."""

import functools
import sys
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, NotRequired, Required, TypedDict

import pytest
import typing_extensions
from langchain_core.exceptions import ModelError, OutputParserException
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
MAAS = "qwen/qwen3-coder-480b-a35b-instruct-maas"


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return city


@tool
def get_time(city: str) -> str:
    """The time in a city."""
    return city


class Mood(Enum):
    """How a text sounds."""

    GLAD = "glad"
    SAD = "sad"


class Person(BaseModel):
    """A person."""

    name: str


@each_way
async def test_allowed_tools_are_the_only_ones_that_are_sent(emulator: Emulator, chat: Build, way):
    model = chat().bind_tools([get_weather, get_time], tool_choice=["get_time"])
    message = await ask(model, way, "The weather and the time in Bern?")
    assert [each["function"]["name"] for each in emulator.journal.last.body["tools"]] == ["get_time"]
    assert {each["name"] for each in message.tool_calls} <= {"get_time"}


@each_way
async def test_openais_allowed_tools_may_demand_a_call(emulator: Emulator, chat: Build, way):
    named = {"type": "function", "function": {"name": "get_time"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named]}}
    message = await ask(chat().bind_tools([get_weather, get_time], tool_choice=choice), way, "Hello Bern")
    assert emulator.journal.last.body["tool_choice"] == "required"
    assert [each["name"] for each in message.tool_calls] == ["get_time"]


@each_way
@pytest.mark.parametrize(("strict", "sent"), [(True, "validated"), (False, None), (None, None)])
async def test_strict_is_the_validated_choice(emulator: Emulator, chat: Build, way, strict, sent):
    await ask(chat().bind_tools([get_weather], strict=strict), way, "Hello")
    assert emulator.journal.last.body.get("tool_choice") == sent
    await ask(chat().bind_tools([get_weather], strict=strict, tool_choice="any"), way, "Hello")
    assert emulator.journal.last.body["tool_choice"] == "required"


@each_way
@pytest.mark.parametrize("choice", ["validated", "get_weather", "none", "auto"])
async def test_every_other_choice_goes_out(emulator: Emulator, chat: Build, way, choice):
    await ask(chat().bind_tools([get_weather], tool_choice=choice), way, "Hello")
    named = {"type": "function", "function": {"name": "get_weather"}}
    assert emulator.journal.last.body["tool_choice"] == (named if choice == "get_weather" else choice)


@each_way
async def test_deprecated_functions_call_like_tools(emulator: Emulator, chat: Build, way):
    function = {"name": "get_time", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    with pytest.warns(VertexCompatWarning, match="functions"):
        message = await ask(chat(), way, "Hello Bern", functions=[function], function_call={"name": "get_time"})
    assert [each["name"] for each in message.tool_calls] == ["get_time"]
    assert not {"functions", "function_call"} & emulator.journal.last.body.keys()


@each_way
async def test_a_service_that_answers_in_the_deprecated_way_is_read(emulator: Emulator, chat: Build, way):
    """Sent untouched by extra_body, functions are answered with a `function_call`."""
    function = {"name": "get_time", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    extra = {"functions": [function], "function_call": {"name": "get_time"}}
    message = await ask(chat(MAAS, extra_body=extra), way, "The time in Bern?")
    assert [each["name"] for each in message.tool_calls] == ["get_time"]
    assert message.response_metadata["finish_reason"] == "tool_calls"


def test_several_answers_are_several_generations(emulator: Emulator, chat: Build):
    result = chat(MAAS, n=3).generate([[HumanMessage("Hello")]])
    assert len(result.generations[0]) == 3
    assert [bool(each.message.usage_metadata) for each in result.generations[0]] == [True, False, False]


async def test_several_answers_come_asynchronously_too(emulator: Emulator, chat: Build):
    result = await chat(MAAS, n=2).agenerate([[HumanMessage("Hello")]])
    assert len(result.generations[0]) == 2


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_several_answers_in_a_stream_are_refused_clearly(emulator: Emulator, chat: Build, way):
    with pytest.raises(SettingsError, match="n=2 in a stream"):
        await ask(chat(MAAS, n=2), way, "Hello")
    assert not emulator.journal.chat


def test_several_answers_of_gemini_are_refused_by_the_service(chat: Build):
    with pytest.raises(ModelError, match="candidateCount"):
        chat(n=2).invoke("Hello")


@each_way
async def test_seed_and_stop_go_out_and_stop_ends_the_answer(emulator: Emulator, chat: Build, way):
    message = await ask(chat(seed=7), way, "Hello", stop=["is its"])
    assert emulator.journal.last.body["seed"] == 7
    assert emulator.journal.last.body["stop"] == ["is its"]
    assert message.text.endswith("This ")


@each_way
@pytest.mark.parametrize(("schema", "answer"), [(Mood, Mood.GLAD), (["glad", "sad"], "glad")], ids=["Enum", "words"])
async def test_an_answer_may_be_one_word_of_an_enumeration(emulator: Emulator, chat: Build, way, schema, answer):
    model = chat().with_structured_output(schema, method="text/x.enum")
    match way:
        case "invoke" | "ainvoke":
            assert await ask(model, way, "I am glad!") == answer
        case "stream":
            assert list(model.stream("I am glad!"))[-1] == answer
        case _:
            assert [each async for each in model.astream("I am glad!")][-1] == answer
    asked = emulator.journal.last.body["response_format"]
    assert asked["type"] == "text/x.enum"
    assert asked["json_schema"]["schema"] == {"type": "string", "enum": ["glad", "sad"]}


@pytest.mark.parametrize(("schema", "answer"), [(Mood, Mood.GLAD), (["glad", "sad"], "glad")], ids=["Enum", "words"])
def test_an_enumeration_needs_no_method(emulator: Emulator, chat: Build, schema, answer):
    assert chat().with_structured_output(schema).invoke("I am glad!") == answer
    assert emulator.journal.last.body["response_format"]["type"] == "text/x.enum"


@pytest.mark.parametrize("method", ["function_calling", "json_mode"])
def test_an_enumeration_has_no_other_method(chat: Build, method):
    with pytest.raises(SettingsError, match=r"text/x\.enum"):
        chat().with_structured_output(Mood, method=method)


def test_a_word_that_is_none_of_them_is_a_parsing_error(emulator: Emulator, chat: Build):
    emulator.answer(text("angry"), text("angry"))
    with pytest.raises(OutputParserException, match="angry"):
        chat().with_structured_output(Mood, method="text/x.enum").invoke("Hm")
    raw = chat().with_structured_output(Mood, method="text/x.enum", include_raw=True).invoke("Hm")
    assert isinstance(raw["parsing_error"], OutputParserException)


def test_an_enumeration_may_be_given_with_the_call(emulator: Emulator, chat: Build):
    assert chat().invoke("I am glad!", response_format=Mood).text == "glad"
    assert emulator.journal.last.body["response_format"]["type"] == "text/x.enum"


def test_a_mime_type_of_json_is_parsed_as_json(emulator: Emulator, chat: Build):
    person = chat().with_structured_output(Person, method="application/json").invoke("Her name is Ada.")
    assert isinstance(person, Person)
    assert emulator.journal.last.body["response_format"]["type"] == "application/json"


def test_a_mime_type_without_a_schema_gives_the_text(emulator: Emulator, chat: Build):
    emulator.answer(text(" a,b "))
    assert chat().with_structured_output(method="text/csv").invoke("Letters") == "a,b"


@each_way
async def test_a_word_may_be_asked_for_beside_tools_where_the_model_takes_both(emulator: Emulator, chat: Build, way):
    def bound(model: str):
        return chat(model).bind_tools([get_weather], response_format=Mood)

    assert (await ask(bound("google/gemini-3.5-flash"), way, "I am glad!")).text == "glad"
    with pytest.raises(SettingsError, match="response_format"):
        await ask(bound("google/gemini-2.5-flash"), way, "I am glad!")


@each_way
@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"tools": [get_weather]}, "tools"),
        ({"tools": [get_weather], "tool_choice": "any"}, "tools and tool_choice"),
        ({"tools": [{"google_search": {}}]}, "Google's own tools"),
        ({"system": True}, "a system message"),
    ],
    ids=["tools", "tool choice", "native tools", "system"],
)
async def test_a_cache_stands_alone(emulator: Emulator, chat: Build, way, more, named):
    model = chat(cached_content="7").bind_tools(**more) if "tools" in more else chat(cached_content="7")
    prompt = [("system", "Be kind."), ("user", "Hello")] if "system" in more else "Hello"
    with pytest.raises(SettingsError, match=named):
        await ask(model, way, prompt)
    assert not emulator.journal.chat


@each_way
async def test_beside_a_cache_an_object_comes_by_response_format(emulator: Emulator, chat: Build, way):
    here = {"project": "p", "location": "us-central1"}
    model = chat(cached_content="7", base_url=emulator.base_url(**here), **here)
    answer = "Ada Lovelace, age 36, lives in London."
    if "stream" in way:
        structured = model.with_structured_output(Person)
        told = (
            list(structured.stream(answer)) if way == "stream" else [each async for each in structured.astream(answer)]
        )
        person = told[-1]
    else:
        person = await ask(model.with_structured_output(Person), way, answer)
    assert isinstance(person, Person)
    body = emulator.journal.last.body
    assert body["response_format"]["type"] == "json_schema"
    assert body["extra_body"]["google"]["cached_content"] == "projects/p/locations/us-central1/cachedContents/7"


@each_way
async def test_cached_tokens_are_reported(emulator: Emulator, chat: Build, way):
    base_url, cache = emulator.base_url(project="p", location="us-central1"), "projects/p/locations/us/cachedContents/7"
    message = await ask(chat(cached_content=cache, base_url=base_url), way, "Hello")
    assert message.usage_metadata["input_token_details"]["cache_read"] == 2048
    assert emulator.journal.last.body["extra_body"]["google"]["cached_content"] == cache


class Unnamed:
    """Something to call that has no name."""

    def __call__(self, city: str) -> str:
        """The weather in a city."""
        return city


@pytest.mark.parametrize("given", [functools.partial(str.replace, "a"), Unnamed()], ids=["partial", "object"])
def test_what_has_no_name_cannot_be_declared(chat: Build, given: Any):
    with pytest.raises(SettingsError, match="cannot be declared") as caught:
        chat().bind_tools([given])
    assert caught.value.hint


OPENAIS = ("web_search", "web_search_preview", "code_interpreter", "file_search", "mcp", "image_generation", "shell")


@pytest.mark.parametrize("kind", OPENAIS)
def test_a_tool_of_openais_responses_is_refused_when_it_is_bound(chat: Build, kind: str):
    with pytest.raises(SettingsError, match=rf"A tool of type '{kind}' is another service's own\. .*google_search"):
        chat().bind_tools([{"type": kind, "container": {"type": "auto"}}])


@pytest.mark.parametrize("key", ["function_declarations", "functionDeclarations"])
def test_googles_list_of_declarations_is_refused_and_its_declarations_are_tools(
    emulator: Emulator, chat: Build, key: str
):
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    tool = {key: [{"name": "find", "description": "Find.", "parameters": schema}]}
    with pytest.raises(SettingsError, match=r"1 function_declarations.*bind_tools"):
        chat().bind_tools([tool])
    chat().bind_tools([*tool[key]]).invoke("Hello")
    (sent,) = emulator.journal.last.body["tools"]
    assert sent["function"]["name"] == "find"
    assert sent["function"]["parameters"]["properties"] == {"city": {"type": "string"}}


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize("schema", [list[str], dict[str, int], str, dict, Person | None])
def test_a_schema_that_is_no_class_is_refused_with_the_class_to_write(chat: Build, schema: Any, method: str):
    with pytest.raises(SettingsError, match=r"[^.]\. .*class Answer\(BaseModel\)"):
        chat().with_structured_output(schema, method=method)


def test_a_function_whose_annotation_is_not_defined_is_named(chat: Build):
    def find(city: "Citi") -> str:  # type: ignore[name-defined]  # noqa: F821 - the mistake
        """Find a city."""
        return str(city)

    with pytest.raises(SettingsError, match=r"find: .*'Citi' is not defined"):
        chat().bind_tools([find])


class Street(typing_extensions.TypedDict):
    """A street."""

    name: str
    number: NotRequired[int]


class Address(TypedDict, total=False):
    """Where somebody lives."""

    city: Required[str]
    country: Annotated[Required[str], "The country's name"]
    street: NotRequired[list[Street]]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_a_typed_dict_may_name_the_keys_that_it_requires(emulator: Emulator, chat: Build, method: str):
    """LangChain's conversion knows neither `Required` nor `NotRequired`."""
    emulator.answer(
        tool_call("Address", {"city": "Bern", "country": "CH"})
        if method == "function_calling"
        else text('{"city": "Bern", "country": "CH"}')
    )
    answer = chat().with_structured_output(Address, method=method).invoke("Where?")
    assert answer == {"city": "Bern", "country": "CH"}
    body = emulator.journal.last.body
    if method == "json_mode":
        return
    sent = (body.get("tools") or [{"function": {"parameters": body["response_format"]["json_schema"]["schema"]}}])[0]
    schema = sent["function"]["parameters"]
    assert schema["required"] == ["city", "country"]
    assert schema["properties"]["country"] == {"type": "string", "description": "The country's name"}
    assert schema["properties"]["street"]["items"]["required"] == ["name"]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic reads typing's TypedDict since Python 3.12")
def test_a_typed_dict_that_pydantic_cannot_read_is_refused_with_the_one_that_it_can(chat: Build):
    class Inner(TypedDict):
        name: NotRequired[str]

    class Outer(TypedDict):
        inner: NotRequired[Inner]

    with pytest.raises(SettingsError, match=r"Outer: .*typing_extensions\.TypedDict"):
        chat().with_structured_output(Outer)


@pytest.mark.parametrize("kind", ["web_search_20250305", "bash_20250124"])
def test_a_tool_that_another_service_runs_is_refused(chat: Build, kind: str):
    with pytest.raises(SettingsError, match=f"{kind}.*another service") as caught:
        chat().bind_tools([{"type": kind, "name": "search"}])
    assert "google_search" in caught.value.hint


def test_a_tool_declared_as_anthropic_does_is_a_function(emulator: Emulator, chat: Build):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    declared = {"type": "custom", "name": "look", "description": "Look.", "input_schema": schema}
    chat().bind_tools([declared]).invoke("Hello")
    function = emulator.journal.last.body["tools"][0]["function"]
    assert function == {"name": "look", "description": "Look.", "parameters": schema}
