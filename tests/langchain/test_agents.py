"""`create_agent` on three families of models: structured answers by either strategy, no turn that ends in silence."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel

from vertex_compat_integrations.core.errors import (
    EmptyReplyError,
    HistoryError,
    SettingsError,
    StreamInterruptedError,
    VertexCompatWarning,
)
from vertex_compat_integrations.emulator import Answer, Emulator, chunks, completion, no_finish, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]

GEMINI_3 = "google/gemini-3.5-flash"
GEMINI_2 = "google/gemini-2.5-flash"
QWEN = "qwen/qwen3-next-80b-a3b-instruct-maas"
GLM = "zai-org/glm-5.2-maas"
GPT = "openai/gpt-oss-120b-maas"
MODELS = [GEMINI_3, GEMINI_2, QWEN, GLM]


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    celsius: int


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f'{{"city": "{city}", "celsius": 21}}'


QUESTION = {"messages": [("user", "What is the weather in 'Paris'?")]}
EXPECTED = Weather(city="Paris", celsius=21)


def declared(body: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", [])]


def assert_strategy(emulator: Emulator, *, provider: bool) -> None:
    """The schema is asked for in one way in each request: as the answer's format, or as a tool that must be called."""
    assert [entry.status for entry in emulator.journal.chat] == [200, 200]
    for entry in emulator.journal.chat:
        if provider:
            assert entry.body["response_format"]["type"] == "json_schema"
            assert entry.body["response_format"]["json_schema"]["name"] == "Weather"
            assert declared(entry.body) == ["get_weather"]
        else:
            assert "response_format" not in entry.body
            assert declared(entry.body) == ["get_weather", "Weather"]
            assert entry.body["tool_choice"] == "required"


def updated(updates: list[dict[str, Any]]) -> Any:
    found = [step.get("structured_response") for update in updates for step in update.values()]
    return [answer for answer in found if answer is not None]


@pytest.mark.parametrize("model", MODELS)
class TestStructuredAnswer:
    """A bare schema is asked for as the answer's format on Gemini 3 only, which takes it beside tools."""

    async def test_plain(self, emulator: Emulator, chat: Build, model: str):
        agent = create_agent(chat(model), [get_weather], response_format=Weather)
        assert agent.invoke(QUESTION)["structured_response"] == EXPECTED
        assert_strategy(emulator, provider=model == GEMINI_3)
        emulator.journal.clear()
        assert (await agent.ainvoke(QUESTION))["structured_response"] == EXPECTED
        assert_strategy(emulator, provider=model == GEMINI_3)
        assert not any(entry.body.get("stream") for entry in emulator.journal.chat)

    async def test_streamed_as_messages(self, emulator: Emulator, chat: Build, model: str):
        agent = create_agent(chat(model), [get_weather], response_format=Weather)
        told = [message for message, _ in agent.stream(QUESTION, stream_mode="messages")]
        assert_strategy(emulator, provider=model == GEMINI_3)
        assert all(entry.body["stream"] is True for entry in emulator.journal.chat)
        assert sum(isinstance(message, AIMessageChunk) for message in told) > 2
        assert any(isinstance(message, ToolMessage) and message.name == "get_weather" for message in told)
        emulator.journal.clear()
        again = [message async for message, _ in agent.astream(QUESTION, stream_mode="messages")]
        assert_strategy(emulator, provider=model == GEMINI_3)
        assert [type(message) for message in again] == [type(message) for message in told]

    async def test_streamed_as_updates(self, emulator: Emulator, chat: Build, model: str):
        agent = create_agent(chat(model, streaming=True), [get_weather], response_format=Weather)
        assert updated(list(agent.stream(QUESTION, stream_mode="updates"))) == [EXPECTED]
        assert_strategy(emulator, provider=model == GEMINI_3)
        emulator.journal.clear()
        assert updated([update async for update in agent.astream(QUESTION, stream_mode="updates")]) == [EXPECTED]
        assert_strategy(emulator, provider=model == GEMINI_3)
        assert all(entry.body["stream"] is True for entry in emulator.journal.chat)

    async def test_by_a_tool_when_told_so(self, emulator: Emulator, chat: Build, model: str):
        agent = create_agent(chat(model), [get_weather], response_format=ToolStrategy(Weather))
        assert agent.invoke(QUESTION)["structured_response"] == EXPECTED
        assert_strategy(emulator, provider=False)
        emulator.journal.clear()
        assert updated([update async for update in agent.astream(QUESTION, stream_mode="updates")]) == [EXPECTED]
        assert_strategy(emulator, provider=False)


