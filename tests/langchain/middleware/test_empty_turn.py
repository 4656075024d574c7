"""`EmptyTurnMiddleware`: an empty turn of any chat model is asked for once more, and is then an error that says why."""

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from tests.langchain.middleware.scripted import Scripted, Streaming, calling, used, ways
from vertex_compat_integrations.emulator import text
from vertex_compat_integrations.errors import EmptyReplyError, SettingsError
from vertex_compat_integrations.langchain.middleware import EmptyTurnMiddleware
from vertex_compat_integrations.langchain.middleware.empty_turn import says_nothing

QUESTION = {"messages": [("user", "What is the weather in 'Paris'?")]}
UNREADABLE = {"id": "1", "name": "get_weather", "args": '{"city": ', "error": None}


class Weather(BaseModel):
    """The weather of a city."""

    city: str


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


EMPTY = [
    AIMessage(""),
    AIMessage(" \n"),
    AIMessage([]),
    AIMessage([""]),
    AIMessage([{"type": "text", "text": ""}]),
    AIMessage([{"type": "thinking", "thinking": "Hm.", "signature": "s"}]),
    AIMessage([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": None}]),
    AIMessage("", invalid_tool_calls=[UNREADABLE]),
    AIMessage([{"type": "tool_use", "id": "1", "name": "get_weather", "input": {}}], invalid_tool_calls=[UNREADABLE]),
]
FULL = [
    AIMessage("Hello."),
    AIMessage(["Hello."]),
    AIMessage([{"type": "text", "text": "Hello."}]),
    AIMessage([{"type": "image", "base64": "aGk=", "mime_type": "image/png"}]),
    AIMessage([{"type": "server_tool_use", "id": "1", "name": "web_search", "input": {}}]),
    AIMessage("Hello.", invalid_tool_calls=[UNREADABLE]),
    AIMessage("", additional_kwargs={"refusal": "No."}),
    AIMessage("", additional_kwargs={"audio": {"data": "aGk="}}),
    calling(),
]


@pytest.mark.parametrize("message", EMPTY, ids=str)
def test_what_is_empty(message):
    assert says_nothing(message)


@pytest.mark.parametrize("message", FULL, ids=str)
def test_what_is_not(message):
    assert not says_nothing(message)


def guarded(model, tools=(), **settings):
    return create_agent(model, [*tools], middleware=[EmptyTurnMiddleware(**settings)])


@pytest.mark.parametrize("empty", EMPTY, ids=str)
async def test_an_empty_turn_is_asked_for_once_more(empty):
    for run in ("invoke", "ainvoke"):
        model = Scripted(steps=[calling(), empty, "It rains."])
        agent = guarded(model, [get_weather])
        state = agent.invoke(QUESTION) if run == "invoke" else await agent.ainvoke(QUESTION)
        assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
        assert state["messages"][-1].text == "It rains."
        assert len(model.requests) == 3


async def test_one_that_stays_empty_is_an_error():
    model = Scripted(
        steps=[AIMessage("", invalid_tool_calls=[UNREADABLE], response_metadata={"finish_reason": "stop"})]
    )
    for way in ("invoke", "ainvoke"):
        with pytest.raises(EmptyReplyError, match="neither text nor a valid tool call") as caught:
            guarded(model).invoke(QUESTION) if way == "invoke" else await guarded(model).ainvoke(QUESTION)
    assert len(model.requests) == 4
    error = caught.value
    assert isinstance(error, ModelError)
    assert "finish reason stop" in str(error)
    assert "cannot be read: get_weather" in str(error)
    assert (error.attempts, error.is_retryable, error.finish_reason) == (2, True, "stop")


async def test_or_is_returned():
    model = Scripted(steps=[""])
    for state in await ways(guarded(model, on_empty="return"), QUESTION):
        assert state["messages"][-1].text == ""
    assert len(model.requests) == 4


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (3, 4)])
def test_how_often(retries, requests):
    model = Scripted(steps=[""])
    with pytest.raises(EmptyReplyError):
        guarded(model, retries=retries).invoke(QUESTION)
    assert len(model.requests) == requests


