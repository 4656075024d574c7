"""`FailoverMiddleware`: the next place or model at once, in a mixed fleet, from where calls answered last."""

import asyncio
from http import HTTPStatus

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain_core.exceptions import ModelNotFoundError, ModelRateLimitError
from langchain_core.messages import SystemMessage
from langgraph.errors import GraphInterrupt

from tests.langchain.middleware.scripted import Scripted, StatusError, Streaming, ways
from vertex_compat_integrations.emulator import http_error, text, tool_call
from vertex_compat_integrations.errors import (
    NotFoundError,
    RateLimitError,
    ServerError,
    SettingsError,
    StreamInterruptedError,
)
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.langchain.middleware import ContextCacheMiddleware, FailoverMiddleware
from vertex_compat_integrations.langchain.middleware.failover import _MOST_FLEETS
from vertex_compat_integrations.langchain.middleware.shortage import shortcoming_of, status_of
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, REQUEST_TYPE_HEADER

MODEL = "google/gemini-3.5-flash"
QUESTION = {"messages": [("user", "What is the weather in 'Paris'?")]}

pytestmark = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set", "ignore:.*is in beta")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


def answers(agent, times=1):
    return [agent.invoke(QUESTION)["messages"][-1].text for _ in range(times)]


def turns(*models):
    return [len(model.requests) for model in models]