def test_a_model_that_cannot_be_made_to_call_a_tool_is_left_the_choice_and_the_user_told(
    emulator: Emulator, chat: Build
):
    agent = create_agent(chat(GPT), [get_weather], response_format=Weather)
    emulator.answer(tool_call("get_weather", {"city": "Paris"}), tool_call("Weather", {"city": "Paris", "celsius": 21}))
    with pytest.warns(VertexCompatWarning, match="does not support tool_choice='required'") as told:
        assert agent.invoke(QUESTION)["structured_response"] == EXPECTED
    assert len(told) == 1
    assert [entry.body["tool_choice"] for entry in emulator.journal.chat] == ["auto", "auto"]


def test_three_turns_with_calls_that_have_the_same_id_each_time(emulator: Emulator, chat: Build):
    """Open models name calls after the function, so ids come again in every turn."""
    agent = create_agent(chat(QWEN), [get_weather])
    state: dict[str, Any] = {"messages": []}
    for city in ("Paris", "Oslo", "Rome"):
        state = agent.invoke({"messages": [*state["messages"], ("user", f"What is the weather in '{city}'?")]})
        assert city in state["messages"][-1].text
    results = [message for message in emulator.journal.last.messages if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["get_weather"] * 3
    assert [city in result["content"] for city, result in zip(("Paris", "Oslo", "Rome"), results, strict=True)] == [
        True
    ] * 3


def test_the_providers_own_format_beside_tools_is_refused_where_the_service_refuses_it(emulator: Emulator, chat: Build):
    agent = create_agent(chat(GEMINI_2), [get_weather], response_format=ProviderStrategy(Weather))
    with pytest.raises(SettingsError, match="not both") as caught:
        agent.invoke(QUESTION)
    assert isinstance(caught.value, ModelError)
    assert len(emulator.journal) == 0


MALFORMED = {
    "finish_reason": "function_call_filter: MALFORMED_FUNCTION_CALL",
    "index": 0,
    "message": {"role": "assistant", "extra_content": {"google": {}}},
}
ABSENT = {"index": 0, "message": {"role": "assistant"}}
EATEN = {"finish_reason": "length", "index": 0}


def empty(choice: dict[str, Any]) -> Answer:
    return completion({"choices": [choice], "usage": {"prompt_tokens": 9, "total_tokens": 9}})


def empty_stream(choice: dict[str, Any]) -> Answer:
    """The same in one chunk; without a finish reason a stream has not ended well, whatever follows."""
    told = {key: value for key, value in choice.items() if key != "message"}
    return chunks([{"choices": [{**told, "delta": {"role": "assistant"}}]}])


@pytest.mark.parametrize("choice", [MALFORMED, ABSENT], ids=["malformed", "absent"])
class TestEmptyTurn:
    """A turn with neither text nor call is asked for once more, and if it stays empty it is an error that says why."""

    async def test_is_mended_by_asking_again(self, emulator: Emulator, chat: Build, choice: dict[str, Any]):
        agent = create_agent(chat(), [get_weather])
        emulator.answer(empty(choice))
        assert "21" in agent.invoke(QUESTION)["messages"][-1].text
        assert len(emulator.journal.chat) == 3
        emulator.reset()
        emulator.answer(empty(choice))
        assert "21" in (await agent.ainvoke(QUESTION))["messages"][-1].text
        assert len(emulator.journal.chat) == 3

    async def test_is_mended_in_a_stream(self, emulator: Emulator, chat: Build, choice: dict[str, Any]):
        agent = create_agent(chat(streaming=True), [get_weather])
        emulator.answer(empty_stream(choice))
        assert "21" in agent.invoke(QUESTION)["messages"][-1].text
        assert len(emulator.journal.chat) == 3
        emulator.reset()
        emulator.answer(empty_stream(choice))
        assert "21" in (await agent.ainvoke(QUESTION))["messages"][-1].text
        assert len(emulator.journal.chat) == 3

    def test_is_an_error_if_it_stays_so(self, emulator: Emulator, chat: Build, choice: dict[str, Any]):
        emulator.rule(empty(choice))
        with pytest.raises(EmptyReplyError) as caught:
            create_agent(chat(), [get_weather]).invoke(QUESTION)
        assert isinstance(caught.value, ModelError)
        assert caught.value.is_retryable
        assert caught.value.attempts == len(emulator.journal.chat) == 2
        assert (MALFORMED["finish_reason"].partition(": ")[2] in str(caught.value)) == (choice is MALFORMED)
        assert "Retry" in caught.value.hint

    def test_is_not_asked_for_again_without_retries(self, emulator: Emulator, chat: Build, choice: dict[str, Any]):
        emulator.rule(empty(choice))
        with pytest.raises(EmptyReplyError):
            create_agent(chat(max_retries=0), [get_weather]).invoke(QUESTION)
        assert len(emulator.journal.chat) == 1

    def test_is_retried_by_langchains_middleware_too(self, emulator: Emulator, chat: Build, choice: dict[str, Any]):
        retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, backoff_factor=0, jitter=False, on_failure="error")
        agent = create_agent(chat(), [get_weather], middleware=[retry])
        emulator.rule(empty(choice))
        with pytest.raises(EmptyReplyError):
            agent.invoke(QUESTION)
        assert len(emulator.journal.chat) == 3 * 2
        emulator.reset()
        emulator.answer(*[empty(choice)] * 4)
        assert "21" in agent.invoke(QUESTION)["messages"][-1].text
        assert len(emulator.journal.chat) == 4 + 2


