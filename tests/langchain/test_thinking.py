"""Thinking in LangChain: one setting for every family; thoughts are reasoning blocks, no answer, and not sent back."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from tests.support.endpoint_bodies import completion as completion_body
from tests.support.endpoint_bodies import words
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, chunks, completion, text
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]

GEMINI = "google/gemini-3.5-flash"
R1 = "deepseek-ai/deepseek-r1-0528-maas"
V3_1 = "deepseek-ai/deepseek-v3.1-maas"
V3_2 = "deepseek-ai/deepseek-v3.2-maas"
GLM = "zai-org/glm-5.2-maas"
PLACES = {R1: "us-central1", V3_1: "us-west2"}
THOUGHTS = "The question: Why?\nThe answer needs a few words only."
ANSWER = 'The emulator heard "Why?". This is its answer, made offline.'

FAMILIES = pytest.mark.parametrize(
    ("model", "setting"),
    [
        (GEMINI, {"thinking": "low", "include_thoughts": True}),
        (R1, {}),
        (V3_1, {"thinking": "low"}),
        (V3_2, {"thinking": "low"}),
        (GLM, {}),
        ("openai/gpt-oss-120b-maas", {"thinking": "low"}),
        ("moonshotai/kimi-k2-thinking-maas", {}),
        ("minimaxai/minimax-m2-maas", {}),
        ("qwen/qwen3-next-80b-a3b-thinking-maas", {}),
    ],
)


def at_its_place(emulator: Emulator, model: str) -> dict[str, Any]:
    return {"base_url": emulator.base_url(location=PLACES.get(model, "global"))}


async def answered(model: ChatVertexCompat, way: str) -> AIMessage:
    match way:
        case "invoke":
            return model.invoke("Why?")
        case "ainvoke":
            return await model.ainvoke("Why?")
        case "stream":
            told = list(model.stream("Why?"))
        case _:
            told = [chunk async for chunk in model.astream("Why?")]
    whole = told[0]
    for chunk in told[1:]:
        whole += chunk
    return whole


def blocks(message: AIMessage) -> list[tuple[str, str]]:
    kept = [block for block in message.content_blocks if block.get("reasoning") or block.get("text")]
    return [(block["type"], (block.get("reasoning") or block.get("text", "")).rstrip("\n")) for block in kept]


@FAMILIES
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_thoughts_are_a_reasoning_block_before_the_answer(
    emulator: Emulator, chat: Build, model: str, setting: dict[str, Any], way: str
):
    message = await answered(chat(model, **setting, **at_its_place(emulator, model)), way)
    assert message.text == ANSWER
    assert blocks(message) == [("reasoning", THOUGHTS), ("text", ANSWER)]
    usage = message.usage_metadata
    assert 0 < usage["output_token_details"]["reasoning"] < usage["output_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@FAMILIES
def test_thoughts_come_in_pieces(emulator: Emulator, chat: Build, model: str, setting: dict[str, Any]):
    told = list(chat(model, **setting, **at_its_place(emulator, model)).stream("Why?"))
    pieces = [chunk.additional_kwargs.get("reasoning_content", "") for chunk in told]
    assert sum(bool(piece) for piece in pieces) > 2
    assert "".join(pieces).rstrip("\n") == THOUGHTS
    assert all(isinstance(chunk, AIMessageChunk) and "think" not in chunk.text for chunk in told)


def test_thoughts_are_blocks_in_the_v1_form_too(chat: Build):
    message = chat(GLM, output_version="v1").invoke("Why?")
    assert [block["type"] for block in message.content] == ["reasoning", "text"]


@pytest.mark.parametrize(
    ("model", "thinking", "sent"),
    [
        (V3_2, "high", {"chat_template_kwargs": {"thinking": True}}),
        (V3_2, False, {"chat_template_kwargs": {"thinking": False}}),
        (GLM, False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("openai/gpt-oss-120b-maas", "high", {"reasoning_effort": "high"}),
        (GEMINI, "high", {"reasoning_effort": "high"}),
        (GEMINI, False, {"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}),
        (GEMINI, "none", {"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}),
        (GLM, "none", {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)
def test_one_setting_is_said_in_each_familys_way(
    emulator: Emulator, chat: Build, model: str, thinking: Any, sent: dict[str, Any]
):
    """In the constructor, bound, or with a call."""
    chat(model, thinking=thinking).invoke("Why?")
    chat(model).bind(thinking=thinking).invoke("Why?")
    chat(model).invoke("Why?", thinking=thinking)
    assert len(emulator.journal.chat) == 3
    for entry in emulator.journal.chat:
        assert {key: entry.body[key] for key in entry.body if key not in ("model", "messages")} == sent


FOREIGN = [
    AIMessage("Because.", additional_kwargs={"reasoning_content": "SECRET"}),
    AIMessage([{"type": "thinking", "thinking": "SECRET", "signature": "s"}, {"type": "text", "text": "Because."}]),
    AIMessage([{"type": "redacted_thinking", "data": "SECRET"}, {"type": "text", "text": "Because."}]),
    AIMessage([{"type": "reasoning", "reasoning": "SECRET"}, {"type": "text", "text": "Because."}]),
    AIMessage(
        [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "SECRET"}]},
            {"type": "text", "text": "Because."},
        ],
        response_metadata={"model_provider": "openai"},
    ),
]


@pytest.mark.parametrize("message", FOREIGN, ids=["deepseek", "anthropic", "redacted", "langchain", "openai"])
@pytest.mark.parametrize("model", [GEMINI, GLM])
def test_thoughts_of_another_provider_are_not_sent(emulator: Emulator, chat: Build, message: AIMessage, model: str):
    chat(model).invoke([HumanMessage("Why?"), message, HumanMessage("Really?")])
    assert emulator.journal.last.messages[1] == {"role": "assistant", "content": "Because."}


@FAMILIES
def test_nor_are_the_models_own(emulator: Emulator, chat: Build, model: str, setting: dict[str, Any]):
    llm = chat(model, **setting, **at_its_place(emulator, model))
    llm.invoke([HumanMessage("Why?"), llm.invoke("Why?"), HumanMessage("Really?")])
    said = emulator.journal.last.messages[1]
    assert said["content"] == ANSWER
    assert not any("reasoning" in key for key in said)


def test_a_field_named_reasoning_is_thoughts_too(emulator: Emulator, chat: Build):
    """As vLLM's later versions call it."""
    deltas = [{"reasoning": "Let me "}, {"reasoning": "see."}, {"content": "So."}]
    emulator.answer(
        chunks(
            [{"choices": [{"delta": delta}]} for delta in deltas]
            + [{"choices": [{"finish_reason": "stop", "delta": {}}]}]
        )
    )
    told = list(chat(GLM).stream("Why?"))
    assert [chunk.additional_kwargs.get("reasoning_content") for chunk in told][:2] == ["Let me ", "see."]
    assert "".join(chunk.text for chunk in told) == "So."


