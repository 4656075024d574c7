"""Safety: what a filter or the model refuses is a refusal that LangChain understands, never an empty surprise."""

import pickle
import warnings
from collections.abc import Callable

import pytest
from langchain_core import exceptions
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from tests.support.endpoint_bodies import completion as completion_body
from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.core import errors as core
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, chunks, completion
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.errors import (
    ModelRefusalError,
    OwnModelRefusalError,
    RefusedAnswerError,
    to_model_error,
)

Build = Callable[..., ChatVertexCompat]
pytestmark = pytest.mark.filterwarnings("ignore:The answer was blocked")


class Person(BaseModel):
    """A person."""

    name: str


def refusals(message) -> list[dict]:
    return [block for block in message.content_blocks if block["type"] == "refusal"]


@each_way
@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("reason", ["PROHIBITED_CONTENT", "SAFETY", "RECITATION"])
async def test_a_block_is_a_refusal_block_that_names_the_reason(
    emulator: Emulator, chat: Build, way, output_version, reason
):
    with pytest.warns(VertexCompatWarning, match=reason) as warned:
        message = await ask(chat(output_version=output_version), way, f"Tell me EMULATE_BLOCK_{reason} now")
    assert len(warned) == 1
    assert isinstance(message, AIMessage)
    (block,) = refusals(message)
    assert reason in block["refusal"]
    assert block["extras"] == {"category": reason}
    assert message.response_metadata["finish_reason"] == "content_filter"
    assert message.response_metadata["finish_detail"] == reason
    assert message.additional_kwargs["refusal"] == block["refusal"]


@each_way
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_a_refused_structured_answer_is_a_model_refusal_error(emulator: Emulator, chat: Build, way, method):
    model = chat().with_structured_output(Person, method=method)
    with pytest.raises(ModelRefusalError, match="PROHIBITED_CONTENT") as caught:
        await ask(model, way, "EMULATE_BLOCK_PROHIBITED_CONTENT")
    error = caught.value
    assert isinstance(error, RefusedAnswerError)
    assert isinstance(error, core.PartialReplyError)
    assert error.finish_detail == "PROHIBITED_CONTENT"
    assert error.raw_message.additional_kwargs["refusal"] == error.message
    assert (error.finish_reason, error.usage["input"] > 0) == ("content_filter", True)
    assert not error.is_retryable


@each_way
@pytest.mark.parametrize("reason", ["PROHIBITED_CONTENT", "RECITATION"])
async def test_a_block_may_be_an_error_that_tells_all_that_is_known(emulator: Emulator, chat: Build, way, reason):
    warnings.simplefilter("error")
    with pytest.raises(ModelRefusalError, match=reason) as caught:
        await ask(chat(on_blocked="error"), way, f"Tell me EMULATE_BLOCK_{reason} now")
    error = caught.value
    assert isinstance(error, RefusedAnswerError)
    assert (error.finish_reason, error.finish_detail) == ("content_filter", reason)
    assert error.usage["input"] > 0
    assert error.model == "google/gemini-3.5-flash"
    assert error.raw_message.additional_kwargs["refusal"] == error.message
    assert ("The emulator heard" in error.partial_text) is ("stream" in way and reason == "RECITATION")
    assert len(emulator.journal.chat) == 1
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.usage, again.finish_detail) == (error.message, error.usage, reason)


@each_way
async def test_a_block_without_counts_is_an_error_without_counts(emulator: Emulator, chat: Build, way):
    bare = {"choices": [BLOCKED]}
    emulator.answer(chunks([bare]) if "stream" in way else completion(bare))
    with pytest.raises(RefusedAnswerError, match="OTHER") as caught:
        await ask(chat(on_blocked="error"), way, "Hello")
    assert (caught.value.usage, caught.value.partial_text) == (None, "")


@each_way
@pytest.mark.parametrize("content", [None, "Sorry."])
async def test_what_the_model_refuses_in_words_of_its_own_is_no_block(emulator: Emulator, chat: Build, way, content):
    body = completion_body({"content": content, "refusal": "I had rather not."})
    emulator.answer(chunks([body]) if "stream" in way else completion(body))
    warnings.simplefilter("error")
    message = await ask(chat(on_blocked="error"), way, "Hello")
    assert message.text == (content or "")
    assert message.additional_kwargs["refusal"] == "I had rather not."
    assert message.response_metadata["finish_reason"] == "stop"


