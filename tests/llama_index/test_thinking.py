"""Thinking in LlamaIndex: one setting for every family; thoughts are ThinkingBlocks, no answer, and not sent back."""

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, TextBlock, ThinkingBlock

from tests.llama_index.standard.base import ask, each_stream
from tests.support.endpoint_bodies import completion as completion_body
from tests.support.endpoint_bodies import words
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.emulator import Emulator, chunks, completion, text
from vertex_compat_integrations.llama_index import VertexCompat

Build = Callable[..., VertexCompat]

GEMINI = "google/gemini-3.5-flash"
R1 = "deepseek-ai/deepseek-r1-0528-maas"
V3_1 = "deepseek-ai/deepseek-v3.1-maas"
V3_2 = "deepseek-ai/deepseek-v3.2-maas"
GLM = "zai-org/glm-5.2-maas"
PLACES = {R1: "us-central1", V3_1: "us-west2"}
THOUGHTS = "The question: Why?\nThe answer needs a few words only."
ANSWER = 'The emulator heard "Why?". This is its answer, made offline.'
WHY = ChatMessage(role=MessageRole.USER, content="Why?")

FAMILIES = pytest.mark.parametrize(
    ("model", "setting"),
    [
        (GEMINI, {"thinking": "low", "include_thoughts": True}),
        (R1, {}),
        (V3_1, {"thinking": "low"}),
        (V3_2, {"thinking": "low"}),
        (GLM, {}),
        ("openai/gpt-oss-120b-maas", {"thinking": "low"}),
        ("minimaxai/minimax-m2-maas", {}),
    ],
)


def at_its_place(emulator: Emulator, model: str) -> dict[str, Any]:
    return {"base_url": emulator.base_url(location=PLACES.get(model, "global"))}


def thoughts_of(message: ChatMessage) -> str:
    return "".join(block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock)).rstrip("\n")


def assert_told_apart(response: ChatResponse) -> None:
    assert response.message.content == ANSWER
    assert thoughts_of(response.message) == THOUGHTS
    (thinking,) = [block for block in response.message.blocks if isinstance(block, ThinkingBlock)]
    usage = response.raw["usage"]
    assert thinking.num_tokens == usage["reasoning_tokens"] > 0
    assert usage["reasoning_tokens"] < usage["completion_tokens"]


@FAMILIES
async def test_thoughts_are_a_thinking_block_of_a_whole_answer(
    emulator: Emulator, build: Build, model: str, setting: dict[str, Any]
):
    llm = build(model, **setting, **at_its_place(emulator, model))
    assert_told_apart(llm.chat([WHY]))
    assert_told_apart(await llm.achat([WHY]))


@FAMILIES
async def test_and_of_a_streamed_one(emulator: Emulator, build: Build, model: str, setting: dict[str, Any]):
    llm = build(model, **setting, **at_its_place(emulator, model))
    for told in (list(llm.stream_chat([WHY])), [part async for part in await llm.astream_chat([WHY])]):
        assert_told_apart(told[-1])
        deltas = [part.additional_kwargs.get("thinking_delta", "") for part in told]
        assert sum(bool(delta) for delta in deltas) > 2
        assert "".join(deltas).rstrip("\n") == THOUGHTS
        assert "".join(part.delta or "" for part in told) == ANSWER


