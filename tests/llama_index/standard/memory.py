"""Standard tests: what is stored and comes back makes the same request."""

import pickle

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore

from tests.llama_index.standard.base import (
    Group,
    add,
    ask,
    ask_with_tools,
    each_stream,
    each_way,
    result_of,
    tools_of,
    user,
)


async def conversation(llm, way):
    """A finished turn with a tool, and the messages that are its history."""
    question = user("Add 3 and 4.")
    first = (await ask_with_tools(llm, way, tools_of(add), chat_history=[question]))[-1]
    result = result_of(llm.get_tool_calls_from_response(first)[0], "7")
    return [question, first.message, result]


async def in_json(messages, _):
    return [ChatMessage.model_validate_json(message.model_dump_json()) for message in messages]


async def in_pickle(messages, _):
    return pickle.loads(pickle.dumps(messages))


async def in_memory(messages, _):
    memory = Memory.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
    await memory.aput_messages(messages)
    kept = await memory.aget_all()
    await memory.sql_store._async_engine.dispose()
    return kept


async def in_chat_memory_buffer(messages, _):
    memory = ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
    for message in messages:
        await memory.aput(message)
    return memory.get()


async def in_sqlite(messages, tmp_path):
    uri = f"sqlite+aiosqlite:///{tmp_path / 'chat.db'}"
    store = SQLAlchemyChatStore(table_name="chat", async_database_uri=uri)
    await store.add_messages("someone", messages)
    await store._async_engine.dispose()
    again = SQLAlchemyChatStore(table_name="chat", async_database_uri=uri)
    kept = await again.get_messages("someone")
    await again._async_engine.dispose()
    return kept


PLACES = (in_json, in_pickle, in_memory, in_chat_memory_buffer, in_sqlite)


class MemoryTests(Group):
    @each_way
    @pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
    async def test_a_stored_history_makes_the_same_request(self, llm, emulator, tmp_path, place, way):
        messages = await conversation(llm, way)
        await ask(llm, "achat", messages)
        direct = emulator.journal.last.messages
        await ask(llm, "achat", await place(messages, tmp_path))
        assert emulator.journal.last.messages == direct
        assert direct[1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"]

    @each_stream
    async def test_a_streaming_chat_engine_keeps_the_answers_signature(self, llm, emulator, way):
        memory = ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
        engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
        for question in ("Hello", "Who are you?"):
            if way == "stream_chat":
                for _ in engine.stream_chat(question).response_gen:
                    pass
            else:
                answer = await engine.astream_chat(question)
                async for _ in answer.async_response_gen():
                    pass
        sent = emulator.journal.last.messages[1]
        assert sent["extra_content"]["google"]["thought_signature"]

    async def test_memory_does_not_count_the_signatures_of_calls(self, llm):
        messages = await conversation(llm, "chat")
        memory = Memory.from_defaults(token_limit=100_000, tokenizer_fn=list)
        signed = memory._estimate_token_count(messages[1])
        bare = memory._estimate_token_count(
            ChatMessage(role="assistant", additional_kwargs=messages[1].additional_kwargs)
        )
        assert signed == bare < 300
