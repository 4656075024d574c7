"""`EmptyTurnMiddleware`: an agent never ends silently on a turn with neither text nor a valid call."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, get_args

from langchain.agents.middleware.types import AgentMiddleware, ModelCallResult, ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from vertex_compat_integrations.core import errors as core
from vertex_compat_integrations.langchain.errors import SettingsError, to_model_error

OnEmpty = Literal["error", "return"]

DISCARDED_USAGE = "discarded_usage"
"""The key in `response_metadata` for the token counts of the empty turns that were asked for again."""

_SILENT_BLOCKS = frozenset(
    {
        *("reasoning", "thinking", "redacted_thinking"),
        *("tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call", "input_json_delta"),
    }
)
"""Content blocks without an answer: thoughts, and calls, which are valid only in `tool_calls`."""

_ANSWERS_ELSEWHERE = ("refusal", "audio", "function_call")
"""Keys of `additional_kwargs` under which OpenAI's models answer without text."""

_FINAL_REASONS = {
    **dict.fromkeys(("length", "max_tokens"), "Raise the model's limit of output tokens, or lower its thinking."),
    **dict.fromkeys(
        ("content_filter", "refusal", "safety", "prohibited_content", "blocklist", "spii", "recitation"),
        "The answer was blocked: rephrase the prompt.",
    ),
}
"""Finish reasons after which the same request gives the same result, with the next step.

Sources: OpenAI's `finish_reason` (https://platform.openai.com/docs/api-reference/chat/object), Anthropic's
`stop_reason` (https://platform.claude.com/docs/en/api/messages) and Gemini's `finishReason`
(https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference).
"""


class EmptyTurnMiddleware(AgentMiddleware[Any, Any, Any]):
    """A second request for an empty turn of any chat model, and an error if the turn stays empty.

    A turn is empty if it has neither text nor a valid call: thoughts alone, calls with arguments that cannot be read,
    or nothing. `ChatVertexCompat` has this guard built in. The tokens of discarded turns are in the answer's
    `response_metadata["discarded_usage"]`.

    Args:
        retries: Further requests for an empty turn: 1 by default. There is none after finish reasons such as
            `length`, where the same request would be answered in the same way.
        on_empty: `error` (the default) raises `EmptyReplyError` for a turn that stays empty; `return` returns it.

    Raises:
        SettingsError: An argument is invalid.
    """

    def __init__(self, *, retries: int = 1, on_empty: OnEmpty = "error") -> None:
        super().__init__()
        is_count = isinstance(retries, int) and not isinstance(retries, bool) and retries >= 0
        if not is_count or on_empty not in get_args(OnEmpty):
            raise SettingsError(
                f"retries={retries!r}, on_empty={on_empty!r}.", hint="Pass 0 or more retries, and 'error' or 'return'."
            )
        self._retries, self._on_empty = retries, on_empty

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelCallResult[Any]:
        """Return the first turn that is not empty.

        Raises:
            EmptyReplyError: The turn stayed empty, and `on_empty` is `error`.
        """
        turns = _Turns(request, self._retries)
        while True:
            try:
                response = handler(request)
            except StructuredOutputValidationError as error:
                if not turns.is_discarded(error.ai_message):
                    self._refuse_empty(turns)
                    raise
            else:
                if not turns.is_discarded(_message_of(response)):
                    self._refuse_empty(turns)
                    return turns.with_usage(response)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelCallResult[Any]:
        """Like `wrap_model_call`."""
        turns = _Turns(request, self._retries)
        while True:
            try:
                response = await handler(request)
            except StructuredOutputValidationError as error:
                if not turns.is_discarded(error.ai_message):
                    self._refuse_empty(turns)
                    raise
            else:
                if not turns.is_discarded(_message_of(response)):
                    self._refuse_empty(turns)
                    return turns.with_usage(response)

    def _refuse_empty(self, turns: "_Turns") -> None:
        if turns.ends_empty and self._on_empty == "error":
            raise to_model_error(turns.error()) from None


class _Turns:
    """The turns that were received for one request."""

    def __init__(self, request: ModelRequest[Any], retries: int) -> None:
        self._left, self._count = retries, 0
        # After stop sequences, a complete answer may be empty.
        self._may_be_empty = bool(request.model_settings.get("stop") or _stops_of(request.model))
        self._usage: UsageMetadata | None = None
        self._message: AIMessage | None = None
        self.ends_empty = False

    def is_discarded(self, message: AIMessage | None) -> bool:
        """Return whether the turn is empty and requested again."""
        self._count += 1
        self.ends_empty = message is not None and not self._may_be_empty and says_nothing(message)
        self._message = message
        if not self.ends_empty or message is None or self._left == 0 or _finish_reason(message) in _FINAL_REASONS:
            return False
        self._left -= 1
        self._usage = add_usage(self._usage, message.usage_metadata)
        return True

    def with_usage(self, response: ModelResponse[Any]) -> ModelResponse[Any]:
        """Return the response with the token counts of the discarded turns."""
        message = _message_of(response)
        if message is not None and self._usage is not None and self._usage["total_tokens"]:
            metadata = {**message.response_metadata, DISCARDED_USAGE: dict(self._usage)}
            counted = message.model_copy(update={"response_metadata": metadata})
            result = [counted if each is message else each for each in response.result]
            return ModelResponse(result, response.structured_response)
        return response

    def error(self) -> core.EmptyReplyError:
        """Return the error for a turn that stayed empty."""
        message = self._message or AIMessage("")
        reason = _finish_reason(message)
        stated = f" (finish reason {reason})" if reason else ""
        calls = ", ".join(str(call["name"]) for call in message.invalid_tool_calls)
        unread = f"; the arguments of its calls cannot be read: {calls}" if calls else ""
        error = core.EmptyReplyError(
            f"The model returned neither text nor a valid tool call{stated}{unread}.", hint=_FINAL_REASONS.get(reason)
        )
        error.attempts = self._count
        error.finish_reason = reason or None
        error.is_retryable = reason not in _FINAL_REASONS
        error.model = message.response_metadata.get("model_name")
        return error


def says_nothing(message: AIMessage) -> bool:
    """Return whether the message has neither text, nor other content of an answer, nor a valid call."""
    if message.tool_calls or any(message.additional_kwargs.get(key) for key in _ANSWERS_ELSEWHERE):
        return False
    if isinstance(message.content, str):
        return not message.content.strip()
    return all(map(_is_silent, message.content))


def _stops_of(model: BaseChatModel) -> object:
    """Return the stop sequences in a model's settings, under the names that chat models have for them."""
    return getattr(model, "stop", None) or getattr(model, "stop_sequences", None)


def _is_silent(block: str | Mapping[str, Any]) -> bool:
    if isinstance(block, str):
        return not block.strip()
    if block.get("type") == "text":
        return not str(block.get("text") or "").strip()
    return block.get("type") in _SILENT_BLOCKS


def _message_of(response: ModelResponse[Any]) -> AIMessage | None:
    """Return the model's message; None if the turn also has a structured answer or a result."""
    if response.structured_response is not None or len(response.result) != 1:
        return None
    message = response.result[0]
    return message if isinstance(message, AIMessage) else None


def _finish_reason(message: AIMessage) -> str:
    metadata = message.response_metadata
    return str(metadata.get("finish_reason") or metadata.get("stop_reason") or "").lower()
