"""`TokenBudgetMiddleware`: tokens add up per thread in the agent's state, and no request is sent beyond the budget."""

import pickle
import threading
import warnings
from types import SimpleNamespace

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from tests.langchain.middleware.scripted import Scripted, calling, used, ways
from vertex_compat_integrations.emulator import tool_call
from vertex_compat_integrations.errors import SettingsError, VertexCompatError
from vertex_compat_integrations.langchain.middleware import (
    EmptyTurnMiddleware,
    TokenBudgetError,
    TokenBudgetMiddleware,
)
from vertex_compat_integrations.langchain.middleware.token_budget import _estimate

QUESTION = {"messages": [("user", "What is the weather in 'Paris'?")]}
SPENT = "token_budget_spent"


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


class Weather(BaseModel):
    """The weather of a city."""

    city: str


def ten(messages):
    return 10


def thread(name):
    return {"configurable": {"thread_id": name}}


def budgeted(model, budget=100, tools=(), *, saver=None, around=(), **settings):
    middleware = TokenBudgetMiddleware(budget, **{"counter": ten, **settings})
    return create_agent(model, [*tools], middleware=[middleware, *around], checkpointer=saver or InMemorySaver())


def spent(agent, name):
    return agent.get_state(thread(name)).values[SPENT]


async def test_answers_add_up_by_thread_and_the_budget_ends_the_agent():
    model = Scripted(steps=[used("Hello.", 45)])
    agent = budgeted(model)
    for _ in range(2):
        agent.invoke(QUESTION, thread("1"))
    assert spent(agent, "1") == 90
    await agent.ainvoke(QUESTION, thread("2"))
    assert spent(agent, "2") == 45
    # 90 + 10 = 100 fits.
    agent.invoke(QUESTION, thread("1"))
    state = agent.invoke(QUESTION, thread("1"))
    assert len(model.requests) == 4
    last = state["messages"][-1]
    assert last.text == (
        "The token budget of this conversation is exhausted: 135 of 100 tokens are used, and the next request needs 10 "
        "for its prompt."
    )
    assert last.response_metadata["token_budget"] == {"spent": 135, "prompt": 10, "max_tokens": 100}
    assert (await agent.ainvoke(QUESTION, thread("1")))["messages"][-1].text == last.text
    assert len(model.requests) == 4
    # The field is the middleware's own: a caller neither reads nor sets it.
    assert SPENT not in state
    agent.invoke({**QUESTION, SPENT: -1000}, thread("1"))
    assert spent(agent, "1") == 135


async def test_the_budget_can_be_an_error():
    agent = budgeted(Scripted(steps=[used("Hello.", 95)]), on_exhausted="error")
    agent.invoke(QUESTION, thread("1"))
    for _ in range(2):
        with pytest.raises(TokenBudgetError, match="95 of 100 tokens are used") as caught:
            agent.invoke(QUESTION, thread("1"))
        with pytest.raises(TokenBudgetError):
            await agent.ainvoke(QUESTION, thread("1"))
    assert (caught.value.spent, caught.value.prompt, caught.value.max_tokens) == (95, 10, 100)
    assert isinstance(caught.value, VertexCompatError)
    assert isinstance(caught.value, ModelError)
    assert "begin a new thread" in str(caught.value)
    assert vars(pickle.loads(pickle.dumps(caught.value))) == vars(caught.value)


async def test_each_turn_of_one_run_counts():
    model = Scripted(steps=[calling(usage_metadata={"input_tokens": 60, "output_tokens": 35, "total_tokens": 95})])
    for state in await ways(
        create_agent(model, [get_weather], middleware=[TokenBudgetMiddleware(100, counter=ten)]), QUESTION
    ):
        assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
        assert "exhausted" in state["messages"][-1].text
    assert len(model.requests) == 2


@pytest.mark.parametrize("with_after_model", [False, True])
async def test_an_agent_with_a_schema_ends_too(with_after_model):
    """Such an agent asks again until it has an object."""

    class After(AgentMiddleware):
        def after_model(self, state, runtime):
            return None

    model = Scripted(steps=[used("Hello.", 95)])
    agent = create_agent(
        model,
        response_format=ToolStrategy(Weather),
        middleware=[*[After()] * with_after_model, TokenBudgetMiddleware(100, counter=ten)],
    )
    for state in await ways(agent, QUESTION):
        assert "exhausted" in state["messages"][-1].text
        assert state.get("structured_response") is None


async def test_an_answer_without_usage_is_counted():
    model = Scripted(steps=["Hello."])
    agent = budgeted(model, counter=lambda messages: 10 * len(messages))
    agent.invoke(QUESTION, thread("1"))
    assert spent(agent, "1") == 20
    await agent.ainvoke(QUESTION, thread("1"))
    assert spent(agent, "1") == 20 + 40


async def test_the_counter_gets_the_system_message_and_no_event_loop_waits_for_it():
    counted, threads = [], []

    def count(messages):
        counted.append([message.type for message in messages])
        threads.append(threading.current_thread())
        return 1

    middleware = TokenBudgetMiddleware(100, counter=count)
    agent = create_agent(Scripted(steps=[used("Hello.", 5)]), system_prompt="Be brief.", middleware=[middleware])
    await ways(agent, QUESTION)
    assert counted == [["system", "human"]] * 2
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


async def test_by_default_the_model_counts_with_its_tools(emulator, chat):
    model = chat()
    messages = [AIMessage("x" * 400)]
    own = model.get_num_tokens_from_messages(messages, tools=[get_weather])
    assert _estimate(model, messages, [get_weather]) == own > model.get_num_tokens_from_messages(messages)
    agent = create_agent(model, [get_weather], middleware=[TokenBudgetMiddleware(20, on_exhausted="error")])
    with pytest.raises(TokenBudgetError):
        agent.invoke(QUESTION)
    with pytest.raises(TokenBudgetError):
        await agent.ainvoke(QUESTION)
    assert len(emulator.journal) == 0