@pytest.mark.parametrize(
    ("model", "thinking", "sent"),
    [
        (V3_2, "high", {"chat_template_kwargs": {"thinking": True}}),
        (GLM, False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("openai/gpt-oss-120b-maas", "high", {"reasoning_effort": "high"}),
        (GEMINI, False, {"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}),
        (GEMINI, "none", {"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}),
        (GLM, "none", {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)
def test_one_setting_is_said_in_each_familys_way(
    emulator: Emulator, build: Build, model: str, thinking: Any, sent: dict[str, Any]
):
    build(model, thinking=thinking).chat([WHY])
    build(model).chat([WHY], thinking=thinking)
    for entry in emulator.journal.chat:
        assert {key: entry.body[key] for key in entry.body if key not in ("model", "messages")} == sent


@pytest.mark.parametrize("model", [GEMINI, GLM])
def test_thoughts_of_a_history_are_not_sent(emulator: Emulator, build: Build, model: str):
    told = ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=[ThinkingBlock(content="SECRET"), TextBlock(text="Because.")],
        additional_kwargs={"reasoning_content": "SECRET"},
    )
    build(model).chat([WHY, told, ChatMessage(role=MessageRole.USER, content="Really?")])
    assert emulator.journal.last.messages[1] == {"role": "assistant", "content": "Because."}


def test_a_level_that_the_model_does_not_have_is_refused_before_sending(emulator: Emulator, build: Build):
    with pytest.raises(SettingsError, match=r"google/gemini-3\.8-flash") as caught:
        build("google/gemini-3.8-flash", thinking="minimal").chat([WHY])
    assert "low, medium, high" in caught.value.hint
    assert len(emulator.journal) == 0


def test_a_budget_of_zero_that_has_no_effect_is_told_once(emulator: Emulator, build: Build):
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 9}}
    emulator.rule(text("So.", usage={**usage, "total_tokens": 11}))
    llm = build(thinking=False)
    with pytest.warns(VertexCompatWarning, match="thought though thinking is off"):
        llm.chat([WHY])
    llm.chat([WHY])


@pytest.mark.parametrize(
    ("model", "window", "answer", "calls_functions"),
    [
        ("google/gemini-3.8-flash", 1_048_576, 65_536, True),
        ("google/gemini-3-pro-image", 65_536, 32_768, False),
        ("qwen/qwen3-next-80b-a3b-instruct-maas", 262_144, 131_072, True),
        ("meta/llama-4-maverick-17b-128e-instruct-maas", 524_288, 8_192, True),
    ],
)
def test_the_metadata_says_what_the_catalogue_says(
    build: Build, model: str, window: int, answer: int, calls_functions: bool
):
    """The answer's room is at most half of the window: LlamaIndex fills the rest with the prompt."""
    metadata = build(model).metadata
    assert (metadata.context_window, metadata.num_output) == (window, answer)
    assert metadata.is_function_calling_model is calls_functions


LONE_END = ("Let me ", "see.", "</thi", "nk>\n\n", "It is ", "so.")
"""Thoughts that no tag opens, of a model of which that is not known, or whose thinking is off."""


@pytest.mark.parametrize("model", [V3_1, R1, GLM])
@pytest.mark.parametrize("way", ["chat", "achat"])
async def test_a_closing_tag_alone_ends_thoughts_asked_for_or_not(emulator: Emulator, build: Build, model, way):
    emulator.answer(completion(completion_body({"content": "".join(LONE_END)})))
    (response,) = await ask(build(model, **at_its_place(emulator, model)), way, [WHY])
    assert (response.message.content, thoughts_of(response.message)) == ("It is so.", "Let me see.")


@each_stream
async def test_snapshots_are_corrected_at_a_closing_tag_alone(emulator: Emulator, build: Build, way):
    emulator.answer(chunks(words(*LONE_END)))
    with pytest.warns(VertexCompatWarning, match="thoughts without an opening tag"):
        responses = await ask(build(V3_1, **at_its_place(emulator, V3_1)), way, [WHY])
    told = [(response.message.content or "", thoughts_of(response.message)) for response in responses]
    assert told == [
        ("Let me ", ""),
        ("Let me see.", ""),
        ("", "Let me see."),
        ("It is ", "Let me see."),
        ("It is so.", "Let me see."),
        ("It is so.", "Let me see."),
    ]
    assert [response.delta for response in responses] == ["Let me ", "see.", "", "It is ", "so.", ""]
    assert [response.additional_kwargs.get("thinking_delta") for response in responses][2] == "Let me see."


@pytest.mark.parametrize("way", ["chat", "stream_chat"])
async def test_gemini_may_speak_of_tags(emulator: Emulator, build: Build, way):
    spoken = "It ends here.</think>And goes on."
    emulator.answer(completion(completion_body({"content": spoken})) if way == "chat" else chunks(words(spoken)))
    responses = await ask(build(GEMINI), way, [WHY])
    assert responses[-1].message.content == spoken
    assert thoughts_of(responses[-1].message) == ""
