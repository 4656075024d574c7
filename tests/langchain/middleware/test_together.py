"""The four together, in the documented order and others, in a mixed fleet; with LangChain's own middleware."""

import itertools

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware, ModelFallbackMiddleware, ModelRetryMiddleware
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.langchain.middleware.scripted import Scripted, StatusError, Streaming, calling, used
from vertex_compat_integrations.emulator import http_error
from vertex_compat_integrations.langchain.middleware import (
    EmptyTurnMiddleware,
    FailoverMiddleware,
    HistoryRepairMiddleware,
    TokenBudgetMiddleware,
)

THREAD = {"configurable": {"thread_id": "1"}}
HISTORY = {"messages": [HumanMessage("What is the weather?"), calling("9"), HumanMessage("Never mind. In Oslo?")]}

pytestmark = pytest.mark.filterwarnings("ignore:The history was repaired")


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


def kit(other):
    return [
        TokenBudgetMiddleware(1000, counter=lambda messages: 10),
        EmptyTurnMiddleware(),
        FailoverMiddleware(other),
        HistoryRepairMiddleware(),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
async def test_in_any_order(order):
    other = Scripted(steps=[used("", 30), calling(), used("It rains.", 40)])
    middleware = kit(other)
    agent = create_agent(
        Scripted(steps=[StatusError(429)]),
        [get_weather],
        middleware=[middleware[number] for number in order],
        checkpointer=InMemorySaver(),
    )
    state = await agent.ainvoke(HISTORY, THREAD) if order[0] % 2 else agent.invoke(HISTORY, THREAD)
    assert state["messages"][-1].text == "It rains."
    assert [message.type for message in other.requests[-1]] == ["human", "ai", "tool", "human", "ai", "tool"]
    # Outside the guard, the budget also sees the turns that the guard discarded.
    spent = agent.get_state(THREAD).values["token_budget_spent"]
    assert spent == (30 + 10 + 40 if order.index(0) < order.index(1) else 10 + 40)


@pytest.mark.parametrize("streaming", [False, True])
async def test_from_the_emulator_to_another_model_and_back(emulator, chat, streaming):
    other = (Streaming if streaming else Scripted)(steps=["It rains."])
    agent = create_agent(
        chat(max_retries=0, streaming=streaming), [get_weather], middleware=kit(other), checkpointer=InMemorySaver()
    )
    emulator.answer(http_error(429))
    pieces = [message async for message, _ in agent.astream(HISTORY, THREAD, stream_mode="messages")]
    assert "".join(message.text for message in pieces).strip().startswith("It rains.")
    assert len(emulator.journal.chat) == 1
    other.steps.append(StatusError(503))
    other.steps = other.steps[1:]
    state = agent.invoke({"messages": [("user", "What is the weather in 'Rome'?")]}, THREAD)
    assert "Rome" in state["messages"][-1].text
    assert all(entry.status in (429, 200) for entry in emulator.journal.chat)


def test_beside_langchains_own():
    """Its retry goes outside, for rounds; its fallback further outside, for errors of every kind."""
    first = Scripted(steps=[StatusError(429), StatusError(500)])
    last = Scripted(steps=[AIMessage("Last.")])
    agent = create_agent(
        first,
        middleware=[
            ModelCallLimitMiddleware(run_limit=5),
            ModelFallbackMiddleware(last),
            ModelRetryMiddleware(max_retries=1, initial_delay=0, on_failure="error"),
            FailoverMiddleware(Scripted(steps=[StatusError(503)])),
        ],
    )
    assert agent.invoke(HISTORY)["messages"][-1].text == "Last."
