"""What goes back to the model in the next turn, as wire messages."""

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.reply import Reply
from vertex_compat_integrations.core.tool_call import ToolCall


def assistant_message(reply: Reply) -> wire.AssistantMessage:
    """The answer as a message of the history, with everything that the endpoint wants back."""
    message: wire.AssistantMessage = {"role": "assistant"}
    if reply.text:
        message["content"] = reply.text
    if reply.tool_calls:
        message["tool_calls"] = [_wire_call(call) for call in reply.tool_calls]
    if reply.extra:
        message["extra_content"] = reply.extra
    return message


def tool_message(call: ToolCall, result: str) -> wire.ToolMessage:
    """What a tool answered to a call."""
    return {"role": "tool", "tool_call_id": call.id, "content": result}


def _wire_call(call: ToolCall) -> wire.ToolCall:
    told: wire.ToolCall = {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    if call.extra:
        told["extra_content"] = call.extra
    return told