class Coded(Exception):
    """As google.api_core and google.genai raise it."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Responded(Exception):
    """As HTTP libraries raise it."""

    def __init__(self, code):
        super().__init__(code)
        self.response = type("Response", (), {"status_code": code})()


class OfAmazon(Exception):
    """As botocore raises it."""

    def __init__(self, code):
        super().__init__(code)
        self.response = {"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": code}}


class CodeByMethod(Exception):
    """As gRPC raises it."""

    def code(self):
        return 429


def own(kind, code, message="x"):
    return kind(message, code=code)


def caused_by(error):
    wrapper = RuntimeError("wrapped")
    wrapper.__cause__ = error
    return wrapper


class TestWhatAnErrorMeans:
    @pytest.mark.parametrize("kind", [StatusError, Coded, Responded, OfAmazon])
    @pytest.mark.parametrize(
        ("code", "meaning"),
        [
            *((code, "no capacity") for code in (429, 503, 529)),
            *((code, "no such model") for code in (404, 501)),
            *((code, None) for code in (400, 401, 403, 408, 500, 502, 504)),
        ],
    )
    def test_another_packages_error_is_read_by_its_status(self, kind, code, meaning):
        assert shortcoming_of(kind(code)) == meaning
        assert shortcoming_of(caused_by(kind(code))) == meaning

    def test_a_status_may_be_an_enumeration(self):
        assert status_of(Coded(HTTPStatus.TOO_MANY_REQUESTS)) == 429

    @pytest.mark.parametrize("error", [Coded("rate_limit_exceeded"), Coded(True), CodeByMethod(), ValueError("429")])
    def test_what_is_no_status_means_nothing(self, error):
        assert status_of(error) is None
        assert shortcoming_of(error) is None

    def test_langchains_own_errors_have_a_meaning_without_a_status(self):
        assert shortcoming_of(ModelRateLimitError("x")) == "no capacity"
        assert shortcoming_of(ModelNotFoundError("x")) == "no such model"

    def test_own_errors_follow_the_rules_of_locations(self):
        assert shortcoming_of(own(RateLimitError, 429)) == "no capacity"
        assert shortcoming_of(own(NotFoundError, 404, "Publisher Model `x` was not found")) == "no such model"
        assert shortcoming_of(own(NotFoundError, 404, "Project not found")) is None
        assert shortcoming_of(own(ServerError, 500)) is None

    def test_after_a_part_of_the_answer_nothing_moves(self):
        assert shortcoming_of(own(StreamInterruptedError, 429)) is None

    def test_a_circle_of_causes_ends(self):
        one, other = ValueError(), ValueError()
        one.__cause__, other.__cause__ = other, one
        assert shortcoming_of(one) is None


class TestModels:
    @pytest.mark.parametrize("code", [429, 503, 529, 404, 501])
    async def test_the_next_model_answers(self, code):
        full, free = Scripted(steps=[StatusError(code)]), Scripted(steps=["It rains."])
        agent = create_agent(full, [get_weather], middleware=[FailoverMiddleware(free)])
        assert answers(agent) == ["It rains."]
        agent = create_agent(full, [get_weather], middleware=[FailoverMiddleware(free)])
        assert (await agent.ainvoke(QUESTION))["messages"][-1].text == "It rains."
        assert turns(full, free) == [2, 2]

    @pytest.mark.parametrize("error", [StatusError(500), StatusError(400), ValueError("no"), GraphInterrupt()])
    async def test_any_other_error_ends_the_call(self, error):
        failing, other = Scripted(steps=[error]), Scripted(steps=["It rains."])
        agent = create_agent(failing, middleware=[FailoverMiddleware(other)])
        if isinstance(error, GraphInterrupt):
            agent.invoke(QUESTION)
            await agent.ainvoke(QUESTION)
        else:
            with pytest.raises(type(error)):
                agent.invoke(QUESTION)
            with pytest.raises(type(error)):
                await agent.ainvoke(QUESTION)
        assert turns(failing, other) == [2, 0]

    async def test_after_all_of_them_the_shortage_is_the_error_with_the_story(self):
        full, absent = Scripted(steps=[StatusError(429)]), Scripted(steps=[StatusError(404)], model="absent")
        agent = create_agent(full, middleware=[FailoverMiddleware(absent)])
        for way in (lambda: asyncio.to_thread(agent.invoke, QUESTION), lambda: agent.ainvoke(QUESTION)):
            with pytest.raises(StatusError, match="429") as caught:
                await way()
            assert caught.value.__notes__[0].startswith("FailoverMiddleware tried one after the other: Scripted ")
        assert "Scripted absent (404)" in caught.value.__notes__[0]
        # A model that does not exist is not asked again.
        assert turns(full, absent) == [2, 1]

    def test_calls_begin_for_a_minute_where_the_last_one_was_answered(self):
        clock = Clock()
        full, free = Scripted(steps=[StatusError(429)]), Scripted(steps=["It rains."])
        agent = create_agent(full, middleware=[FailoverMiddleware(free, clock=clock)])
        assert answers(agent, 3) == ["It rains."] * 3
        assert turns(full, free) == [1, 3]
        clock.now = 59.9
        answers(agent)
        assert turns(full, free) == [1, 4]
        clock.now = 60.0
        answers(agent)
        assert turns(full, free) == [2, 5]

    def test_the_memory_ends_when_that_model_fails(self):
        first = Scripted(steps=[StatusError(429), "First."])
        second = Scripted(steps=["Second.", StatusError(503)])
        agent = create_agent(first, middleware=[FailoverMiddleware(second, clock=Clock())])
        assert answers(agent, 3) == ["Second.", "First.", "First."]
        assert turns(first, second) == [3, 2]

    def test_each_turn_of_an_agent_may_be_answered_by_another(self, emulator, chat):
        emulator.answer(tool_call("get_weather", {"city": "Paris"}))
        emulator.rule(http_error(429))
        other = Scripted(steps=["It rains."])
        agent = create_agent(chat(max_retries=0), [get_weather], middleware=[FailoverMiddleware(other)])
        assert answers(agent) == ["It rains."]
        assert [message.type for message in other.requests[0]] == ["human", "ai", "tool"]

    def test_models_may_be_named(self, monkeypatch, emulator):
        from vertex_compat_integrations.langchain import register

        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        register()
        full = Scripted(steps=[StatusError(429)])
        emulator.answer(text("It rains."))
        agent = create_agent(full, middleware=[FailoverMiddleware(f"vertex_compat:{MODEL}")])
        assert answers(agent) == ["It rains."]

    def test_the_agents_of_one_middleware_do_not_disturb_each_other(self):
        middleware = FailoverMiddleware(Scripted(steps=["Second."]), clock=Clock())
        full = create_agent(Scripted(steps=[StatusError(429)]), middleware=[middleware])
        free = create_agent(Scripted(steps=["First."]), middleware=[middleware])
        assert answers(full) == ["Second."]
        assert answers(free) == ["First."]

    def test_the_memory_is_limited(self):
        middleware = FailoverMiddleware(Scripted(steps=["Second."]))
        for _ in range(3 * _MOST_FLEETS):
            answers(create_agent(Scripted(steps=["First."]), middleware=[middleware]))
        assert len(middleware._fleets) <= _MOST_FLEETS

    def test_rounds_are_those_of_langchains_retry_around_it(self):
        first = Scripted(steps=[StatusError(429), StatusError(429), "First."])
        second = Scripted(steps=[StatusError(429)])
        retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, jitter=False, on_failure="error")
        agent = create_agent(first, middleware=[retry, FailoverMiddleware(second)])
        assert answers(agent) == ["First."]
        assert turns(first, second) == [3, 2]

    async def test_the_answer_of_the_next_model_is_streamed(self):
        full, free = Streaming(steps=[StatusError(429)]), Streaming(steps=["It rains in Paris."])
        agent = create_agent(full, middleware=[FailoverMiddleware(free)])
        pieces = [message.text for message, _ in agent.stream(QUESTION, stream_mode="messages")]
        assert pieces[:4] == ["It ", "rains ", "in ", "Paris. "]
        again = [message.text async for message, _ in agent.astream(QUESTION, stream_mode="messages")]
        assert again[:4] == pieces[:4]


class TestPlaces:
    @pytest.fixture
    def emulator(self, emulator, monkeypatch):
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
        return emulator

    @pytest.fixture
    def asked(self, emulator):
        return lambda: [(entry.location, entry.headers.get(REQUEST_TYPE_HEADER)) for entry in emulator.journal.chat]

    async def test_the_agents_model_is_asked_at_each_location(self, emulator, asked):
        emulator.rule(http_error(429, headers={"Retry-After": "50"}), location="global")
        emulator.rule(http_error(503), location="us")
        model = ChatVertexCompat(model=MODEL, project="p")
        agent = create_agent(model, middleware=[FailoverMiddleware(locations=["global", "us", "eu"])])
        message = agent.invoke(QUESTION)["messages"][-1]
        assert message.response_metadata["location"] == "eu"
        await agent.ainvoke(QUESTION)
        assert [location for location, _ in asked()] == ["global", "us", "eu", "eu"]
        assert model.locations == ()

    def test_tiers_alone(self, emulator, asked):
        emulator.rule(http_error(429), request_type="dedicated")
        agent = create_agent(
            ChatVertexCompat(model=MODEL, project="p", location="us"),
            middleware=[FailoverMiddleware(request_type=["dedicated", "shared"])],
        )
        agent.invoke(QUESTION)
        assert asked() == [("us", "dedicated"), ("us", "shared")]

    @pytest.mark.filterwarnings("ignore:.*priority")
    def test_the_next_model_follows_all_places_of_the_first(self, emulator, asked):
        emulator.rule(http_error(429))
        other = Scripted(steps=["It rains."])
        places = {"locations": ["us", "eu"], "request_type": ["dedicated", "shared"]}
        agent = create_agent(
            ChatVertexCompat(model=MODEL, project="p", location="global"),
            middleware=[FailoverMiddleware(other, **places)],
        )
        assert answers(agent) == ["It rains."]
        assert asked() == [("us", "dedicated"), ("us", "shared"), ("eu", "dedicated"), ("eu", "shared")]

    def test_a_changed_setting_applies_from_the_next_call_on(self, emulator):
        model = ChatVertexCompat(model=MODEL, project="p")
        agent = create_agent(model, middleware=[FailoverMiddleware(locations=["global", "us"])])
        answers(agent)
        model.temperature = 0.25
        answers(agent)
        assert emulator.journal.last.body["temperature"] == 0.25

    def test_calls_share_the_copy_and_its_connection(self, emulator):
        middleware = FailoverMiddleware(locations=["global", "us"])
        agent = create_agent(ChatVertexCompat(model=MODEL, project="p"), middleware=[middleware])
        answers(agent)
        (fleet,) = middleware._fleets.values()
        answers(agent, 2)
        (again,) = middleware._fleets.values()
        assert again is fleet

    def test_a_model_of_another_class_has_no_places(self):
        agent = create_agent(Scripted(steps=["x"]), middleware=[FailoverMiddleware(locations=["global", "us"])])
        with pytest.raises(SettingsError, match="agent's model is a Scripted"):
            agent.invoke(QUESTION)

    @pytest.mark.parametrize("setting", [{"endpoint": "123", "location": "us-central1"}, {"base_url": "x"}])
    def test_a_model_that_is_in_one_place_stays_there(self, emulator, setting):
        if "base_url" in setting:
            setting = {"base_url": emulator.base_url(), "api_key": emulator.identity.issue()}
        model = ChatVertexCompat(**{"model": MODEL, "project": "p", **setting})
        agent = create_agent(model, middleware=[FailoverMiddleware(locations=["global", "us"])])
        with pytest.raises(SettingsError, match="locations= together with"):
            agent.invoke(QUESTION)
        assert len(emulator.journal) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"locations": ["us"]},
        *({"locations": wrong} for wrong in ("us", ["us", "us"], {"us", "eu"}, None, 5, ["us", None])),
        {"request_type": 5},
        {"shared_request_type": [5]},
    ],
)
def test_what_cannot_move_is_refused(arguments):
    with pytest.raises(SettingsError):
        FailoverMiddleware(**arguments)


class TestChatOpenAI:
    """Against the emulator."""

    async def test_its_shortage_moves_to_the_next_model(self, emulator, chat_openai):
        emulator.rule(http_error(429))
        agent = create_agent(chat_openai, middleware=[FailoverMiddleware(Scripted(steps=["It rains."]))])
        assert answers(agent) == ["It rains."]
        assert (await agent.ainvoke(QUESTION))["messages"][-1].text == "It rains."
        assert [entry.status for entry in emulator.journal.chat] == [429]

    async def test_it_answers_after_another(self, emulator, chat_openai):
        emulator.rule(text("It rains."))
        agent = create_agent(Scripted(steps=[StatusError(529)]), middleware=[FailoverMiddleware(chat_openai)])
        assert answers(agent) == ["It rains."]
        assert (await agent.ainvoke(QUESTION))["messages"][-1].text == "It rains."


@pytest.mark.parametrize("wrong", [None, 5, object()])
def test_what_is_no_model_is_refused(wrong):
    with pytest.raises(SettingsError, match="init_chat_model"):
        FailoverMiddleware(wrong)


async def test_another_class_gets_no_mark_of_the_cache_middleware(emulator, chat):
    emulator.rule(http_error(429))
    other = Scripted(steps=["x"])
    own, users = "You know these harbours. " * 2000, {"type": "text", "text": "a", "cache_control": {"type": "mine"}}
    kit = [ContextCacheMiddleware(), FailoverMiddleware(other)]
    for prompt in (own, SystemMessage([users, {"type": "text", "text": own}])):
        await ways(create_agent(chat(max_retries=0), system_prompt=prompt, middleware=kit), QUESTION)
    blocks = [block for request in other.requests for block in request[0].content]
    assert blocks == [*[{"type": "text", "text": own}] * 2, *[users, {"type": "text", "text": own}] * 2]
