"""Safety in LlamaIndex: a refusal is told in words, and is a typed error where an object was asked for."""

import pytest
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel

from tests.llama_index.standard.base import ask, each_way, user
from vertex_compat_integrations.core.errors import EmptyReplyError, PartialReplyError, RefusedAnswerError

BLOCK = "Tell me EMULATE_BLOCK_{} now"


class Person(BaseModel):
    """A person."""

    name: str


@each_way
async def test_a_blocked_prompt_is_told_in_words(build, way):
    responses = await ask(build(), way, [user(BLOCK.format("PROHIBITED_CONTENT"))])
    last = responses[-1]
    assert "PROHIBITED_CONTENT" in last.message.content
    assert last.raw["finish_reason"] == "content_filter"
    assert last.raw["finish_detail"] == "PROHIBITED_CONTENT"
    assert last.raw["refusal"] == last.message.additional_kwargs["refusal"]
    if "stream" in way:
        assert "".join(response.delta for response in responses) == last.message.content


@each_way
async def test_what_came_before_a_block_stays(build, way):
    """A stream is cut; what was said of it is not replaced by words about the block."""
    last = (await ask(build(), way, [user(BLOCK.format("RECITATION"))]))[-1]
    if "stream" in way:
        assert last.message.content.startswith("The emulator heard")
    assert "RECITATION" in last.message.additional_kwargs["refusal"]


@pytest.mark.parametrize("way", ["structured_predict", "astructured_predict"])
async def test_a_refused_object_is_a_typed_error(build, way):
    prompt = PromptTemplate(BLOCK.format("SAFETY"))
    with pytest.raises(RefusedAnswerError, match="SAFETY") as caught:
        await ask(build(), way, Person, prompt)
    assert isinstance(caught.value, PartialReplyError)
    assert caught.value.finish_detail == "SAFETY"
    assert caught.value.partial_text == ""
    assert not caught.value.is_retryable


def test_a_refused_object_is_a_typed_error_in_streams_too(build):
    with pytest.raises(RefusedAnswerError, match="PROHIBITED_CONTENT"):
        list(build().stream_structured_predict(Person, PromptTemplate(BLOCK.format("PROHIBITED_CONTENT"))))


async def test_a_refused_object_is_a_typed_error_in_asynchronous_streams_too(build):
    answers = await build().astream_structured_predict(Person, PromptTemplate(BLOCK.format("PROHIBITED_CONTENT")))
    with pytest.raises(RefusedAnswerError, match="PROHIBITED_CONTENT"):
        [answer async for answer in answers]


@each_way
async def test_safety_settings_reach_the_filter(build, emulator, way):
    llm = build(safety_settings={"HARM_CATEGORY_DANGEROUS_CONTENT": "BLOCK_NONE"})
    last = (await ask(llm, way, [user(BLOCK.format("SAFETY"))]))[-1]
    assert last.message.content.startswith("The emulator heard")
    sent = emulator.journal.last.body["extra_body"]["google"]["safety_settings"]
    assert sent == [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_NONE"}]


@pytest.mark.parametrize(
    "settings",
    [
        {"HARM_CATEGORY_RUDE": "OFF"},
        [{"category": "HARM_CATEGORY_RUDE", "threshold": "OFF"}],
        [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "NEVER"}],
    ],
    ids=str,
)
def test_unknown_categories_and_thresholds_are_refused_by_the_constructor(build, settings):
    with pytest.raises(ValueError, match="safety_settings"):
        build(safety_settings=settings)


@each_way
async def test_a_malformed_call_is_tried_again_once_and_then_told(build, emulator, way):
    emulator.variant(finish="compound:MALFORMED_FUNCTION_CALL")
    with pytest.raises(EmptyReplyError, match="MALFORMED_FUNCTION_CALL"):
        await ask(build(max_retries=2), way, [user("Hello")])
    assert len(emulator.journal.chat) == 2
    with pytest.raises(EmptyReplyError, match="MALFORMED_FUNCTION_CALL"):
        await ask(build(max_retries=0), way, [user("Hello")])
    assert len(emulator.journal.chat) == 3
