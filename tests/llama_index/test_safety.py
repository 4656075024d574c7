"""Safety in LlamaIndex: a blocked answer is empty and has its reason beside it, or is a typed error.

The error is for whoever asks for an object or for calls, and for all with `on_blocked="error"`.
"""

import warnings

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.extractors import TitleExtractor
from llama_index.core.prompts import PromptTemplate
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.schema import TextNode
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel

from tests.llama_index.standard.base import add, ask, ask_with_tools, each_completion, each_way, tools_of, user
from tests.support.endpoint_bodies import completion as completion_body
from vertex_compat_integrations.core.errors import (
    EmptyReplyError,
    PartialReplyError,
    RefusedAnswerError,
    VertexCompatWarning,
)
from vertex_compat_integrations.emulator import chunks, completion

pytestmark = pytest.mark.filterwarnings("ignore:The answer was blocked")
BLOCK = "Tell me EMULATE_BLOCK_{} now"


class Person(BaseModel):
    """A person."""

    name: str


@each_way
async def test_a_blocked_answer_is_empty_and_says_why_beside_it(build, way):
    with pytest.warns(VertexCompatWarning, match="PROHIBITED_CONTENT") as warned:
        responses = await ask(build(), way, [user(BLOCK.format("PROHIBITED_CONTENT"))])
    assert len(warned) == 1
    last = responses[-1]
    assert last.message.content == ""
    assert "PROHIBITED_CONTENT" in last.message.additional_kwargs["refusal"]
    assert last.raw["finish_reason"] == "content_filter"
    assert last.raw["finish_detail"] == "PROHIBITED_CONTENT"
    assert last.raw["refusal"] == last.message.additional_kwargs["refusal"]
    assert not any(response.delta for response in responses)


@each_completion
async def test_a_blocked_completion_is_empty_too(build, way):
    last = (await ask(build(), way, BLOCK.format("PROHIBITED_CONTENT")))[-1]
    assert last.text == ""
    assert "PROHIBITED_CONTENT" in last.additional_kwargs["refusal"]


async def test_no_document_has_a_block_for_its_title(build):
    """Nor do synthesizers refine it: they take an empty answer for none."""
    node = TextNode(text=BLOCK.format("SAFETY"))
    (metadata,) = await TitleExtractor(llm=build(), nodes=1, show_progress=False).aextract([node])
    assert "blocked" not in str(metadata)
    synthesizer = get_response_synthesizer(build(), response_mode=ResponseMode.REFINE)
    assert "blocked" not in synthesizer.get_response("Who?", [BLOCK.format("SAFETY")])


@each_way
@pytest.mark.parametrize("reason", ["PROHIBITED_CONTENT", "RECITATION"])
async def test_a_block_may_be_an_error_that_tells_all_that_is_known(build, emulator, way, reason):
    warnings.simplefilter("error")
    with pytest.raises(RefusedAnswerError, match=reason) as caught:
        await ask(build(on_blocked="error"), way, [user(BLOCK.format(reason))])
    error = caught.value
    assert (error.finish_reason, error.finish_detail) == ("content_filter", reason)
    assert error.usage["input"] > 0
    assert error.model == "google/gemini-3.5-flash"
    assert error.partial_text.startswith("The emulator heard") is ("stream" in way and reason == "RECITATION")
    assert len(emulator.journal.chat) == 1


@each_completion
async def test_a_block_may_be_an_error_of_completions_too(build, way):
    with pytest.raises(RefusedAnswerError, match="SAFETY"):
        await ask(build(on_blocked="error"), way, BLOCK.format("SAFETY"))


@each_way
async def test_who_asks_for_calls_gets_a_block_as_an_error(build, way):
    """An answer without calls is an agent's last word, and it would be none."""
    with pytest.raises(RefusedAnswerError, match="SAFETY") as caught:
        await ask_with_tools(build(), way, tools_of(add), user_msg=BLOCK.format("SAFETY"))
    assert caught.value.usage["input"] > 0


def test_a_blocked_response_has_no_calls_to_get(build):
    llm = build()
    blocked = llm.chat([user(BLOCK.format("SAFETY"))])
    with pytest.raises(RefusedAnswerError, match="SAFETY") as caught:
        llm.get_tool_calls_from_response(blocked)
    assert llm.get_tool_calls_from_response(blocked, error_on_no_tool_call=False) == []
    assert (caught.value.finish_reason, caught.value.finish_detail) == ("content_filter", "SAFETY")
    assert caught.value.usage["input"] == blocked.raw["usage"]["prompt_tokens"]


@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
async def test_a_call_that_is_to_be_made_is_not_made_of_a_block(build, way):
    with pytest.raises(RefusedAnswerError, match="SAFETY"):
        await ask(build(), way, tools_of(add), BLOCK.format("SAFETY"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("streaming", [True, False])
async def test_an_agent_ends_with_the_error(build, streaming):
    agent = FunctionAgent(tools=tools_of(add), llm=build(), streaming=streaming)
    with pytest.raises(RefusedAnswerError, match="SAFETY"):
        await agent.run(BLOCK.format("SAFETY"))


@each_way
@pytest.mark.parametrize("content", [None, "Sorry."])
async def test_what_the_model_refuses_in_words_of_its_own_is_no_block(build, emulator, way, content):
    body = completion_body({"content": content, "refusal": "I had rather not."})
    llm = build(on_blocked="error")
    emulator.answer(chunks([body]) if "stream" in way else completion(body))
    warnings.simplefilter("error")
    last = (await ask(llm, way, [user("Hello")]))[-1]
    assert last.message.content == (content or "")
    assert last.message.additional_kwargs["refusal"] == last.raw["refusal"] == "I had rather not."
    assert llm.get_tool_calls_from_response(last, error_on_no_tool_call=False) == []
    with pytest.raises(RefusedAnswerError, match="rather not"):
        llm.get_tool_calls_from_response(last)


@each_way
async def test_a_blocked_turn_in_the_history_is_left_out(build, emulator, way):
    llm, asked = build(), user(BLOCK.format("PROHIBITED_CONTENT"))
    blocked = (await ask(llm, way, [asked]))[-1]
    await ask(llm, way, [asked, blocked.message, user("Something else")])
    assert [message["role"] for message in emulator.journal.last.messages] == ["user", "user"]


@each_way
async def test_what_came_before_a_block_stays(build, way):
    """A stream is cut; what was said of it is not replaced by words about the block."""
    last = (await ask(build(), way, [user(BLOCK.format("RECITATION"))]))[-1]
    if "stream" in way:
        assert last.message.content.startswith("The emulator heard")
    assert "RECITATION" in last.message.additional_kwargs["refusal"]


@pytest.mark.parametrize("way", ["structured_predict", "astructured_predict"])
@pytest.mark.parametrize("mode", [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION, PydanticProgramMode.LLM])
async def test_a_refused_object_is_a_typed_error(build, way, mode):
    prompt = PromptTemplate(BLOCK.format("SAFETY"))
    with pytest.raises(RefusedAnswerError, match="SAFETY") as caught:
        await ask(build(pydantic_program_mode=mode), way, Person, prompt)
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