@pytest.mark.parametrize(
    ("metadata", "hint"),
    [
        ({"finish_reason": "length"}, "Raise the model's limit"),
        ({"finish_reason": "MAX_TOKENS"}, "Raise the model's limit"),
        ({"stop_reason": "max_tokens"}, "Raise the model's limit"),
        ({"finish_reason": "content_filter"}, "blocked"),
        ({"finish_reason": "SAFETY"}, "blocked"),
        ({"stop_reason": "refusal"}, "blocked"),
    ],
)
def test_a_request_that_would_be_answered_alike_is_not_sent_again(metadata, hint):
    model = Scripted(steps=[AIMessage("", response_metadata=metadata)])
    with pytest.raises(EmptyReplyError) as caught:
        guarded(model).invoke(QUESTION)
    assert hint in caught.value.hint
    assert not caught.value.is_retryable
    assert len(model.requests) == 1


async def test_an_answer_names_the_tokens_of_the_turns_before_it():
    model = Scripted(steps=[used("", 30), used("", 31), used("Hello.", 40)])
    message = guarded(model, retries=2).invoke(QUESTION)["messages"][-1]
    assert message.usage_metadata["total_tokens"] == 40
    assert message.response_metadata["discarded_usage"]["total_tokens"] == 61


async def test_a_schema_as_the_answers_format():
    strategy = ProviderStrategy(Weather)
    for way in ("invoke", "ainvoke"):
        model = Scripted(steps=["", '{"city": "Paris"}'])
        agent = create_agent(model, response_format=strategy, middleware=[EmptyTurnMiddleware()])
        state = agent.invoke(QUESTION) if way == "invoke" else await agent.ainvoke(QUESTION)
        assert state["structured_response"] == Weather(city="Paris")
        model = Scripted(steps=[""])
        agent = create_agent(model, response_format=strategy, middleware=[EmptyTurnMiddleware()])
        with pytest.raises(EmptyReplyError):
            agent.invoke(QUESTION) if way == "invoke" else await agent.ainvoke(QUESTION)


def test_an_answer_that_is_not_of_the_schema_is_langchains_error():
    model = Scripted(steps=["Hello."])
    agent = create_agent(model, response_format=ProviderStrategy(Weather), middleware=[EmptyTurnMiddleware()])
    with pytest.raises(StructuredOutputValidationError):
        agent.invoke(QUESTION)
    assert len(model.requests) == 1


async def test_in_a_stream():
    model = Streaming(steps=["", "It rains.", "", "It rains."])
    pieces = [message.text for message, _ in guarded(model).stream(QUESTION, stream_mode="messages")]
    assert "".join(pieces).split() == ["It", "rains."]
    pieces = [message.text async for message, _ in guarded(model).astream(QUESTION, stream_mode="messages")]
    assert "".join(pieces).split() == ["It", "rains."]


async def test_chat_vertex_compat_guards_itself(emulator, chat):
    emulator.rule(text(""))
    agent = guarded(chat())
    with pytest.raises(EmptyReplyError):
        agent.invoke(QUESTION)
    assert len(emulator.journal.chat) == 2
    with pytest.raises(EmptyReplyError):
        await guarded(chat(on_empty="return")).ainvoke(QUESTION)


async def test_chat_openai(emulator, chat_openai):
    emulator.answer(text(""), text("It rains."), text(""), text("It rains."))
    for state in await ways(guarded(chat_openai), QUESTION):
        assert state["messages"][-1].text == "It rains."
    assert len(emulator.journal.chat) == 4


@pytest.mark.parametrize(
    "settings",
    [
        *({"retries": wrong} for wrong in (-1, "1", None, 1.5, True)),
        {"on_empty": "warn"},
        {"on_empty": []},
    ],
)
def test_wrong_arguments_are_refused(settings):
    with pytest.raises(SettingsError, match="Pass 0 or more retries"):
        EmptyTurnMiddleware(**settings)


@pytest.mark.parametrize("name", ["stop", "stop_sequences"])
def test_after_a_models_own_stop_sequences_an_answer_may_be_empty(name):
    class Stopping(Scripted):
        __annotations__ = {name: list}

    model = Stopping(steps=[""], **{name: ["x"]})
    assert create_agent(model, middleware=[EmptyTurnMiddleware()]).invoke(QUESTION)["messages"][-1].text == ""
    assert len(model.requests) == 1
