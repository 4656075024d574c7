"""Standard tests: tool calls, and histories that hold them."""

from typing import Literal

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole, TextBlock, ToolCallBlock
from pydantic import BaseModel

from tests.llama_index.standard.base import (
    Group,
    add,
    ask_with_tools,
    each_stream,
    each_way,
    now,
    result_of,
    tools_of,
    user,
    weather,
)
from vertex_compat_integrations import emulator as emulated
from vertex_compat_integrations.emulator.dialect.completion import one_pixel_png

SHAPES = (
    {"index": "missing"},
    {"index": "zero"},
    {"index": "wrong"},
    {"calls": "frame_each"},
    {"index": "missing", "calls": "frame_each"},
    {"index": "zero", "calls": "frame_each"},
    {"arguments": "fragments"},
    {"finish": "stop_with_calls"},
    {"ids": "empty"},
    {"ids": "name"},
)


class Place(BaseModel):
    city: str
    country: str | None = None


def forecast(place: Place, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Tell the forecast of a place."""
    return f"{place.city}: {unit}"


def selections(llm, response):
    return llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)


class ToolTests(Group):
    @each_way
    async def test_a_tool_is_called(self, llm, way):
        last = (await ask_with_tools(llm, way, tools_of(add), user_msg="Add 3 and 4."))[-1]
        (call,) = selections(llm, last)
        assert (call.tool_name, call.tool_kwargs) == ("add", {"a": 3, "b": 4})
        assert call.tool_id

    @each_way
    async def test_several_tools_are_called_at_once(self, llm, emulator, way):
        emulator.answer(emulated.tool_calls([("add", {"a": 1, "b": 2}), ("weather", {"city": "Rome"})]))
        responses = await ask_with_tools(
            llm, way, tools_of(add, weather), user_msg="Both.", allow_parallel_tool_calls=True
        )
        calls = selections(llm, responses[-1])
        assert [(call.tool_name, call.tool_kwargs) for call in calls] == [
            ("add", {"a": 1, "b": 2}),
            ("weather", {"city": "Rome"}),
        ]
        assert len({call.tool_id for call in calls}) == 2

    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    async def test_streamed_calls_may_come_in_any_shape(self, llm, emulator, shape):
        emulator.variant(**shape)
        emulator.answer(emulated.tool_calls([("add", {"a": 1, "b": 2}), ("add", {"a": 30, "b": 40})]))
        responses = await ask_with_tools(
            llm, "astream_chat", tools_of(add), user_msg="Both.", allow_parallel_tool_calls=True
        )
        calls = selections(llm, responses[-1])
        assert [call.tool_kwargs for call in calls] == [{"a": 1, "b": 2}, {"a": 30, "b": 40}]
        assert [call.tool_name for call in calls] == ["add", "add"]
        assert len({call.tool_id for call in calls}) == 2

    @each_stream
    async def test_calls_can_be_read_from_every_piece_of_a_stream(self, llm, emulator, way):
        emulator.variant(arguments="fragments")
        emulator.answer(emulated.tool_call("weather", {"city": "Rome, the eternal city", "country": "Italy"}))
        responses = await ask_with_tools(llm, way, tools_of(weather), user_msg="Weather?")
        read = [selections(llm, response) for response in responses]
        assert len(responses) > 3
        assert any(calls and calls[0].tool_kwargs == {} for calls in read)
        assert read[-1][0].tool_kwargs == {"city": "Rome, the eternal city", "country": "Italy"}

    @each_way
    async def test_at_most_one_call_unless_more_are_allowed(self, llm, emulator, way):
        emulator.answer(emulated.tool_calls([("add", {"a": 1, "b": 2}), ("weather", {"city": "Rome"})]))
        responses = await ask_with_tools(llm, way, tools_of(add, weather), user_msg="Both.")
        assert [call.tool_name for call in selections(llm, responses[-1])] == ["add"]
        assert all(len(selections(llm, response)) <= 1 for response in responses)

    @each_way
    async def test_no_tool_is_called_when_none_may_be(self, llm, way):
        responses = await ask_with_tools(llm, way, tools_of(add), user_msg="Add 3 and 4.", tool_choice="none")
        assert selections(llm, responses[-1]) == []
        assert responses[-1].message.content

    @each_way
    async def test_a_tool_is_called_when_one_must_be(self, llm, emulator, way):
        responses = await ask_with_tools(llm, way, tools_of(now), user_msg="Hello", tool_required=True)
        assert [call.tool_name for call in selections(llm, responses[-1])] == ["now"]
        assert emulator.journal.last.body["tool_choice"] == "required"

    @each_way
    async def test_a_tool_can_be_named(self, llm, way):
        responses = await ask_with_tools(llm, way, tools_of(add, weather), user_msg="Hello", tool_choice="weather")
        assert [call.tool_name for call in selections(llm, responses[-1])] == ["weather"]

    @pytest.mark.parametrize("choice", ["any", "validated"])
    def test_googles_own_words_for_the_choice_are_no_names(self, llm, choice):
        response = llm.chat_with_tools(tools_of(add), "Add 3 and 4.", tool_choice=choice)
        assert selections(llm, response)[0].tool_name == "add"

    def test_no_call_is_an_error_only_if_asked_for(self, llm):
        response = llm.chat_with_tools(tools_of(add), "Hello")
        assert selections(llm, response) == []
        with pytest.raises(ValueError, match="tool call"):
            llm.get_tool_calls_from_response(response, error_on_no_tool_call=True)

    @each_way
    async def test_calls_stand_in_blocks_and_as_plain_mappings(self, llm, way):
        last = (await ask_with_tools(llm, way, tools_of(add), user_msg="Add 3 and 4."))[-1]
        (block,) = [block for block in last.message.blocks if isinstance(block, ToolCallBlock)]
        (plain,) = last.message.additional_kwargs["tool_calls"]
        assert type(plain) is dict
        assert plain["id"] == block.tool_call_id
        assert plain["function"]["name"] == block.tool_name == "add"

    async def test_the_model_calls_and_the_tool_runs(self, llm):
        assert str(llm.predict_and_call(tools_of(add), "Add 3 and 4.")) == "7"
        assert str(await llm.apredict_and_call(tools_of(add), "Add 3 and 5.")) == "8"

    async def test_two_calls_where_one_is_allowed_run_the_first(self, llm, emulator):
        emulator.answer(*2 * [emulated.tool_calls([("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4})])])
        assert str(llm.predict_and_call(tools_of(add), "Both.")) == "3"
        assert str(await llm.apredict_and_call(tools_of(add), "Both.")) == "3"

    def test_arguments_may_be_objects_with_options(self, llm, emulator):
        response = llm.chat_with_tools(tools_of(forecast), "What is the forecast for Paris?", tool_required=True)
        (call,) = selections(llm, response)
        assert "city" in call.tool_kwargs["place"]
        assert emulator.journal.last.status == 200

    @each_way
    async def test_the_callers_history_does_not_grow(self, llm, way):
        history = [user("Hello"), ChatMessage(role=MessageRole.ASSISTANT, content="Yes?")]
        await ask_with_tools(llm, way, tools_of(add), user_msg="Add 3 and 4.", chat_history=history)
        assert len(history) == 2

    def test_a_long_description_is_no_error(self, llm):
        tool = tools_of(add)[0]
        tool.metadata.description = "Add two numbers. " * 100
        assert selections(llm, llm.chat_with_tools([tool], "Add 3 and 4."))


class ToolHistoryTests(Group):
    @each_way
    async def test_a_result_is_taken_and_answered(self, llm, emulator, way):
        question = user("Add 3 and 4.")
        first = (await ask_with_tools(llm, way, tools_of(add), chat_history=[question]))[-1]
        history = [question, first.message, result_of(selections(llm, first)[0], "7")]
        last = (await ask_with_tools(llm, way, tools_of(add), chat_history=history))[-1]
        assert "7" in last.message.content
        assert emulator.journal.last.status == 200

    @each_way
    async def test_the_signature_comes_back_where_it_stood(self, llm, emulator, way):
        signature = {"google": {"thought_signature": "c2lnbmF0dXJl"}}
        emulator.answer(
            emulated.tool_calls([emulated.call("add", {"a": 1, "b": 2}, extra=signature), ("add", {"a": 3, "b": 4})])
        )
        question = user("Both.")
        first = (
            await ask_with_tools(llm, way, tools_of(add), chat_history=[question], allow_parallel_tool_calls=True)
        )[-1]
        results = [result_of(call, "1") for call in selections(llm, first)]
        await ask_with_tools(llm, way, tools_of(add), chat_history=[question, first.message, *results])
        sent = emulator.journal.last.messages[1]["tool_calls"]
        assert [call.get("extra_content") for call in sent] == [signature, None]

    async def test_results_may_come_in_any_order(self, llm, emulator):
        emulator.answer(emulated.tool_calls([("add", {"a": 1, "b": 2}), ("weather", {"city": "Rome"})]))
        tools = tools_of(add, weather)
        first = llm.chat_with_tools(tools, "Both.", allow_parallel_tool_calls=True)
        results = [result_of(call, call.tool_name) for call in selections(llm, first)]
        llm.chat_with_tools(tools, chat_history=[user("Both."), first.message, *reversed(results)])
        sent = emulator.journal.last.messages
        assert [message["tool_call_id"] for message in sent[2:]] == [call["id"] for call in sent[1]["tool_calls"]]

    async def test_a_tool_may_return_nothing(self, llm, emulator):
        first = llm.chat_with_tools(tools_of(now), "Tell me the time now.", tool_required=True)
        empty = result_of(selections(llm, first)[0], "")
        llm.chat_with_tools(tools_of(now), chat_history=[user("Tell me the time now."), first.message, empty])
        assert emulator.journal.last.status == 200

    async def test_text_beside_calls_does_not_break_the_next_turn(self, llm, emulator):
        emulator.answer(emulated.tool_calls([("add", {"a": 1, "b": 2})], text="Let me add."))
        first = llm.chat_with_tools(tools_of(add), "Add 1 and 2.")
        assert first.message.content == "Let me add."
        history = [user("Add 1 and 2."), first.message, result_of(selections(llm, first)[0], "3")]
        assert llm.chat_with_tools(tools_of(add), chat_history=history).message.content
        assert emulator.journal.last.status == 200

    async def test_calls_of_another_model_are_taken(self, llm, emulator):
        foreign = ChatMessage(
            role=MessageRole.ASSISTANT,
            blocks=[ToolCallBlock(tool_call_id="call_1", tool_name="add", tool_kwargs={"a": 1, "b": 2})],
        )
        result = ChatMessage(role=MessageRole.TOOL, content="3", additional_kwargs={"tool_call_id": "call_1"})
        llm.chat_with_tools(tools_of(add), chat_history=[user("Add 1 and 2."), foreign, result])
        assert emulator.journal.last.status == 200

    async def test_an_image_in_a_result_is_shown(self, llm, emulator):
        first = llm.chat_with_tools(tools_of(now), "Tell me the time now.", tool_required=True)
        result = result_of(selections(llm, first)[0], "A clock")
        result.blocks = [TextBlock(text="A clock"), ImageBlock(image=one_pixel_png())]
        llm.chat_with_tools(tools_of(now), chat_history=[user("Tell me the time now."), first.message, result])
        assert "iVBORw0KGgo" in str(emulator.journal.last.messages[2:])

    async def test_the_copy_of_a_direct_result_is_taken(self, llm, emulator):
        emulator.answer(emulated.tool_calls([("add", {"a": 1, "b": 2}), ("weather", {"city": "Rome"})]))
        tools = tools_of(add, weather)
        first = llm.chat_with_tools(tools, "Both.", allow_parallel_tool_calls=True)
        call = selections(llm, first)[0]
        copy = ChatMessage(role=MessageRole.ASSISTANT, content="3", additional_kwargs={"tool_call_id": call.tool_id})
        llm.chat([user("Both."), first.message, result_of(call, "3"), copy, user("Thanks")])
        assert emulator.journal.last.status == 200
