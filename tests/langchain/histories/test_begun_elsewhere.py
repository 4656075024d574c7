"""Conversations that begin with one model go on with another: calls in them keep their ids, signatures stay home."""

import base64
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from tests.support.four_ways import ask, each_way
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.emulator import Emulator, call, tool_calls
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.messages.other_integrations import GEMINI_SIGNATURES_KEY
from vertex_compat_integrations.wire import SKIP_SIGNATURE

Build = Callable[..., ChatVertexCompat]
GEMINI, OLD, MAAS = "google/gemini-3.5-flash", "google/gemini-2.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"
SIGNATURE = base64.b64encode(b"a signature of Gemini's").decode()


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return city


def calls(*ids: str) -> list[dict[str, Any]]:
    return [{"type": "tool_call", "id": each, "name": "get_weather", "args": {"city": each}} for each in ids]


OPENAI = AIMessage(
    "",
    tool_calls=calls("call_AbC123", "call_dEf456"),
    additional_kwargs={"refusal": None},
    response_metadata={
        "model_provider": "openai",
        "model_name": "gpt-5.2",
        "finish_reason": "tool_calls",
        "logprobs": None,
    },
    id="run--1",
)
OPENAI_RESPONSES = AIMessage(
    [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "x",
        },
        {"type": "text", "text": "I look.", "annotations": [], "id": "msg_1"},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "get_weather",
            "arguments": '{"city":"call_1"}',
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    ],
    tool_calls=calls("call_1"),
    response_metadata={"model_provider": "openai", "model_name": "gpt-5.2"},
)
ANTHROPIC = AIMessage(
    [
        {"type": "thinking", "thinking": "Let me see.", "signature": "anthropic-signature"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_01A", "name": "get_weather", "input": {"city": "toolu_01A"}},
        {"type": "tool_use", "id": "toolu_01B", "name": "get_weather", "input": {"city": "toolu_01B"}},
    ],
    tool_calls=calls("toolu_01A", "toolu_01B"),
    response_metadata={"model_provider": "anthropic", "model_name": "claude-opus-4", "stop_reason": "tool_use"},
)
GEMINI_NATIVE = AIMessage(
    [{"type": "thinking", "thinking": "Let me see.", "signature": SIGNATURE}],
    tool_calls=calls("9f6c-1", "9f6c-2"),
    additional_kwargs={
        "function_call": {"name": "get_weather", "arguments": '{"city": "9f6c-2"}'},
        GEMINI_SIGNATURES_KEY: {"9f6c-1": SIGNATURE},
    },
    response_metadata={"model_provider": "google_genai", "model_name": "gemini-3.5-flash", "safety_ratings": []},
)
VERTEX_NATIVE = AIMessage(
    "",
    tool_calls=calls("a1b2"),
    additional_kwargs={GEMINI_SIGNATURES_KEY: {"a1b2": base64.b64decode(SIGNATURE)}},
    response_metadata={"model_provider": "google_vertexai", "is_blocked": False, "model_name": "gemini-3.5-flash"},
)
OPENAI_TO_GEMINI = AIMessage(
    "",
    additional_kwargs={
        "tool_calls": [
            {
                "id": "function-call-1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "function-call-1"}'},
                "extra_content": {"google": {"thought_signature": SIGNATURE}},
            }
        ]
    },
)
MAAS_MODEL = AIMessage(
    "",
    tool_calls=calls("get_weather", "get_weather-2"),
    additional_kwargs={"reasoning_content": "The user wants the weather."},
    response_metadata={"model_provider": "vertex_compat", "model_name": "deepseek-ai/deepseek-v3.2-maas"},
)
FOREIGN = {
    "OpenAI": OPENAI,
    "OpenAI, Responses API": OPENAI_RESPONSES,
    "Anthropic": ANTHROPIC,
    "ChatGoogleGenerativeAI": GEMINI_NATIVE,
    "ChatVertexAI": VERTEX_NATIVE,
    "ChatOpenAI with extra_content": OPENAI_TO_GEMINI,
    "a MaaS model": MAAS_MODEL,
}
SIGNED = ("ChatGoogleGenerativeAI", "ChatVertexAI", "ChatOpenAI with extra_content")


def history(message: AIMessage) -> list[BaseMessage]:
    results = [ToolMessage("sunny", tool_call_id=each["id"]) for each in message.tool_calls]
    return [SystemMessage("Be kind."), HumanMessage("The weather?"), message, *results]


def sent_calls(emulator: Emulator) -> list[dict[str, Any]]:
    return [each for message in emulator.journal.last.messages for each in message.get("tool_calls", ())]


@each_way
@pytest.mark.parametrize("model", [GEMINI, OLD, MAAS])
@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_conversation_that_began_elsewhere_goes_on_here(emulator: Emulator, chat: Build, way, model, origin):
    emulator.accept_signature(SIGNATURE)
    message = FOREIGN[origin]
    await ask(chat(model).bind_tools([get_weather]), way, history(message))
    sent = sent_calls(emulator)
    assert [each["id"] for each in sent] == [each["id"] for each in message.tool_calls]
    assert all(each["id"] in each["function"]["arguments"] for each in sent) or origin == "a MaaS model"
    results = [each for each in emulator.journal.last.messages if each["role"] == "tool"]
    assert [each["tool_call_id"] for each in results] == [each["id"] for each in sent]
    said = str(emulator.journal.last.messages)
    assert "Let me see" not in said
    assert "anthropic-signature" not in said
    assert "The user wants" not in said


@pytest.mark.parametrize("origin", FOREIGN)
def test_signatures_of_gemini_come_along_and_others_get_the_skip_value(emulator: Emulator, chat: Build, origin):
    emulator.accept_signature(SIGNATURE)
    chat(GEMINI).bind_tools([get_weather]).invoke(history(FOREIGN[origin]))
    first, *rest = sent_calls(emulator)
    expected = SIGNATURE if origin in SIGNED else SKIP_SIGNATURE
    assert first["extra_content"] == {"google": {"thought_signature": expected}}
    assert all("extra_content" not in each for each in rest)


@pytest.mark.parametrize("origin", SIGNED)
@pytest.mark.parametrize("model", [MAAS, "google/gemma-4-26b-a4b-it-maas"])
def test_a_signature_of_gemini_is_not_sent_to_another_publishers_model(emulator: Emulator, chat: Build, model, origin):
    chat(model).bind_tools([get_weather]).invoke(history(FOREIGN[origin]))
    assert "thought_signature" not in str(emulator.journal.last.messages)


def test_a_signature_that_the_service_does_not_know_is_replaced_once(emulator: Emulator, chat: Build):
    """AI Studio's signatures, for one, are not Vertex AI's."""
    strange = base64.b64encode(b"from elsewhere").decode()
    message = GEMINI_NATIVE.model_copy(update={"additional_kwargs": {GEMINI_SIGNATURES_KEY: {"9f6c-1": strange}}})
    answer = chat(GEMINI).bind_tools([get_weather]).invoke(history(message))
    assert answer.text
    assert [entry.status for entry in emulator.journal.chat] == [400, 200]
    assert sent_calls(emulator)[0]["extra_content"]["google"]["thought_signature"] == SKIP_SIGNATURE


STRANGE = base64.b64encode(b"from elsewhere").decode()


@pytest.mark.parametrize(
    "earlier",
    [
        history(GEMINI_NATIVE.model_copy(update={"additional_kwargs": {GEMINI_SIGNATURES_KEY: {"9f6c-1": STRANGE}}})),
        [HumanMessage("Hi"), AIMessage([{"type": "text", "text": "Hello!", "extras": {"signature": STRANGE}}])],
    ],
    ids=["a call of an earlier turn", "a text"],
)
def test_a_strange_signature_that_none_demands_is_left_out_once_refused(emulator: Emulator, chat: Build, earlier):
    model = chat(GEMINI).bind_tools([get_weather])
    assert model.invoke([*earlier, HumanMessage("And in Rome?")]).text
    assert [entry.status for entry in emulator.journal.chat] == [400, 200]
    assert "thought_signature" not in str(emulator.journal.last.messages)


def test_a_text_signature_of_a_gemini_integration_comes_along(emulator: Emulator, chat: Build):
    emulator.accept_signature(SIGNATURE)
    said = AIMessage(
        [{"type": "text", "text": "Hello!", "extras": {"signature": SIGNATURE}}],
        response_metadata={"model_provider": "google_genai"},
    )
    chat(GEMINI).invoke([HumanMessage("Hi"), said, HumanMessage("And?")])
    sent = emulator.journal.last.messages[1]
    assert sent["content"] == "Hello!"
    assert sent["extra_content"] == {"google": {"thought_signature": SIGNATURE}}


@each_way
@pytest.mark.parametrize("output_version", ["v0", "v1"])
async def test_a_conversation_that_changes_models_and_comes_back_keeps_its_signatures(
    emulator: Emulator, chat: Build, way, output_version
):
    """Gemini calls, an open model answers, Gemini goes on: its own signature is back in its place, byte for byte."""
    emulator.answer(tool_calls([call("get_weather", {"city": "Bern"}), call("get_weather", {"city": "Rome"})]))
    gemini = chat(GEMINI, output_version=output_version).bind_tools([get_weather])
    start = [HumanMessage("The weather in Bern and Rome?")]
    called = pickle.loads(pickle.dumps(await ask(gemini, way, start)))
    results = [ToolMessage("sunny", tool_call_id=each["id"]) for each in called.tool_calls]
    other = chat(MAAS, output_version=output_version).bind_tools([get_weather])
    answered = await ask(other, way, [*start, called, *results])
    assert "thought_signature" not in str(emulator.journal.last.messages)
    open_calls = sent_calls(emulator)
    await ask(gemini, way, [*start, called, *results, answered, HumanMessage("Thanks.")])
    back = sent_calls(emulator)
    assert (
        [each["id"] for each in back]
        == [each["id"] for each in open_calls]
        == [each["id"] for each in called.tool_calls]
    )
    assert back[0]["extra_content"]["google"]["thought_signature"] != SKIP_SIGNATURE
    assert emulator.journal.last.status == 200


def test_what_is_written_here_has_no_second_copy_of_a_signature(emulator: Emulator, chat: Build):
    """ChatGoogleGenerativeAI sends the skip value itself where it finds no signature of its own."""
    emulator.answer(tool_calls([call("get_weather", {"city": "Bern"})]))
    message = chat(GEMINI).bind_tools([get_weather]).invoke("The weather in Bern?")
    assert GEMINI_SIGNATURES_KEY not in message.additional_kwargs
    signature = message.additional_kwargs["vertex_compat"]["tool_calls"][message.tool_calls[0]["id"]]["google"]
    assert message.model_dump_json().count(signature["thought_signature"]) == 1


def test_a_history_of_functions_goes_on_as_calls_and_results(emulator: Emulator, chat: Build):
    from langchain_core.messages import FunctionMessage

    function = {"name": "get_weather", "arguments": '{"city": "Bern"}'}
    asked = AIMessage("", additional_kwargs={"function_call": function})
    told = FunctionMessage("sunny", name="get_weather")
    chat(GEMINI).bind_tools([get_weather]).invoke([HumanMessage("The weather?"), asked, told])
    _, sent, result = emulator.journal.last.messages
    assert sent["tool_calls"][0]["function"] == function
    assert result["tool_call_id"] == sent["tool_calls"][0]["id"]
    assert emulator.journal.last.status == 200


def test_anthropics_blocks_alone_are_calls(emulator: Emulator, chat: Build):
    """Messages that were read from Anthropic's own API have no `tool_calls`."""
    use = {"type": "tool_use", "id": "a", "name": "get_weather", "input": {"city": "Bern"}}
    history = [HumanMessage("The weather?"), AIMessage([use]), ToolMessage("sunny", tool_call_id="a")]
    chat(GEMINI).bind_tools([get_weather]).invoke(history)
    _, sent, result = emulator.journal.last.messages
    assert sent["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city":"Bern"}'}
    assert result["tool_call_id"] == sent["tool_calls"][0]["id"] == "a"


def test_a_result_among_the_users_words_is_refused_with_the_message_to_send(chat: Build):
    told = {"type": "tool_result", "tool_use_id": "a", "content": "sunny"}
    with pytest.raises(UnsupportedContentError, match=r"ToolMessage\('sunny', tool_call_id='a'\)"):
        chat(GEMINI).invoke([HumanMessage([told])])
