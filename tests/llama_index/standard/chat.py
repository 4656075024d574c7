"""Standard tests: chat, completion, usage, thoughts."""

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ThinkingBlock

from tests.llama_index.standard.base import Group, ask, each_completion, each_stream, each_way, usage_of, user
from vertex_compat_integrations import emulator as emulated

LONG = "one two three four five six seven eight nine ten eleven twelve"


class ChatTests(Group):
    @each_way
    async def test_the_answer_is_the_messages_text(self, llm, emulator, way):
        emulator.answer(emulated.text("Blue."))
        last = (await ask(llm, way, [user("What colour is the sky?")]))[-1]
        assert last.message.content == "Blue."
        assert last.message.role == MessageRole.ASSISTANT

    @each_stream
    async def test_each_response_of_a_stream_has_the_whole_text_so_far(self, llm, emulator, way):
        emulator.answer(emulated.text(LONG))
        responses = await ask(llm, way, [user("Count.")])
        assert len(responses) > 3
        so_far = ""
        for response in responses:
            so_far += response.delta or ""
            assert (response.message.content or "") == so_far
        assert so_far == LONG

    @each_stream
    async def test_a_streamed_text_stands_in_one_block(self, llm, emulator, way):
        emulator.answer(emulated.text("first\nsecond third fourth"))
        last = (await ask(llm, way, [user("Count.")]))[-1]
        assert [block.text for block in last.message.blocks if isinstance(block, TextBlock)] == [
            "first\nsecond third fourth"
        ]

    @each_stream
    async def test_a_chunk_that_brings_only_counts_still_has_the_whole_message(self, llm, emulator, way):
        emulator.variant(usage="trailing")
        emulator.answer(emulated.text(LONG))
        assert (await ask(llm, way, [user("Count.")]))[-1].message.content == LONG

    @pytest.mark.parametrize(
        "shape", [{"separator": "crlf"}, {"comments": True}, {"split_bytes": 7}, {"signature": "late"}], ids=str
    )
    async def test_a_stream_may_come_in_any_shape(self, llm, emulator, shape):
        emulator.variant(**shape)
        emulator.answer(emulated.text(LONG))
        assert (await ask(llm, "astream_chat", [user("Count.")]))[-1].message.content == LONG

    @each_way
    async def test_options_of_a_call_reach_the_wire(self, llm, emulator, way):
        await ask(llm, way, [user("Hello")], temperature=0.25, max_tokens=50)
        assert emulator.journal.last.body["temperature"] == 0.25
        assert emulator.journal.last.body["max_tokens"] == 50

    async def test_what_nobody_set_is_not_sent(self, llm, emulator):
        llm.chat([user("Hello")])
        assert set(emulator.journal.last.body) <= {"model", "messages", "stream"}

    @each_way
    async def test_system_messages_may_stand_anywhere(self, llm, emulator, way):
        history = [user("Hello"), ChatMessage(role=MessageRole.SYSTEM, content="Be short.")]
        assert (await ask(llm, way, history))[-1].message.content
        assert [message["role"] for message in emulator.journal.last.messages] == ["user", "system"]

    @pytest.mark.parametrize(
        ("role", "sent"), [("developer", "system"), ("model", "assistant"), ("chatbot", "assistant")]
    )
    def test_roles_go_out_in_the_endpoints_words(self, llm, emulator, role, sent):
        llm.chat([ChatMessage(role=role, content="Yes."), user("Hello")])
        assert emulator.journal.last.messages[0]["role"] == sent

    def test_the_callers_messages_stay_as_they_are(self, llm):
        history = [user("Hello"), ChatMessage(role=MessageRole.ASSISTANT, content="Yes?"), user("Who are you?")]
        before = [message.model_dump_json() for message in history]
        llm.chat(history)
        llm.complete("Hello")
        assert [message.model_dump_json() for message in history] == before

    @pytest.mark.filterwarnings("ignore:The answer was blocked")
    @each_way
    async def test_a_blocked_prompt_is_told_and_breaks_nothing(self, llm, emulator, way):
        emulator.variant(finish="compound:PROHIBITED_CONTENT")
        last = (await ask(llm, way, [user("Something bad")]))[-1]
        assert "The emulator heard" not in (last.message.content or "")
        assert "content_filter" in str(last.raw)

    def test_metadata_says_that_it_chats_and_calls_functions(self, llm):
        assert llm.metadata.is_chat_model
        assert llm.metadata.is_function_calling_model
        assert llm.metadata.context_window > 900_000

    def test_num_output_follows_max_tokens(self, emulator):
        assert self.build(emulator, max_tokens=77).metadata.num_output == 77


