"""Conversations that LlamaIndex keeps: agents and chat engines on its memories, and what signatures cost there."""

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ThinkingBlock
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations import emulator as emulated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""LlamaIndex's workflows look at every attribute of their agents, deprecated ones included."""

SIGNATURE = "c2lnbmF0dXJl" * 170
"""About two thousand characters, as real ones have."""


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def sent_signatures(emulator) -> list[str]:
    return [
        holder["extra_content"]["google"]["thought_signature"]
        for message in emulator.journal.last.messages
        for holder in (message, *message.get("tool_calls", ()))
        if "extra_content" in holder
    ]


async def test_an_agents_memory_in_a_file_goes_on_where_it_was_left(build, emulator, tmp_path):
    uri = f"sqlite+aiosqlite:///{tmp_path / 'memory.db'}"
    for question in ("Multiply 3 and 4.", "Multiply 5 and 6.", "Multiply 7 and 8."):
        memory = Memory.from_defaults(session_id="one", async_database_uri=uri, tokenizer_fn=str.split)
        agent = FunctionAgent(tools=[multiply], llm=build())
        assert "tools returned" in str(await agent.run(question, memory=memory))
        await memory.sql_store._async_engine.dispose()
    signatures = sent_signatures(emulator)
    assert len(signatures) == len(set(signatures)) == 5
    assert {entry.status for entry in emulator.journal.chat} == {200}


async def test_a_small_memory_is_cut_so_that_the_request_is_still_good(build, emulator):
    memory = ChatMemoryBuffer.from_defaults(token_limit=40, tokenizer_fn=str.split)
    agent = FunctionAgent(tools=[multiply], llm=build())
    for number in range(2, 8):
        await agent.run(f"Multiply {number} and 10.", memory=memory)
    assert emulator.journal.last.messages[0]["role"] == "user"
    assert len(emulator.journal.last.messages) < 20
    assert {entry.status for entry in emulator.journal.chat} == {200}


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "not_kept"])
def test_what_an_answers_own_signature_costs(build, emulator, is_kept):
    """In `additional_kwargs` a signature of 2,040 characters counts about as many characters; in the block, nothing."""
    emulator.answer(emulated.text("Yes.", signature=SIGNATURE))
    llm = build(keep_answer_signature=is_kept)
    message = llm.chat([ChatMessage(role=MessageRole.USER, content="Hello")]).message
    characters = Memory.from_defaults(token_limit=100_000, tokenizer_fn=list)._estimate_token_count(message)
    assert characters - len("Yes.") == (pytest.approx(len(SIGNATURE), abs=120) if is_kept else 0)
    (block,) = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
    assert SIGNATURE in block.additional_information["vertex_compat"]["message"]


def test_what_calls_keep_costs_nothing(build, emulator):
    extra = {"google": {"thought_signature": SIGNATURE}}
    emulator.answer(emulated.tool_call("multiply", {"a": 1, "b": 2}, extra=extra))
    message = build().chat_with_tools([FunctionTool.from_defaults(multiply)], "Multiply 1 and 2.").message
    characters = Memory.from_defaults(token_limit=100_000, tokenizer_fn=list)._estimate_token_count(message)
    assert characters < 200
    assert all(SIGNATURE not in str(value) for value in message.additional_kwargs.values())


def test_a_streaming_chat_engine_without_kept_signatures_still_goes_on(build, emulator):
    memory = ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
    engine = SimpleChatEngine.from_defaults(llm=build(keep_answer_signature=False), memory=memory)
    for question in ("Hello", "Who are you?"):
        assert "".join(engine.stream_chat(question).response_gen)
    assert sent_signatures(emulator) == []
    assert emulator.journal.last.status == 200


def test_a_chat_engine_keeps_the_whole_message(build, emulator):
    memory = ChatMemoryBuffer.from_defaults(token_limit=100_000, tokenizer_fn=str.split)
    engine = SimpleChatEngine.from_defaults(llm=build(), memory=memory, system_prompt="Be short.")
    for question in ("Hello", "Who are you?"):
        assert str(engine.chat(question))
    assert [message["role"] for message in emulator.journal.last.messages] == ["system", "user", "assistant", "user"]
    assert len(sent_signatures(emulator)) == 1


def test_a_signature_that_stands_twice_in_a_message_is_sent_once(build, emulator):
    emulator.answer(emulated.text("Yes.", signature=SIGNATURE))
    llm = build()
    question = ChatMessage(role=MessageRole.USER, content="Hello")
    message = llm.chat([question]).message
    assert str(message.model_dump_json()).count(SIGNATURE) == 2
    llm.chat([question, message, question])
    assert emulator.journal.last.raw.decode().count(SIGNATURE) == 1
