"""A conversation with a model: whole turns, with tools of one's own in them."""

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
"""Rounds of tool calls after which a model that goes on calling is stopped."""


@dataclass(slots=True)
class Turn:
    """What came of one question.

    Attributes:
        replies: The model's answers, the last one without calls.
        results: Call and result of each tool, in order.
    """

    replies: list[Reply] = field(default_factory=list)
    results: list[tuple[ToolCall, str]] = field(default_factory=list)

    @property
    def blocked(self) -> str | None:
        """Why a filter kept the answer back, or its end; None if none did."""
        last = self.replies[-1]
        block = block_of(last.ending, last.refusal)
        return None if block is None else block.message

    def record(self) -> dict[str, Any]:
        """The same for programs; usage is that of all requests."""
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
    """A history that grows by whole turns: what fails or is blocked leaves it as it was."""

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
        """The model that is asked."""
        return self._options.model

    def ask_of(self, model: str) -> None:
        """Ask another model from the next question on; the history goes to it, too.

        Raises:
            SettingsError: The endpoint can know no such model, or it takes no such request.
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
        """Ask and return the turn; `on_delta`, `on_result` and `on_reply` get its pieces as they come.

        Raises:
            VertexCompatError: The endpoint did not answer, or the model goes on calling tools.
        """
        history: list[wire.Message] = [*self._history, {"role": "user", "content": question}]
        turn = Turn()
        for _ in range(LARGEST_ROUNDS):
            reply = self._reply(history, on_delta)
            turn.replies.append(reply)
            on_reply(reply)
            history.append(assistant_message(reply))
            if not reply.tool_calls:
                # A turn without words says nothing to the next question, and no endpoint takes such a message.
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
