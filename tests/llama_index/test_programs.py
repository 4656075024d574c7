"""Structured answers by LlamaIndex's own programs, where `pydantic_program_mode` asks for them."""

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, RootModel

from vertex_compat_integrations import emulator as emulated
from vertex_compat_integrations.core.errors import SchemaError, SettingsError

PROMPT = PromptTemplate("Name somebody, {style}, as {{first}}.")
SENT = [
    {"role": "system", "content": "Be exact."},
    {"role": "user", "content": "Name somebody, {as in a play}, as {{first}}."},
]


class Name(BaseModel):
    first: str


class Folder(BaseModel):
    files: list[str]
    folders: list["Folder"] = []


class Size(BaseModel):
    width: int


class Either(RootModel[Name | Size]):
    pass


class Ages(RootModel[dict[str, int]]):
    pass


def keep(**arguments: object) -> str:
    """Keep something."""
    return str(arguments)


async def at_once(llm, schema=Name):
    return llm.structured_predict(schema, PROMPT, style="{as in a play}")


async def asynchronously(llm, schema=Name):
    return await llm.astructured_predict(schema, PROMPT, style="{as in a play}")


async def streamed(llm, schema=Name):
    return list(llm.stream_structured_predict(schema, PROMPT, style="{as in a play}"))[-1]


async def streamed_asynchronously(llm, schema=Name):
    answers = await llm.astream_structured_predict(schema, PROMPT, style="{as in a play}")
    return [answer async for answer in answers][-1]


@pytest.mark.parametrize("way", [at_once, asynchronously, streamed, streamed_asynchronously])
async def test_function_calling_sends_the_system_prompt_once(build, emulator, way):
    emulator.answer(emulated.tool_call("Name", {"first": "Ann"}))
    llm = build(pydantic_program_mode=PydanticProgramMode.FUNCTION, system_prompt="Be exact.")
    assert await way(llm) == Name(first="Ann")
    assert emulator.journal.last.messages == SENT


@pytest.mark.parametrize("way", [at_once, asynchronously, streamed, streamed_asynchronously])
async def test_function_calling_refuses_a_class_that_contains_itself(build, emulator, way):
    with pytest.raises(SchemaError, match="Folder contains itself"):
        await way(build(pydantic_program_mode=PydanticProgramMode.FUNCTION), Folder)
    assert not emulator.journal


def test_an_answer_in_words_where_a_call_is_required_is_quoted_with_the_next_step(llm, emulator):
    emulator.answer(*[emulated.text("I cannot do that.")] * 2)
    with pytest.raises(ValueError, match="Expected at least one tool call") as caught:
        llm.predict_and_call([FunctionTool.from_defaults(keep)], "Hello")
    for words in ("I cannot do that.", "tool_required=True", "error_on_no_tool_call=False"):
        assert words in str(caught.value)
    assert llm.predict_and_call([FunctionTool.from_defaults(keep)], "Hello", error_on_no_tool_call=False).sources == []


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (
            Either,
            {
                "type": "object",
                "properties": {"first": {"type": "string"}, "width": {"type": "integer"}},
            },
        ),
        (Ages, {"type": "object", "additionalProperties": {"type": "integer"}}),
    ],
)
def test_a_tool_may_take_what_has_no_properties_at_its_root(llm, emulator, schema, sent):
    llm.chat_with_tools([FunctionTool.from_defaults(keep, fn_schema=schema)], "Hello")
    assert emulator.journal.last.body["tools"][0]["function"]["parameters"] == sent


@pytest.mark.parametrize("mode", ["default", "function", "llm"])
@pytest.mark.parametrize("way", [at_once, asynchronously, streamed, streamed_asynchronously])
@pytest.mark.parametrize("schema", [list[Name], {"type": "object"}, str])
async def test_an_output_class_that_is_none_is_refused_with_the_form_to_pass(build, emulator, way, schema, mode):
    with pytest.raises(SettingsError, match="BaseModel"):
        await way(build(pydantic_program_mode=mode), schema)
    assert not emulator.journal.chat


@pytest.mark.parametrize("mode", ["default", "function", "llm"])
async def test_a_prompt_that_is_no_template_is_refused_with_the_form_to_pass(build, emulator, mode):
    llm = build(pydantic_program_mode=mode)
    with pytest.raises(SettingsError, match="PromptTemplate"):
        llm.structured_predict(Name, "Name somebody.")
    with pytest.raises(SettingsError, match="PromptTemplate"):
        await llm.astructured_predict(Name, "Name somebody.")
    assert not emulator.journal.chat


def test_the_form_of_each_answer_may_be_a_class(build, emulator):
    llm = build(response_format=Name)
    assert Name.model_validate_json(llm.complete("Name somebody.").text)
    assert type(llm).from_json(llm.to_json()).response_format == llm.response_format
    with pytest.raises(SettingsError, match="response_format"):
        build(response_format=str)