def test_the_error_is_langchains_own_where_langchain_has_one():
    """langchain-core 1.7.5 and later have `ModelRefusalError`; before, ours has the same attributes."""
    theirs = getattr(exceptions, "ModelRefusalError", None)
    assert ModelRefusalError is (theirs or OwnModelRefusalError)
    for kind in (ModelRefusalError, OwnModelRefusalError):
        assert issubclass(kind, ModelError)
        assert kind("No.").raw_message is None
    error = to_model_error(core.RefusedAnswerError("No."))
    assert isinstance(error, ModelRefusalError)
    assert error.raw_message is None
    assert pickle.loads(pickle.dumps(error)).message == "No."


def test_include_raw_gives_the_refusal_as_parsing_error(emulator: Emulator, chat: Build):
    answer = chat().with_structured_output(Person, include_raw=True).invoke("EMULATE_BLOCK_SAFETY")
    assert answer["parsed"] is None
    assert isinstance(answer["parsing_error"], RefusedAnswerError)
    assert refusals(answer["raw"])


@each_way
async def test_a_refusal_of_llama_guard_is_one_too(emulator: Emulator, chat: Build, way):
    location = emulator.base_url(location="us-east5")
    model = chat("meta/llama-4-scout-17b-16e-instruct-maas", base_url=location)
    message = await ask(model, way, "How is a bomb made?")
    (block,) = refusals(message)
    assert "Llama Guard" in block["refusal"]
    assert "bomb" not in message.text
    off = chat("meta/llama-4-scout-17b-16e-instruct-maas", base_url=location, model_safety_settings=False)
    assert not refusals(await ask(off, way, "How is a bomb made?"))


@each_way
async def test_safety_settings_reach_the_filter(emulator: Emulator, chat: Build, way):
    settings = {"HARM_CATEGORY_DANGEROUS_CONTENT": "OFF"}
    message = await ask(chat(safety_settings=settings), way, "EMULATE_BLOCK_SAFETY")
    assert not refusals(message)
    sent = emulator.journal.last.body["extra_body"]["google"]["safety_settings"]
    assert sent == [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "OFF"}]


@pytest.mark.parametrize(
    "settings",
    [
        {"HARM_CATEGORY_RUDE": "OFF"},
        {"HARM_CATEGORY_HARASSMENT": "NEVER"},
        [{"category": "HARM_CATEGORY_RUDE", "threshold": "OFF"}],
        [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "NEVER"}],
        [{"category": "HARM_CATEGORY_HARASSMENT"}],
    ],
    ids=str,
)
def test_unknown_categories_and_thresholds_are_refused_by_the_constructor(chat: Build, settings):
    with pytest.raises(ValueError, match="safety_settings"):
        chat(safety_settings=settings)


@each_way
async def test_a_refused_turn_in_the_history_is_left_out(emulator: Emulator, chat: Build, way):
    model, asked = chat(), HumanMessage("EMULATE_BLOCK_PROHIBITED_CONTENT")
    refused = await ask(model, way, [asked])
    await ask(model, way, [asked, refused, HumanMessage("Something else")])
    assert [message["role"] for message in emulator.journal.last.messages] == ["user", "user"]


BLOCKED = {"finish_reason": "content_filter: OTHER", "index": 0}


@pytest.mark.parametrize("body", [{"choices": [BLOCKED]}, {"choices": [{**BLOCKED, "message": None}]}], ids=str)
def test_a_choice_without_a_message_breaks_nothing(emulator: Emulator, chat: Build, body):
    emulator.answer(completion(body))
    assert "OTHER" in refusals(chat().invoke("Hello"))[0]["refusal"]


def test_what_came_before_a_block_in_a_stream_stays(emulator: Emulator, chat: Build):
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Once upon "}}]}
    emulator.answer(chunks([first, {"choices": [{"index": 0, "finish_reason": "content_filter: RECITATION"}]}]))
    parts = list(chat().stream("Hello"))
    whole = parts[0] + parts[1] if len(parts) == 2 else None
    assert whole is not None
    assert whole.text == "Once upon "
    assert "RECITATION" in refusals(whole)[0]["refusal"]


@each_way
async def test_a_malformed_call_is_tried_again_once_and_then_told(emulator: Emulator, chat: Build, way):
    emulator.variant(finish="compound:MALFORMED_FUNCTION_CALL")
    with pytest.raises(ModelError, match="MALFORMED_FUNCTION_CALL"):
        await ask(chat(max_retries=2), way, "Hello")
    assert len(emulator.journal.chat) == 2
    with pytest.raises(ModelError, match="MALFORMED_FUNCTION_CALL"):
        await ask(chat(max_retries=0), way, "Hello")
    assert len(emulator.journal.chat) == 3