class TestTokensEatenByThoughts:
    @pytest.mark.parametrize("streaming", [False, True])
    def test_the_same_request_is_not_sent_again(self, emulator: Emulator, chat: Build, streaming: bool):
        emulator.rule(empty_stream(EATEN) if streaming else empty(EATEN))
        with pytest.raises(EmptyReplyError, match="max_tokens was used up") as caught:
            create_agent(chat(streaming=streaming), [get_weather]).invoke(QUESTION)
        assert isinstance(caught.value, ModelError)
        assert not caught.value.is_retryable
        assert "Raise max_tokens" in caught.value.hint
        assert len(emulator.journal.chat) == 1

    def test_nor_by_langchains_middleware(self, emulator: Emulator, chat: Build):
        emulator.rule(empty(EATEN))
        retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, jitter=False, on_failure="error")
        with pytest.raises(EmptyReplyError):
            create_agent(chat(), [get_weather], middleware=[retry]).invoke(QUESTION)
        assert len(emulator.journal.chat) == 1


def test_a_stream_without_an_end_is_an_error_of_the_agent(emulator: Emulator, chat: Build):
    emulator.rule(no_finish(text("The weather in Paris is")))
    with pytest.raises(StreamInterruptedError, match="without a finish reason") as caught:
        create_agent(chat(streaming=True), [get_weather]).invoke(QUESTION)
    assert isinstance(caught.value, ModelError)
    assert caught.value.partial_text == "The weather in Paris is"


@pytest.mark.filterwarnings("ignore:The answer was blocked")
def test_a_blocked_answer_ends_the_agent_with_a_refusal_that_can_be_read(emulator: Emulator, chat: Build):
    emulator.answer(completion({"choices": [{"finish_reason": "content_filter: PROHIBITED_CONTENT", "index": 0}]}))
    last = create_agent(chat(), [get_weather]).invoke(QUESTION)["messages"][-1]
    assert isinstance(last, AIMessage)
    assert "PROHIBITED_CONTENT" in last.additional_kwargs["refusal"]
    assert len(emulator.journal.chat) == 1


def test_a_tool_that_is_not_there_is_told_to_the_model_and_the_agent_goes_on(emulator: Emulator, chat: Build):
    emulator.answer(tool_call("get_whether", {"city": "Paris"}), text("There is no such tool."))
    messages = create_agent(chat(), [get_weather]).invoke(QUESTION)["messages"]
    assert messages[-1].text == "There is no such tool."
    assert messages[-2].status == "error"
    assert emulator.journal.last.messages[-1]["role"] == "tool"


def test_arguments_that_are_no_json_do_not_break_the_next_request(emulator: Emulator, chat: Build):
    """An unreadable call is answered by the agent with an error, and goes back in a form that the service takes."""
    emulator.answer(tool_call("get_weather", '{"city": '), text("I shall try again."))
    messages = create_agent(chat(), [get_weather]).invoke(QUESTION)["messages"]
    assert messages[1].invalid_tool_calls[0]["name"] == "get_weather"
    assert [entry.status for entry in emulator.journal.chat] == [200] * len(emulator.journal.chat)


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_the_older_agent_asks_for_its_object_after_its_answer(emulator: Emulator, chat: Build):
    """LangGraph's `create_react_agent`: its history then ends with the model's turn, which Gemini refuses."""
    with pytest.raises(HistoryError, match="repair_history=True"):
        create_react_agent(chat(GEMINI_3), [get_weather], response_format=Weather).invoke(QUESTION)
    agent = create_react_agent(chat(GEMINI_3, repair_history=True), [get_weather], response_format=Weather)
    with pytest.warns(VertexCompatWarning, match="The history was repaired"):
        assert isinstance(agent.invoke(QUESTION)["structured_response"], Weather)
