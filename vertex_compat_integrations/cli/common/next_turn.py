"""What goes back to the model in the next turn, as wire messages."""

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.reply.reply import Reply, ToolCall
from vertex_compat_integrations.core.reply.tool_call import encode_call


def assistant_message(reply: Reply) -> wire.AssistantMessage:
    """The answer as a message of the history, with everything that the endpoint wants back."""
    message: wire.AssistantMessage = {"role": "assistant"}
    if reply.text:
        message["content"] = reply.text
    if reply.tool_calls:
        message["tool_calls"] = [encode_call(call) for call in reply.tool_calls]
    if reply.extra:
        message["extra_content"] = reply.extra
    return message


def tool_message(call: ToolCall, result: str) -> wire.ToolMessage:
    """What a tool answered to a call."""
    return {"role": "tool", "tool_call_id": call.id, "content": result}
