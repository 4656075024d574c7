"""Standard tests: events and callbacks."""

from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload, TokenCountingHandler
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionStartEvent,
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictInProgressEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, Field

from tests.llama_index.standard.base import Group, ask, each_completion, each_stream, each_way, user
from vertex_compat_integrations import emulator as emulated


class Recorder(BaseEventHandler):
    events: list[Any] = Field(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        self.events.append(event)

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if type(event) in kinds]


class Callbacks(BaseCallbackHandler):
    """Writes down the callbacks of LLMs."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.started: list[dict[Any, Any]] = []
        self.ended: list[dict[Any, Any]] = []

    def on_event_start(
        self, event_type: Any, payload: Any = None, event_id: str = "", parent_id: str = "", **_: Any
    ) -> str:
        if event_type == CBEventType.LLM:
            self.started.append(payload)
        return event_id

    def on_event_end(self, event_type: Any, payload: Any = None, event_id: str = "", **_: Any) -> None:
        if event_type == CBEventType.LLM:
            self.ended.append(payload)

    def start_trace(self, trace_id: str | None = None) -> None:
        pass

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None:
        pass


class Name(BaseModel):
    name: str


class CountingLimiter:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def acquire(self) -> None:
        self.asked += 1

    async def async_acquire(self) -> None:
        self.asked += 1


class EventTests(Group):
    @pytest.fixture
    def recorder(self):
        made = Recorder()
        dispatcher = get_dispatcher()
        dispatcher.add_event_handler(made)
        yield made
        dispatcher.event_handlers.remove(made)

    @each_way
    async def test_a_chat_starts_once_and_ends_once(self, llm, recorder, way):
        responses = await ask(llm, way, [user("Hello")])
        assert len(recorder.of(LLMChatStartEvent)) == 1
        (end,) = recorder.of(LLMChatEndEvent)
        assert end.response.message.content == responses[-1].message.content
        assert len(recorder.of(LLMChatInProgressEvent)) == (len(responses) if "stream" in way else 0)

    @each_completion
    async def test_a_completion_starts_once_and_is_no_chat(self, llm, recorder, way):
        await ask(llm, way, "Hello")
        assert len(recorder.of(LLMCompletionStartEvent)) == len(recorder.of(LLMCompletionEndEvent)) == 1
        assert not recorder.of(LLMChatStartEvent)

    @each_way
    async def test_callbacks_hear_of_a_chat_once(self, emulator, way):
        callbacks = Callbacks()
        await ask(self.build(emulator, callback_manager=CallbackManager([callbacks])), way, [user("Hello")])
        assert len(callbacks.started) == len(callbacks.ended) == 1
        assert callbacks.ended[0][EventPayload.RESPONSE].message.content

    @each_way
    async def test_token_counters_count_what_the_service_counted(self, emulator, way):
        counter = TokenCountingHandler(tokenizer=str.split)
        llm = self.build(emulator, callback_manager=CallbackManager([counter]))
        usage = {"prompt_tokens": 11, "completion_tokens": 13, "total_tokens": 24}
        emulator.answer(emulated.text("Yes.", usage=usage))
        await ask(llm, way, [user("Hello")])
        assert (counter.prompt_llm_token_count, counter.completion_llm_token_count) == (11, 13)

    async def test_events_hold_no_token(self, emulator, recorder):
        llm = self.build(emulator)
        token = emulator.identity.issue()
        await ask(llm, "achat", [user("Hello")])
        (start,) = recorder.of(LLMChatStartEvent)
        assert start.model_dict["class_name"] == llm.class_name()
        assert token[:8] not in str(start.model_dict)
        assert "authorization" not in str(start).lower()

    @each_way
    async def test_a_rate_limiter_is_asked_once_for_each_call(self, llm, way):
        llm.rate_limiter = CountingLimiter()
        await ask(llm, way, [user("Hello")])
        assert llm.rate_limiter.asked == 1

    @each_stream
    async def test_an_error_in_a_stream_is_an_event(self, emulator, recorder, way):
        emulator.answer(emulated.error_in_stream(2))
        with pytest.raises(Exception, match="cancelled"):
            await ask(self.build(emulator, max_retries=0), way, [user("Hello")])
        assert recorder.of(ExceptionEvent)

    async def test_structured_answers_are_events(self, llm, emulator, recorder):
        emulator.answer(*2 * [emulated.text('{"name": "Ann"}')])
        prompt = PromptTemplate("Who?")
        llm.structured_predict(Name, prompt)
        await llm.astructured_predict(Name, prompt)
        assert len(recorder.of(LLMStructuredPredictStartEvent)) == 2
        assert [event.output for event in recorder.of(LLMStructuredPredictEndEvent)] == 2 * [Name(name="Ann")]
        assert len(recorder.of(LLMChatStartEvent)) == 2

    async def test_streamed_structured_answers_are_events(self, llm, emulator, recorder):
        emulator.answer(emulated.text('{"name": "Ann"}'))
        answers = list(llm.stream_structured_predict(Name, PromptTemplate("Who?")))
        assert len(recorder.of(LLMStructuredPredictStartEvent)) == 1
        assert len(recorder.of(LLMStructuredPredictInProgressEvent)) == len(answers)
        assert recorder.of(LLMStructuredPredictEndEvent)[0].output == Name(name="Ann")
