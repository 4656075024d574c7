"""What other integrations keep in their messages that the endpoint wants back: thought signatures, and calls' extras.

Sources: langchain-google-genai and langchain-google-vertexai keep a map of signatures by tool call id in
`additional_kwargs`, and a text's signature in the block's `extras`; langchain-openai keeps the calls as they came.
The histories written here do without that map: both integrations send Google's skip value where they find no
signature, and a second copy of each would double what checkpoints hold of them.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from vertex_compat_integrations import wire

GEMINI_SIGNATURES_KEY = "__gemini_function_call_thought_signatures__"
"""Where ChatGoogleGenerativeAI and ChatVertexAI keep signatures: `{tool call id: signature}`."""


def foreign_call_extra(message: AIMessage, call_id: str) -> wire.ExtraContent | None:
    """The `extra_content` of a call in a message that another integration has made; None if it has none."""
    signatures = message.additional_kwargs.get(GEMINI_SIGNATURES_KEY)
    if isinstance(signatures, Mapping) and (extra := _signed(signatures.get(call_id))):
        return extra
    raw = message.additional_kwargs.get("tool_calls")
    for call in raw if isinstance(raw, list) else ():
        if isinstance(call, Mapping) and call.get("id") == call_id and isinstance(call.get("extra_content"), Mapping):
            return dict(call["extra_content"]) or None
    return None


def foreign_message_extra(message: AIMessage) -> wire.ExtraContent | None:
    """The `extra_content` of a message without calls that another integration has made; None if it has none."""
    if message.tool_calls or isinstance(message.content, str):
        return None
    signed = [_signed(_text_signature(block)) for block in message.content]
    # The last part bears the signature of the whole (Google, "Thought signatures").
    return next((extra for extra in reversed(signed) if extra), None)


def _text_signature(block: str | dict[Any, Any]) -> Any:
    """The signature of a text block of a Gemini integration; what Anthropic signs are thoughts, and stay there."""
    if isinstance(block, str) or block.get("type") != "text":
        return None
    extras = block.get("extras")
    return block.get("thought_signature") or (extras.get("signature") if isinstance(extras, Mapping) else None)


def _signed(signature: Any) -> wire.ExtraContent | None:
    if isinstance(signature, bytes):
        signature = b64encode(signature).decode()
    if not isinstance(signature, str) or not signature:
        return None
    return {"google": {"thought_signature": signature}}
