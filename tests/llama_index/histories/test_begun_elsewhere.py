"""Conversations that other LlamaIndex integrations began go on here: calls keep their ids, signatures stay home."""

import base64

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ThinkingBlock, ToolCallBlock
from openai.types.chat import ChatCompletionMessageToolCall

from tests.llama_index.standard.base import ask, each_way, tools_of, user, weather
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.wire import SKIP_SIGNATURE

GEMINI, OLD, MAAS = "google/gemini-3.5-flash", "google/gemini-2.5-flash", "qwen/qwen3-coder-480b-a35b-instruct-maas"
SIGNATURE = base64.b64encode(b"a signature of Gemini's").decode()
SIGNED = {"google": {"thought_signature": SIGNATURE}}


def assistant(*blocks, **kwargs):
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=list(blocks), additional_kwargs=kwargs)


def block(call_id):
    return ToolCallBlock(tool_call_id=call_id, tool_name="weather", tool_kwargs={"city": call_id})


def raw(call_id, **more):
    function = {"name": "weather", "arguments": f'{{"city": "{call_id}"}}'}
    return {"id": call_id, "type": "function", "function": function, **more}


FOREIGN = {
    "OpenAI": assistant(
        block("call_A"),
        block("call_B"),
        tool_calls=[ChatCompletionMessageToolCall(**raw(each)) for each in ("call_A", "call_B")],
    ),
    "OpenAILike before Gemini": assistant(
        block("function-call-1"),
        tool_calls=[ChatCompletionMessageToolCall(**raw("function-call-1", extra_content=SIGNED))],
    ),
    "Anthropic": assistant(
        ThinkingBlock(content="Let me see.", additional_information={"signature": "anthropic-signature"}),
        TextBlock(text="I look."),
        block("toolu_1"),
        block("toolu_2"),
        tool_calls=[{"id": "toolu_1", "name": "weather", "input": {"city": "toolu_1"}, "type": "tool_use"}],
    ),
    "Anthropic, older": assistant(
        TextBlock(text="I look."),
        tool_calls=[{"id": "toolu_9", "name": "weather", "input": {"city": "toolu_9"}, "type": "tool_use"}],
    ),
    "BedrockConverse, older": assistant(
        TextBlock(text="I look."),
        tool_calls=[{"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "tooluse_1"}}],
        tool_call_id=[],
        status=[],
    ),
    "BedrockConverse, streamed": assistant(
        tool_calls=[{"toolUseId": "tooluse_2", "name": "weather", "input": '{"city": "tooluse_2"}'}],
        tool_call_id=[],
        status=[],
    ),
    "GoogleGenAI": assistant(
        ThinkingBlock(content="Let me see.", additional_information={"thought_signature": None}),
        block("g1"),
        block("g2"),
        thought_signatures=[None, base64.b64decode(SIGNATURE), None],
    ),
    "a MaaS model": assistant(ThinkingBlock(content="Let me see."), block("weather"), block("weather-2")),
}
IDS = {
    "OpenAI": ["call_A", "call_B"],
    "OpenAILike before Gemini": ["function-call-1"],
    "Anthropic": ["toolu_1", "toolu_2"],
    "Anthropic, older": ["toolu_9"],
    "BedrockConverse, older": ["tooluse_1"],
    "BedrockConverse, streamed": ["tooluse_2"],
    "GoogleGenAI": ["g1", "g2"],
    "a MaaS model": ["weather", "weather-2"],
}
WITH_SIGNATURE = ("OpenAILike before Gemini", "GoogleGenAI")


def history(origin):
    results = [
        ChatMessage(role=MessageRole.TOOL, content="sunny", additional_kwargs={"tool_call_id": call_id})
        for call_id in IDS[origin]
    ]
    return [user("The weather?"), FOREIGN[origin], *results]


def sent_calls(emulator):
    return [each for message in emulator.journal.last.messages for each in message.get("tool_calls", ())]


@each_way
@pytest.mark.parametrize("model", [GEMINI, OLD, MAAS])
@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_conversation_that_began_elsewhere_goes_on_here(build, emulator, way, model, origin):
    emulator.accept_signature(SIGNATURE)
    last = (await ask(build(model), way, history(origin), tools=tools_of(weather)))[-1]
    assert last.message.content
    sent = sent_calls(emulator)
    assert [each["id"] for each in sent] == IDS[origin]
    assert [each["function"]["arguments"].replace(" ", "") for each in sent] == [
        f'{{"city":"{id_}"}}' for id_ in IDS[origin]
    ]
    said = str(emulator.journal.last.messages)
    assert "Let me see" not in said
    assert "anthropic-signature" not in said
    assert ("thought_signature" in said) == (model == GEMINI or (model == OLD and origin in WITH_SIGNATURE))


@pytest.mark.parametrize("origin", FOREIGN)
def test_signatures_of_gemini_come_along_and_others_get_the_skip_value(build, emulator, origin):
    emulator.accept_signature(SIGNATURE)
    build(GEMINI).chat(history(origin), tools=tools_of(weather))
    first, *rest = sent_calls(emulator)
    expected = SIGNATURE if origin in WITH_SIGNATURE else SKIP_SIGNATURE
    assert first["extra_content"] == {"google": {"thought_signature": expected}}
    assert all("extra_content" not in each for each in rest)


def test_signatures_by_position_are_not_guessed_at(build, emulator):
    """Of several, the list does not say which is whose."""
    message = assistant(block("g1"), block("g2"), thought_signatures=["one", "two"])
    results = history("GoogleGenAI")[2:]
    build(GEMINI).chat([user("The weather?"), message, *results], tools=tools_of(weather))
    assert sent_calls(emulator)[0]["extra_content"]["google"]["thought_signature"] == SKIP_SIGNATURE


def test_an_answers_signature_comes_along(build, emulator):
    emulator.accept_signature(SIGNATURE)
    said = assistant(TextBlock(text="Hello!"), thought_signatures=[SIGNATURE])
    build(GEMINI).chat([user("Hi"), said, user("And?")])
    assert emulator.journal.last.messages[1]["extra_content"] == SIGNED


@each_way
async def test_a_history_of_functions_goes_on_as_calls_and_results(build, emulator, way):
    function = {"name": "weather", "arguments": '{"city": "Bern"}'}
    told = ChatMessage(role=MessageRole.FUNCTION, content="sunny", additional_kwargs={"name": "weather"})
    await ask(build(GEMINI), way, [user("The weather?"), assistant(function_call=function), told])
    _, sent, result = emulator.journal.last.messages
    assert sent["tool_calls"][0]["function"] == function
    assert result["tool_call_id"] == sent["tool_calls"][0]["id"]
    assert emulator.journal.last.status == 200


def nameless(name, number):
    return ToolCallBlock(tool_name=name, tool_kwargs={"number": number})


def result(text, call_id):
    return ChatMessage(role=MessageRole.TOOL, content=text, additional_kwargs={"tool_call_id": call_id})


def pairs_sent(emulator):
    """For each call of the history its arguments and its result, as they were paired on the wire."""
    _, called, *results = emulator.journal.last.messages
    calls = called["tool_calls"]
    assert [each["tool_call_id"] for each in results] == [each["id"] for each in calls]
    arguments = [each["function"]["arguments"].replace(" ", "") for each in calls]
    return list(zip(arguments, (each["content"] for each in results), strict=True))


@each_way
async def test_calls_without_ids_are_paired_by_name_as_ollama_has_them(build, emulator, way):
    called = assistant(nameless("weather", 1), nameless("my time", 2))
    results = [result("noon", "my time"), result("sunny", "weather")]
    await ask(build(GEMINI), way, [user("The weather, and the time?"), called, *results])
    assert pairs_sent(emulator) == [('{"number":1}', "sunny"), ('{"number":2}', "noon")]


def test_calls_of_one_name_without_ids_are_paired_by_order(build, emulator):
    raw_calls = [{"function": {"name": "weather", "arguments": {"number": number}}} for number in (1, 2)]
    for called in (assistant(nameless("weather", 1), nameless("weather", 2)), assistant(tool_calls=raw_calls)):
        build(GEMINI).chat([user("Both?"), called, result("sunny", "weather"), result("rainy", "weather")])
        assert pairs_sent(emulator) == [('{"number":1}', "sunny"), ('{"number":2}', "rainy")]


@pytest.mark.parametrize("call_id", ["", None])
def test_results_without_ids_are_paired_by_order(build, emulator, call_id):
    called = assistant(nameless("weather", 1), nameless("weather", 2), nameless("now", 3))
    results = [result("sunny", call_id), result("rainy", call_id), result("noon", call_id)]
    build(GEMINI).chat([user("All?"), called, *results])
    assert pairs_sent(emulator) == [('{"number":1}', "sunny"), ('{"number":2}', "rainy"), ('{"number":3}', "noon")]


@each_way
async def test_deprecated_functions_call_like_tools(build, emulator, way):
    function = {"name": "now", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}
    with pytest.warns(VertexCompatWarning, match="functions"):
        responses = await ask(build(), way, [user("Hello")], functions=[function], function_call={"name": "now"})
    assert emulator.journal.last.body["tool_choice"] == {"type": "function", "function": {"name": "now"}}
    assert [each.tool_name for each in responses[-1].message.blocks if isinstance(each, ToolCallBlock)] == ["now"]


def test_extra_part_of_a_message_is_sent_as_extra_content_with_a_word_about_it(build, emulator):
    message = ChatMessage(role="user", content="Hm.", additional_kwargs={"extra_part": {"thought": True}})
    with pytest.warns(VertexCompatWarning, match="extra_part"):
        build().chat([message])
    assert emulator.journal.last.messages[0]["extra_content"] == {"google": {"thought": True}}