def test_a_level_that_the_model_does_not_have_is_refused_before_sending(emulator: Emulator, chat: Build):
    with pytest.raises(SettingsError, match=r"google/gemini-3\.8-flash") as caught:
        chat("google/gemini-3.8-flash", thinking="minimal").invoke("Why?")
    assert isinstance(caught.value, ModelError)
    assert "low, medium, high" in caught.value.hint
    assert len(emulator.journal) == 0


def test_a_budget_of_zero_that_has_no_effect_is_told_once(emulator: Emulator, chat: Build):
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 9}}
    emulator.rule(text("So.", usage={**usage, "total_tokens": 11}))
    model = chat(thinking=False)
    with pytest.warns(VertexCompatWarning, match="thought though thinking is off"):
        model.invoke("Why?")
    model.invoke("Why?")


def test_the_profile_says_what_the_catalogue_says(chat: Build):
    assert chat("google/gemini-3.8-flash").profile["reasoning_effort_levels"] == ["low", "medium", "high"]
    assert chat("openai/gpt-oss-120b-maas").profile["tool_choice"] is False
    assert chat("google/gemini-3-pro-image").profile["tool_calling"] is False
    assert chat("google/gemini-2.5-flash").profile["status"] == "deprecated"
    assert "status" not in chat(GEMINI).profile
    llama = chat("meta/llama-4-maverick-17b-128e-instruct-maas").profile
    assert (llama["reasoning_output"], llama["image_inputs"], llama["max_input_tokens"]) == (False, True, 524_288)


LONE_END = ("Let me ", "see.", "</thi", "nk>\n\n", "It is ", "so.")
"""Thoughts that no tag opens, of a model of which that is not known, or whose thinking is off."""
NO_OPENING_TAG = pytest.warns(VertexCompatWarning, match="thoughts without an opening tag")


@pytest.mark.parametrize("model", [V3_1, R1, GLM])
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_closing_tag_alone_ends_thoughts_asked_for_or_not(emulator: Emulator, chat: Build, model, way):
    emulator.answer(completion(completion_body({"content": "".join(LONE_END)})))
    message = await answered(chat(model, **at_its_place(emulator, model)), way)
    assert message.content == "It is so."
    assert message.additional_kwargs["reasoning_content"] == "Let me see."


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_the_whole_message_tells_which_of_its_text_was_thoughts(emulator: Emulator, chat: Build, way):
    emulator.answer(chunks(words(*LONE_END)))
    model = chat(V3_1, **at_its_place(emulator, V3_1))
    with NO_OPENING_TAG:
        message = await answered(model, way)
    assert message.content == "Let me see.It is so."
    assert message.additional_kwargs["reasoning_content"] == "Let me see."
    assert message.response_metadata["thoughts_in_content"] == len("Let me see.")
    assert [(block["type"], block.get("text")) for block in message.content_blocks] == [
        ("reasoning", None),
        ("text", "It is so."),
    ]
    model.invoke([HumanMessage("Why?"), message, HumanMessage("Really?")])
    assert emulator.journal.last.messages[1] == {"role": "assistant", "content": "It is so."}


def test_the_text_behind_a_closing_tag_alone_is_streamed_as_answer_only(emulator: Emulator, chat: Build):
    emulator.answer(chunks(words(*LONE_END)))
    with NO_OPENING_TAG:
        told = list(chat(R1, **at_its_place(emulator, R1)).stream("Why?"))
    assert [chunk.content for chunk in told] == ["Let me ", "see.", "", "It is ", "so.", ""]
    assert told[2].additional_kwargs["reasoning_content"] == "Let me see."


def test_an_object_behind_thoughts_that_were_streamed_as_answer_is_read(emulator: Emulator, chat: Build):
    schema = {"title": "Sum", "type": "object", "properties": {"sum": {"type": "integer"}}}
    emulator.answer(chunks(words("Let me ", "see.</think>", '{"sum": ', "4}")))
    model = chat(GLM, streaming=True).with_structured_output(schema)
    with NO_OPENING_TAG:
        assert model.invoke("2 + 2?") == {"sum": 4}


@pytest.mark.parametrize("way", ["invoke", "stream"])
async def test_gemini_may_speak_of_tags(emulator: Emulator, chat: Build, way):
    spoken = "It ends here.</think>And goes on."
    emulator.answer(completion(completion_body({"content": spoken})) if way == "invoke" else chunks(words(spoken)))
    message = await answered(chat(GEMINI), way)
    assert message.content == spoken
    assert "reasoning_content" not in message.additional_kwargs
