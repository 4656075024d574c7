"""`HistoryRepairMiddleware`: any chat model gets a history in which each call is followed by its one result."""

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from tests.langchain.middleware.scripted import Scripted, calling, ways
from vertex_compat_integrations.emulator import text
from vertex_compat_integrations.errors import VertexCompatWarning
from vertex_compat_integrations.langchain.middleware import HistoryRepairMiddleware
from vertex_compat_integrations.langchain.middleware.history_repair import repaired_messages

ASKED = HumanMessage("What is the weather?")
UNREADABLE = {"id": "1", "name": "get_weather", "args": '{"city": ', "error": None}


def result(call_id="1", content="It rains.", **fields):
    return ToolMessage(content, tool_call_id=call_id, **{"name": "get_weather", **fields})


def two_calls():
    calls = [{"id": call_id, "name": "get_weather", "args": {}} for call_id in ("1", "2")]
    return AIMessage("", tool_calls=calls)


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


def shape(messages):
    return [message.tool_call_id if isinstance(message, ToolMessage) else message.type for message in messages]


class TestRepairs:
    def test_a_history_in_order_is_the_same(self):
        system = SystemMessage("Be brief.")
        messages = [system, ASKED, calling(), result(), AIMessage("It rains."), ASKED]
        again, losses = repaired_messages(messages)
        assert losses == []
        assert all(one is other for one, other in zip(again, messages, strict=True))

    def test_a_cancelled_call_is_closed(self):
        again, losses = repaired_messages([ASKED, calling(), ASKED])
        assert shape(again) == ["human", "ai", "1", "human"]
        assert (again[2].content, again[2].name, again[2].status) == ("not run", "get_weather", "error")
        (loss,) = losses
        assert "'get_weather' (id '1') has no result" in loss

    def test_a_call_that_could_not_be_read_is_closed(self):
        again, _ = repaired_messages([ASKED, AIMessage("", invalid_tool_calls=[UNREADABLE]), ASKED])
        assert shape(again) == ["human", "ai", "1", "human"]

    def test_results_move_to_their_calls_in_their_order(self):
        messages = [ASKED, two_calls(), ASKED, result("2"), result("1")]
        again, losses = repaired_messages(messages)
        assert shape(again) == ["human", "ai", "1", "2", "human"]
        assert losses == []
        assert again[2] is messages[4]

    def test_a_double_is_named_and_the_last_one_counts(self):
        again, losses = repaired_messages([ASKED, calling(), result(), result(content="It snows.")])
        assert [message.content for message in again[2:]] == ["It snows."]
        assert losses == ["The call of 'get_weather' (id '1') has 2 results that differ: the last one is used"]

    def test_equal_doubles_are_no_loss(self):
        again, losses = repaired_messages([ASKED, calling(), result(), result()])
        assert (shape(again), losses) == (["human", "ai", "1"], [])

    def test_a_result_without_its_call_becomes_words(self):
        again, (loss,) = repaired_messages([result(content=["It ", {"type": "text", "text": "rains."}]), ASKED])
        assert shape(again) == ["human", "human"]
        assert again[0].content == "Result of get_weather: It \nrains."
        assert "sent as a user message" in loss

    def test_a_result_gets_its_calls_name(self):
        again, losses = repaired_messages([ASKED, calling(), result(name=None, artifact={"a": 1})])
        assert (again[2].name, again[2].artifact, losses) == ("get_weather", {"a": 1}, [])

    def test_ids_that_return_in_each_turn_are_paired_turn_by_turn(self):
        first, second = result(content="Rain."), result(content="Snow.")
        again, losses = repaired_messages([ASKED, calling(), first, ASKED, calling(), ASKED, second])
        assert [message.content for message in again if message.type == "tool"] == ["Rain.", "Snow."]
        assert losses == []

    def test_calls_in_anthropics_blocks(self):
        """In messages that were built by hand; those of its class also have `tool_calls`."""
        block = {"type": "tool_use", "id": "1", "name": "get_weather", "input": {}}
        messages = [ASKED, AIMessage([block]), result()]
        again, losses = repaired_messages(messages)
        assert (again, losses) == (messages, [])
        assert shape(repaired_messages(messages[:2])[0]) == ["human", "ai", "1"]


class TestAgent:
    def agent(self, model, **settings):
        return create_agent(model, [get_weather], middleware=[HistoryRepairMiddleware()], **settings)

    async def test_the_model_gets_the_repaired_history_and_the_state_stays(self):
        model = Scripted(steps=["It rains."])
        question = {"messages": [ASKED, calling(), HumanMessage("Never mind.")]}
        agent = self.agent(model)
        with pytest.warns(VertexCompatWarning, match="The history was repaired") as caught:
            states = await ways(agent, question)
        assert len(caught) == 1
        for state, request in zip(states, model.requests, strict=True):
            assert shape(request) == ["human", "ai", "1", "human"]
            assert shape(state["messages"]) == ["human", "ai", "human", "ai"]

    @pytest.mark.filterwarnings("ignore:The history was repaired")
    def test_an_agent_that_was_stopped_before_its_tools_continues(self):
        model = Scripted(steps=[calling(), "It rains."])
        thread = {"configurable": {"thread_id": "1"}}
        saver = InMemorySaver()
        stopped = self.agent(model, checkpointer=saver, interrupt_before=["tools"])
        stopped.invoke({"messages": [ASKED]}, thread)
        self.agent(model, checkpointer=saver).invoke({"messages": [HumanMessage("Never mind.")]}, thread)
        assert shape(model.requests[-1]) == ["human", "ai", "1", "human"]

    @pytest.mark.filterwarnings("ignore:The history was repaired")
    async def test_chat_openai_sends_it(self, emulator, chat_openai):
        question = {"messages": [ASKED, two_calls(), HumanMessage("Well?"), result("2")]}
        with pytest.raises(Exception, match="400"):
            create_agent(chat_openai, [get_weather]).invoke(question)
        emulator.rule(text("It rains."))
        await ways(self.agent(chat_openai), question)
        roles = [message["role"] for message in emulator.journal.last.messages]
        assert roles == ["user", "assistant", "tool", "tool", "user"]

    def test_chat_vertex_compat_needs_no_setting(self, emulator, chat):
        emulator.rule(text("It rains."))
        with pytest.warns(VertexCompatWarning, match="HistoryRepairMiddleware"):
            self.agent(chat()).invoke({"messages": [ASKED, calling(), HumanMessage("Never mind.")]})
        assert emulator.journal.last.messages[2]["content"] == "not run"
