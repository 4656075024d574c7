"""An agent on a thinking open model: the thoughts of the running turn's calls go back, and only to that provider."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, messages_from_dict, messages_to_dict

from vertex_compat_integrations.emulator import Emulator, chunks, completion
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
KIMI = "moonshotai/kimi-k2-thinking-maas"
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
CALLING = {"role": "assistant", "reasoning_content": "I need the weather.", "tool_calls": [CALL]}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"rain in {city}"


def script(emulator: Emulator, *, streamed: bool) -> None:
    """A call with its thoughts, then whatever the emulator says."""
    if streamed:
        delta = {**CALLING, "tool_calls": [{"index": 0, **CALL}]}
        emulator.answer(chunks([{"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}]))
    else:
        emulator.answer(completion({"choices": [{"index": 0, "message": CALLING, "finish_reason": "tool_calls"}]}))


def calling(emulator: Emulator) -> dict[str, Any]:
    """The message with the call, as it was sent last."""
    return next(message for message in emulator.journal.last.messages if message.get("tool_calls"))


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_agents_second_request_has_the_thoughts_of_its_first(
    chat: Build, emulator: Emulator, output_version: str, streamed: bool
):
    script(emulator, streamed=streamed)
    model = chat(KIMI, output_version=output_version, streaming=streamed)
    create_agent(model, [weather]).invoke({"messages": [("user", "Weather in Oslo?")]})
    assert calling(emulator)["reasoning_content"] == "I need the weather."


def history(emulator: Emulator, model: ChatVertexCompat) -> list[Any]:
    script(emulator, streamed=False)
    question = HumanMessage("Weather in Oslo?")
    return [question, model.bind_tools([weather]).invoke([question]), ToolMessage("rain", tool_call_id="c1")]


def test_they_outlive_a_store(chat: Build, emulator: Emulator):
    messages = messages_from_dict(messages_to_dict(history(emulator, chat(KIMI))))
    chat(KIMI).invoke(messages)
    assert calling(emulator)["reasoning_content"] == "I need the weather."


@pytest.mark.parametrize("other", ["google/gemini-3.5-flash", "zai-org/glm-5.2-maas"])
def test_they_go_to_no_other_publishers_model(chat: Build, emulator: Emulator, other: str):
    messages = history(emulator, chat(KIMI))
    chat(other).invoke(messages)
    assert "reasoning_content" not in calling(emulator)


def test_thoughts_of_another_integration_stay_there(chat: Build, emulator: Emulator):
    message = AIMessage(
        "",
        tool_calls=[{"name": "weather", "args": {}, "id": "c1"}],
        additional_kwargs={"reasoning_content": "theirs"},
        response_metadata={"model_provider": "deepseek", "model_name": "deepseek-reasoner"},
    )
    chat("deepseek-ai/deepseek-v3.2-maas").invoke([HumanMessage("Hi"), message, ToolMessage("x", tool_call_id="c1")])
    assert "reasoning_content" not in calling(emulator)


def test_the_option_switches_it_off(chat: Build, emulator: Emulator):
    messages = history(emulator, chat(KIMI))
    chat(KIMI, send_thoughts=False).invoke(messages)
    assert "reasoning_content" not in calling(emulator)
    chat(KIMI).invoke(messages, send_thoughts="tags")
    assert calling(emulator)["content"].startswith("<think>\nI need the weather.")
