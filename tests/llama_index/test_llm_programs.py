"""Structured answers by LlamaIndex's own programs, where `pydantic_program_mode` asks for them."""

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel

from vertex_compat_integrations import emulator as emulated

PROMPT = PromptTemplate("Name somebody, {style}, as {{first}}.")
SENT = [
    {"role": "system", "content": "Be exact."},
    {"role": "user", "content": "Name somebody, {as in a play}, as {{first}}."},
]


class Name(BaseModel):
    first: str


async def at_once(llm):
    return llm.structured_predict(Name, PROMPT, style="{as in a play}")


async def asynchronously(llm):
    return await llm.astructured_predict(Name, PROMPT, style="{as in a play}")


async def streamed(llm):
    return list(llm.stream_structured_predict(Name, PROMPT, style="{as in a play}"))[-1]


async def streamed_asynchronously(llm):
    answers = await llm.astream_structured_predict(Name, PROMPT, style="{as in a play}")
    return [answer async for answer in answers][-1]


@pytest.mark.parametrize("way", [at_once, asynchronously, streamed, streamed_asynchronously])
async def test_function_calling_sends_the_system_prompt_once(build, emulator, way):
    emulator.answer(emulated.tool_call("Name", {"first": "Ann"}))
    llm = build(pydantic_program_mode=PydanticProgramMode.FUNCTION, system_prompt="Be exact.")
    assert await way(llm) == Name(first="Ann")
    assert emulator.journal.last.messages == SENT
