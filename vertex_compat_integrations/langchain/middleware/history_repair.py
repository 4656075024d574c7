"""`HistoryRepairMiddleware`: each call of the history with its one result, for any chat model.

The rules are the core's (`core/request/mending.py`): the messages' calls and results are paired there, by stand-ins.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, cast

from langchain.agents.middleware.types import AgentMiddleware, ModelCallResult, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.request.mending import Mending, with_results_in_order
from vertex_compat_integrations.langchain.messages.encode import encode_calls, line_of

_NUMBER = "number"
"""The key of a stand-in for the position of its message; the core's pairing preserves it."""


class HistoryRepairMiddleware(AgentMiddleware[Any, Any, Any]):
    """Repair of an agent's history before each call of any chat model, with one warning for each loss.

    A call without a result (cancelled, interrupted) gets the result "not run"; results move right behind their calls,
    under the calls' ids and names; of several results of one call that differ, the last one is sent, and the warning
    names the call; a result without a call becomes a user message. The agent's state is not changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._notices = Notices()

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelCallResult[Any]:
        """Return the answer to the repaired history."""
        return handler(self._repaired(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelCallResult[Any]:
        """Like `wrap_model_call`."""
        return await handler(self._repaired(request))

    def _repaired(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        messages, losses = repaired_messages(request.messages)
        if losses:
            text = f"The history was repaired (HistoryRepairMiddleware). {'; '.join(losses)}."
            self._notices.warn_once(text, stacklevel=4)
        is_same = len(messages) == len(request.messages) and all(map(_is, messages, request.messages))
        return request if is_same else request.override(messages=messages)


def repaired_messages(messages: Sequence[AnyMessage]) -> tuple[list[AnyMessage], list[str]]:
    """Return the messages with each call's result right after the calls, and the repairs that lost something.

    Messages that need no change are the same objects.
    """
    mending = Mending(repairs=True, line_of=line_of)
    stand_ins = [_stand_in(number, message) for number, message in enumerate(messages)]
    settled = with_results_in_order(stand_ins, mending)
    return [_message_of(cast("dict[str, Any]", each), messages) for each in settled], mending.losses


def _is(one: object, other: object) -> bool:
    return one is other


def _stand_in(number: int, message: AnyMessage) -> wire.Message:
    """Return what pairing needs of the message; a message without calls or results is only a position."""
    stand_in: dict[str, Any] = {"role": "user", "content": "", _NUMBER: number}
    if isinstance(message, ToolMessage):
        stand_in |= {"role": "tool", "tool_call_id": message.tool_call_id, "content": _content_of(message)}
        if message.name:
            stand_in["name"] = message.name
    elif isinstance(message, AIMessage) and (calls := list(_calls_of(message))):
        stand_in |= {"role": "assistant", "tool_calls": calls}
    return cast("wire.Message", stand_in)


def _calls_of(message: AIMessage) -> Iterator[wire.ToolCall]:
    """Yield the calls, also those whose arguments could not be read: some classes send them again."""
    unreadable = {call["id"] for call in message.invalid_tool_calls if call["id"]}
    return encode_calls(message, unreadable, {})


def _content_of(message: ToolMessage) -> str | list[Any]:
    if isinstance(message.content, str):
        return message.content
    return [{"type": "text", "text": block} if isinstance(block, str) else block for block in message.content]


def _message_of(stand_in: dict[str, Any], messages: Sequence[AnyMessage]) -> AnyMessage:
    """Return the message for a stand-in: the original, one under its call's id and name, or the missing one."""
    number = stand_in.get(_NUMBER)
    if number is None and stand_in["role"] == "user":
        return HumanMessage(stand_in["content"])
    if number is None:
        call_id, name = stand_in["tool_call_id"], stand_in["name"]
        return ToolMessage(stand_in["content"], tool_call_id=call_id, name=name, status="error")
    message: AnyMessage = messages[number]
    if not isinstance(message, ToolMessage):
        return message
    update = {"tool_call_id": stand_in["tool_call_id"], "name": stand_in["name"]}
    is_same = (message.tool_call_id, message.name) == (update["tool_call_id"], update["name"])
    return message if is_same else message.model_copy(update=update)
