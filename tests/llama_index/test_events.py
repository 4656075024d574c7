"""What runs beside a call: other calls, other loops, other threads; and what events tell of it."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage, DocumentBlock, MessageRole
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMChatStartEvent
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation.dispatcher import DISPATCHER_SPAN_DECORATED_ATTR
from pydantic import BaseModel, Field

from vertex_compat_integrations import emulator as emulated
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding

HELLO = [ChatMessage(role=MessageRole.USER, content="Hello")]


class Recorder(BaseEventHandler):
    events: list = Field(default_factory=list)

    def handle(self, event, **_):
        self.events.append(event)


class Name(BaseModel):
    name: str


def recorded(action) -> list:
    """The events that the action brings."""
    recorder = Recorder()
    dispatcher = get_dispatcher()
    dispatcher.add_event_handler(recorder)
    try:
        action()
    finally:
        dispatcher.event_handlers.remove(recorder)
    return recorder.events


async def test_asynchronous_calls_run_beside_each_other(llm, emulator):
    """None is answered before all five have been sent; the event loop goes on meanwhile."""
    emulator.rule(emulated.hang())
    asking = [asyncio.create_task(llm.achat(HELLO)) for _ in range(5)]
    async with asyncio.timeout(30):
        while len(emulator.journal.chat) < 5:  # noqa: ASYNC110 - the emulator is in another thread
            await asyncio.sleep(0.01)
    for task in asking:
        task.cancel()
    ended = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 5


async def test_a_file_that_is_slow_to_read_stops_nobody(llm, emulator, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    block = DocumentBlock(path=str(path), document_mimetype="text/plain")
    asking = asyncio.create_task(llm.achat([ChatMessage(role=MessageRole.USER, blocks=[block])]))
    assert (await llm.achat(HELLO)).message.content
    assert not asking.done()
    await asyncio.to_thread(path.write_text, "The key hangs in the kitchen.")
    await asking
    assert "kitchen" in emulator.journal.last.raw.decode()


def test_one_llm_serves_many_event_loops_and_threads(llm, emulator):
    def ask_in_a_loop_of_its_own(_: int) -> str:
        return asyncio.run(llm.achat(HELLO)).message.content

    with ThreadPoolExecutor(4) as threads:
        asynchronous = list(threads.map(ask_in_a_loop_of_its_own, range(8)))
        synchronous = list(threads.map(lambda _: llm.chat(HELLO).message.content, range(8)))
    assert all(asynchronous)
    assert all(synchronous)
    assert len(emulator.journal.chat) == 16


async def test_a_synchronous_call_in_a_running_loop_needs_no_other_thread(llm):
    before = threading.active_count()
    assert llm.chat(HELLO).message.content
    assert "".join(response.delta for response in llm.stream_chat(HELLO))
    assert threading.active_count() <= before + 1


def test_events_of_calls_with_tools_hold_plain_values_only(llm):
    def now() -> str:
        """Tell the time."""
        return "noon"

    events = recorded(lambda: llm.chat_with_tools([FunctionTool.from_defaults(now)], "Hello"))
    (start,) = [event for event in events if isinstance(event, LLMChatStartEvent)]
    assert start.model_dump_json()
    (end,) = [event for event in events if isinstance(event, LLMChatEndEvent)]
    assert end.model_dump_json()


def test_the_counts_of_structured_answers_stand_in_the_chats_end(llm, emulator):
    usage = {"prompt_tokens": 11, "completion_tokens": 13, "total_tokens": 24}
    emulator.answer(emulated.text('{"name": "Ann"}', usage=usage))
    events = recorded(lambda: llm.structured_predict(Name, PromptTemplate("Who?")))
    (end,) = [event for event in events if isinstance(event, LLMChatEndEvent)]
    assert end.response.raw["usage"]["total_tokens"] == 24


def test_reasoning_and_cached_tokens_are_told(llm, emulator):
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    emulator.answer(emulated.text("Yes.", usage=usage))
    assert llm.chat(HELLO).raw["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 40,
        "total_tokens": 140,
        "reasoning_tokens": 30,
        "cached_tokens": 60,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }


def test_predict_and_stream_are_counted_once(build):
    counter = TokenCountingHandler(tokenizer=str.split)
    llm = build(callback_manager=CallbackManager([counter]), system_prompt="Be short.")
    assert llm.predict(PromptTemplate("Say {word}."), word="yes")
    assert "".join(llm.stream(PromptTemplate("Say {word}."), word="yes"))
    assert len(counter.llm_token_counts) == 2


def test_the_system_prompt_goes_before_a_prompts_messages(build, emulator):
    build(system_prompt="Be short.").predict(PromptTemplate("Say {word}."), word="yes")
    assert emulator.journal.last.messages == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Say yes."},
    ]


@pytest.mark.parametrize("kind", [VertexCompat, VertexCompatEmbedding])
def test_no_method_of_our_own_makes_a_span(kind):
    """LlamaIndex wraps what a class makes of its parents' abstract methods; each span costs, and shows in traces."""
    wrapped = {name for name, value in vars(kind).items() if hasattr(value, DISPATCHER_SPAN_DECORATED_ATTR)}
    assert wrapped <= {name for parent in (BaseEmbedding, FunctionCallingLLM) for name in dir(parent)}
