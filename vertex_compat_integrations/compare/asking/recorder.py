"""Records the model calls of one answer through LangChain's callbacks: request, first token, usage and end."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from vertex_compat_integrations.compare.answer import TokenCounts


@dataclass(slots=True)
class ModelCall:
    """One call of the model.

    Attributes:
        messages: The input messages.
        parameters: The invocation parameters that LangChain reports.
        usage: The token counts; None if it reported none.
        metadata: The answer's response metadata.
        is_over: Whether it ended with an answer.
    """

    messages: list[BaseMessage]
    parameters: Mapping[str, Any]
    usage: TokenCounts | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    is_over: bool = False


class Recorder(BaseCallbackHandler):
    """Records the calls of one answer, from any thread or task."""

    run_inline = True  # otherwise LangChain reports tokens of asynchronous calls late, from a thread pool

    def __init__(self) -> None:
        """Start without calls."""
        self._calls: dict[UUID, ModelCall] = {}
        self._lock = threading.Lock()
        self.first_token: float | None = None

    @property
    def calls(self) -> list[ModelCall]:
        """The calls in order."""
        with self._lock:
            return list(self._calls.values())

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Record a call."""
        del serialized
        with self._lock:
            self._calls[run_id] = ModelCall(messages[0] if messages else [], kwargs.get("invocation_params") or {})

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        """Record the time of the first text or tool call."""
        del kwargs
        if self.first_token is None and _says_something(token, chunk):
            self.first_token = perf_counter()

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Record the call's usage and metadata."""
        del kwargs
        call = self._calls.get(run_id)
        if call is None or not response.generations or not response.generations[0]:
            return
        call.is_over = True
        generation = response.generations[0][0]
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            call.usage = _counts(generation.message)
            call.metadata = generation.message.response_metadata


def _says_something(token: Any, chunk: Any) -> bool:
    message = getattr(chunk, "message", None)
    if not isinstance(message, BaseMessage):
        return bool(token)
    return bool(message.text) or bool(getattr(message, "tool_call_chunks", None))


def _counts(message: AIMessage) -> TokenCounts | None:
    usage = message.usage_metadata
    if not usage:
        return None
    input_details: Mapping[str, Any] = usage.get("input_token_details") or {}
    output_details: Mapping[str, Any] = usage.get("output_token_details") or {}
    return TokenCounts(
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        thought=output_details.get("reasoning") or 0,
        cached=input_details.get("cache_read") or 0,
        input_audio=input_details.get("audio") or 0,
        output_audio=output_details.get("audio") or 0,
    )