class CompleteTests(Group):
    @each_completion
    async def test_a_prompt_is_answered(self, llm, emulator, way):
        emulator.answer(emulated.text("Blue."))
        assert (await ask(llm, way, "What colour is the sky?"))[-1].text == "Blue."
        assert [message["role"] for message in emulator.journal.last.messages] == ["user"]

    @pytest.mark.parametrize("way", ["stream_complete", "astream_complete"])
    async def test_each_completion_of_a_stream_has_the_whole_text_so_far(self, llm, emulator, way):
        emulator.answer(emulated.text(LONG))
        responses = await ask(llm, way, "Count.")
        assert "".join(response.delta or "" for response in responses) == LONG
        assert responses[1].text == (responses[0].delta or "") + (responses[1].delta or "")
        assert responses[-1].text == LONG

    @each_completion
    async def test_completions_tell_their_tokens(self, llm, way):
        assert usage_of((await ask(llm, way, "Hello"))[-1])["total_tokens"] > 0


class UsageTests(Group):
    @each_way
    async def test_counts_are_integers_that_add_up(self, llm, emulator, way):
        usage = {
            "prompt_tokens": 7,
            "completion_tokens": 20,
            "total_tokens": 127,
            "completion_tokens_details": {"reasoning_tokens": 100},
        }
        emulator.answer(emulated.text("Yes.", usage=usage))
        counted = usage_of((await ask(llm, way, [user("Hello")]))[-1])
        assert all(type(counted[key]) is int for key in ("prompt_tokens", "completion_tokens", "total_tokens"))
        assert counted["prompt_tokens"] == 7
        assert counted["prompt_tokens"] + counted["completion_tokens"] == counted["total_tokens"] == 127

    @each_way
    async def test_raw_is_a_plain_mapping(self, llm, way):
        assert type((await ask(llm, way, [user("Hello")]))[-1].raw) is dict

    @each_way
    async def test_counts_stand_in_additional_kwargs_too(self, llm, emulator, way):
        emulator.answer(emulated.text("Yes.", usage={"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}))
        kwargs = (await ask(llm, way, [user("Hello")]))[-1].additional_kwargs
        assert {key: kwargs[key] for key in ("prompt_tokens", "completion_tokens", "total_tokens")} == {
            "prompt_tokens": 5,
            "completion_tokens": 3,
            "total_tokens": 8,
        }

    @each_way
    async def test_a_missing_count_is_no_error(self, llm, emulator, way):
        emulator.answer(emulated.text("Yes.", usage={"prompt_tokens": 5, "total_tokens": 5}))
        counted = usage_of((await ask(llm, way, [user("Hello")]))[-1])
        assert counted["completion_tokens"] == 0


class ThoughtTests(Group):
    @each_way
    async def test_thoughts_stand_in_a_block_of_their_own(self, emulator, way):
        llm = self.build(emulator, **self.thoughts)
        emulator.answer(emulated.text("Blue.", thoughts="The sky scatters light."))
        message = (await ask(llm, way, [user("What colour is the sky?")]))[-1].message
        assert message.content == "Blue."
        assert [block.content for block in message.blocks if isinstance(block, ThinkingBlock)] == [
            "The sky scatters light."
        ]

    @each_stream
    async def test_thoughts_are_told_as_deltas(self, emulator, way):
        llm = self.build(emulator, **self.thoughts)
        emulator.answer(emulated.text("Blue.", thoughts="The sky scatters light."))
        responses = await ask(llm, way, [user("What colour is the sky?")])
        told = "".join(response.additional_kwargs.get("thinking_delta") or "" for response in responses)
        assert told == "The sky scatters light."

    @each_way
    async def test_thoughts_are_not_said_again(self, emulator, way):
        llm = self.build(emulator, **self.thoughts)
        emulator.answer(emulated.text("Blue.", thoughts="The sky scatters light."))
        first = (await ask(llm, way, [user("What colour is the sky?")]))[-1].message
        await ask(llm, way, [user("What colour is the sky?"), first, user("And the sea?")])
        assert "scatters" not in str(emulator.journal.last.messages)
