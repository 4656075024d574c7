"""A reply and its tool results as messages of the next request."""

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.reply.reply import Reply, ToolCall
from vertex_compat_integrations.core.reply.tool_call import encode_call


def assistant_message(reply: Reply) -> wire.AssistantMessage:
    """Return the answer as a message of the history, with all fields the endpoint requires back, such as signatures."""
    message: wire.AssistantMessage = {"role": "assistant"}
    if reply.text:
        message["content"] = reply.text
    if reply.tool_calls:
        message["tool_calls"] = [encode_call(call) for call in reply.tool_calls]
    if reply.extra:
        message["extra_content"] = reply.extra
    return message


def tool_message(call: ToolCall, result: str) -> wire.ToolMessage:
    """Return a tool's result as a message."""
    return {"role": "tool", "tool_call_id": call.id, "content": result}
