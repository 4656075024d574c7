"""A conversation with a model, including calls of the user's tools."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.cli.chat.tools import LocalTool, answer_call
from vertex_compat_integrations.cli.common.next_turn import assistant_message, tool_message
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.blocked import block_of
from vertex_compat_integrations.core.reply.reply import Reply, ReplyDelta, ToolCall
from vertex_compat_integrations.core.settings.options import Options

LARGEST_ROUNDS = 10
"""Rounds of tool calls after which a model that keeps calling is stopped."""


@dataclass(slots=True)
class Turn:
    """The answers and tool results for one question.

    Attributes:
        replies: The model's answers; the last one has no calls.
        results: Call and result of each tool, in order.
    """

    replies: list[Reply] = field(default_factory=list)
    results: list[tuple[ToolCall, str]] = field(default_factory=list)

    @property
    def blocked(self) -> str | None:
        """Why a filter blocked the answer or cut its end; None if none did."""
        last = self.replies[-1]
        block = block_of(last.ending, last.refusal)
        return None if block is None else block.message

    def record(self) -> dict[str, Any]:
        """Return the turn as JSON for programs; usage is the sum of all requests."""
        usages = [reply.ending.usage for reply in self.replies if reply.ending.usage]
        last = self.replies[-1]
        return {
            "text": last.text,
            "thoughts": "".join(reply.thoughts for reply in self.replies),
            "tool_calls": [
                {"name": call.name, "arguments": call.arguments, "result": result} for call, result in self.results
            ],
            "finish_reason": last.ending.finish_reason,
            "blocked": self.blocked,
            "refusal": last.refusal,
            "usage": {
                name: sum(getattr(usage, name) for usage in usages) for name in ("input", "output", "thought", "cached")
            },
        }


class Conversation:
    """A history that grows by whole turns; a failed or blocked turn leaves it unchanged."""

    def __init__(
        self, client: VertexCompatClient, options: Options, tools: dict[str, LocalTool], system: str | None
    ) -> None:
        """`system` is the system message."""
        self._client = client
        self._options = options
        self._tools = tools
        self._history: list[wire.Message] = [{"role": "system", "content": system}] if system else []

    @property
    def model(self) -> str:
        """The current model."""
        return self._options.model

    def ask_of(self, model: str) -> None:
        """Use another model from the next question on; the history is sent to it, too.

        Raises:
            SettingsError: The endpoint cannot serve such a model, or the model does not accept this request.
        """
        options = self._options.model_copy(update={"model": model})
        self._client.explain([*self._history, {"role": "user", "content": "-"}], options, stream=True)
        self._options = options

    def ask(
        self,
        question: str,
        on_delta: Callable[[ReplyDelta], None],
        on_result: Callable[[ToolCall, str], None],
        on_reply: Callable[[Reply], None],
    ) -> Turn:
        """Ask and return the turn; `on_delta`, `on_result` and `on_reply` get its parts as they arrive.

        Raises:
            VertexCompatError: The endpoint did not answer, or the model kept calling tools.
        """
        history: list[wire.Message] = [*self._history, {"role": "user", "content": question}]
        turn = Turn()
        for _ in range(LARGEST_ROUNDS):
            reply = self._reply(history, on_delta)
            turn.replies.append(reply)
            on_reply(reply)
            history.append(assistant_message(reply))
            if not reply.tool_calls:
                # A turn without text adds nothing to the history, and no endpoint accepts such a message.
                if reply.text and not turn.blocked:
                    self._history = history
                return turn
            for call in reply.tool_calls:
                result = answer_call(call, self._tools)
                turn.results.append((call, result))
                on_result(call, result)
                history.append(tool_message(call, result))
        raise EmptyReplyError(f"The model called tools {LARGEST_ROUNDS} times without an answer.")

    def _reply(self, history: Sequence[wire.Message], on_delta: Callable[[ReplyDelta], None]) -> Reply:
        answer = Accumulator()
        for delta in self._client.stream(history, self._options):
            reply = answer.add(delta)
            on_delta(delta)
        return reply
