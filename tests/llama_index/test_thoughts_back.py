"""An agent on a thinking open model: the thoughts of the running turn's calls go back, and only to that provider."""

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ThinkingBlock, ToolCallBlock
from llama_index.core.llms import ChatMessage

from vertex_compat_integrations.emulator import Emulator, chunks, completion
from vertex_compat_integrations.llama_index import VertexCompat

Build = Callable[..., VertexCompat]
KIMI = "moonshotai/kimi-k2-thinking-maas"
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
CALLING = {"role": "assistant", "reasoning_content": "I need the weather.", "tool_calls": [CALL]}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"rain in {city}"


def calling(emulator: Emulator) -> dict[str, Any]:
    """The message with the call, as it was sent last."""
    return next(message for message in emulator.journal.last.messages if message.get("tool_calls"))


def history(emulator: Emulator, llm: VertexCompat) -> list[ChatMessage]:
    emulator.answer(completion({"choices": [{"index": 0, "message": CALLING, "finish_reason": "tool_calls"}]}))
    question = ChatMessage(role="user", content="Weather in Oslo?")
    result = ChatMessage(role="tool", content="rain", additional_kwargs={"tool_call_id": "c1"})
    return [question, llm.chat([question]).message, result]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_an_agents_second_request_has_the_thoughts_of_its_first(
    build: Build, emulator: Emulator, streaming: bool
):
    delta = {**CALLING, "tool_calls": [{"index": 0, **CALL}]}
    if streaming:
        emulator.answer(chunks([{"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}]))
    else:
        emulator.answer(completion({"choices": [{"index": 0, "message": CALLING, "finish_reason": "tool_calls"}]}))
    await FunctionAgent(tools=[weather], llm=build(KIMI), streaming=streaming).run("Weather in Oslo?")
    assert calling(emulator)["reasoning_content"] == "I need the weather."


def test_they_outlive_a_store(build: Build, emulator: Emulator):
    messages = [ChatMessage.model_validate_json(each.model_dump_json()) for each in history(emulator, build(KIMI))]
    build(KIMI).chat(messages)
    assert calling(emulator)["reasoning_content"] == "I need the weather."


@pytest.mark.parametrize("other", ["google/gemini-3.5-flash", "zai-org/glm-5.2-maas"])
def test_they_go_to_no_other_publishers_model(build: Build, emulator: Emulator, other: str):
    messages = history(emulator, build(KIMI))
    build(other).chat(messages)
    assert "reasoning_content" not in calling(emulator)


def test_thoughts_of_another_integration_stay_there(build: Build, emulator: Emulator):
    blocks = [ThinkingBlock(content="theirs"), ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs={})]
    question, _, result = history(emulator, build(KIMI))
    build(KIMI).chat([question, ChatMessage(role="assistant", blocks=blocks), result])
    assert "reasoning_content" not in calling(emulator)


def test_the_option_switches_it_off(build: Build, emulator: Emulator):
    messages = history(emulator, build(KIMI))
    build(KIMI, send_thoughts=False).chat(messages)
    assert "reasoning_content" not in calling(emulator)
    build(KIMI).chat(messages, send_thoughts="tags")
    assert calling(emulator)["content"].startswith("<think>\nI need the weather.")