def test_for_other_classes_langchains_estimate_is_used_and_nothing_is_loaded():
    messages = [AIMessage("x" * 400)]
    assert 90 < _estimate(Scripted(steps=["x"]), messages, []) < 120


@pytest.mark.parametrize("failure", [NotImplementedError, ValueError("Unrecognized content block"), OSError])
def test_where_a_models_own_count_fails_the_estimate_is_used(failure):
    class Unsure(Scripted):
        def get_num_tokens_from_messages(self, messages, tools=None):
            raise failure

    messages = [AIMessage("x" * 400)]
    assert _estimate(Unsure(steps=["x"]), messages, []) == _estimate(Scripted(steps=["x"]), messages, [])


def test_chatopenai_counts_tools_without_a_warning_and_downloads_no_picture(monkeypatch):
    openai = pytest.importorskip("langchain_openai")
    model = openai.ChatOpenAI(model="gpt-4o", api_key="x")
    letters = SimpleNamespace(encode=list)
    monkeypatch.setattr(openai.ChatOpenAI, "_get_encoding_model", lambda _: ("gpt-4o", letters))
    picture = {"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}
    monkeypatch.setattr(openai.chat_models.base, "_url_to_size", lambda _: pytest.fail("a picture was downloaded"))
    messages = [HumanMessage([{"type": "text", "text": "x" * 400}, picture])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        count = _estimate(model, messages, [])
        assert count >= 400
        assert _estimate(model, messages, [tool(get_weather)]) > count


@pytest.mark.parametrize("streaming", [False, True])
async def test_on_the_emulator(emulator, chat, streaming):
    agent = create_agent(
        chat(streaming=streaming),
        [get_weather],
        middleware=[TokenBudgetMiddleware(10_000)],
        checkpointer=InMemorySaver(),
    )
    emulator.answer(tool_call("get_weather", {"city": "Paris"}))
    messages = agent.invoke(QUESTION, thread("1"))["messages"]
    expected = sum(message.usage_metadata["total_tokens"] for message in messages if message.type == "ai")
    assert spent(agent, "1") == expected > 0
    messages = (await agent.ainvoke(QUESTION, thread("1")))["messages"]
    expected = sum(message.usage_metadata["total_tokens"] for message in messages if message.type == "ai")
    assert spent(agent, "1") == expected


def test_turns_that_were_asked_for_again_are_paid_for():
    agent = budgeted(Scripted(steps=[used("", 30), used("Hello.", 40)]), around=[EmptyTurnMiddleware()])
    agent.invoke(QUESTION, thread("1"))
    assert spent(agent, "1") == 70


async def test_the_ending_is_streamed():
    agent = create_agent(Scripted(steps=["x"]), middleware=[TokenBudgetMiddleware(5, counter=ten)])
    ((message, *_),) = [[message for message, _ in agent.stream(QUESTION, stream_mode="messages")]]
    assert "exhausted" in message.text
    updates = [update async for update in agent.astream(QUESTION, stream_mode="updates")]
    assert "exhausted" in updates[0]["model"]["messages"][-1].text


@pytest.mark.parametrize(
    ("budget", "settings"),
    [
        *((wrong, {}) for wrong in (0, -1, "5", None, True, float("nan"))),
        (1, {"on_exhausted": "warn"}),
        (1, {"on_exhausted": []}),
    ],
)
def test_wrong_arguments_are_refused(budget, settings):
    with pytest.raises(SettingsError, match="Pass a number above 0"):
        TokenBudgetMiddleware(budget, **settings)


async def count_in_a_task(messages):
    return len(messages)


@pytest.mark.parametrize("counter", [count_in_a_task, 100, "model"], ids=["asynchronous", "number", "text"])
def test_a_counter_that_cannot_be_called_in_a_thread_is_refused(counter):
    """Such as `model.acount_tokens`, whose coroutine was an operand of an addition."""
    with pytest.raises(SettingsError, match=r"is not a synchronous function.*exact_counter\(\)"):
        TokenBudgetMiddleware(100, counter=counter)


class Uncounted(Scripted):
    """A model whose own count fails, as that of ChatOpenAI without a network."""

    def get_num_tokens_from_messages(self, messages, tools=None):
        raise ConnectionError("The tokenizer cannot be downloaded.")


async def test_a_failed_estimate_ends_no_call():
    agent = create_agent(Uncounted(steps=["x"]), middleware=[TokenBudgetMiddleware(20, on_exhausted="error")])
    assert [state["messages"][-1].text for state in await ways(agent, {"messages": [("user", "Hello")]})] == ["x", "x"]
    with pytest.raises(TokenBudgetError):
        agent.invoke({"messages": [("user", "Hello " * 100)]})


@pytest.mark.parametrize("total", [0, -10])
def test_an_answer_without_tokens_is_counted(total):
    usage = {"input_tokens": total, "output_tokens": 0, "total_tokens": total}
    budget = TokenBudgetMiddleware(100, counter=lambda messages: 30 * len(messages), on_exhausted="error")
    model = Scripted(steps=[AIMessage("x", usage_metadata=usage)])
    agent = create_agent(model, middleware=[budget], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    agent.invoke({"messages": [("user", "Hello")]}, thread)
    with pytest.raises(TokenBudgetError, match="60 of 100"):
        agent.invoke({"messages": [("user", "Hello")]}, thread)
