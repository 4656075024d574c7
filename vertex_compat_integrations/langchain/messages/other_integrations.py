"""Data of other integrations' messages that the endpoint needs back: thought signatures, and extras of calls.

Sources: langchain-google-genai and langchain-google-vertexai store a map of signatures by tool call id in
`additional_kwargs`, and a text's signature in the block's `extras`; langchain-openai stores the calls unchanged.
Histories of this package have no such map: both integrations send Google's skip value if they find no signature, and a
second copy of each would double their size in checkpoints.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from vertex_compat_integrations import wire

GEMINI_SIGNATURES_KEY = "__gemini_function_call_thought_signatures__"
"""The key of ChatGoogleGenerativeAI and ChatVertexAI for signatures: `{tool call id: signature}`."""


def foreign_call_extra(message: AIMessage, call_id: str) -> wire.ExtraContent | None:
    """Return the `extra_content` of a call in another integration's message; None if it has none."""
    signatures = message.additional_kwargs.get(GEMINI_SIGNATURES_KEY)
    if isinstance(signatures, Mapping) and (extra := _signed(signatures.get(call_id))):
        return extra
    raw = message.additional_kwargs.get("tool_calls")
    for call in raw if isinstance(raw, list) else ():
        if isinstance(call, Mapping) and call.get("id") == call_id and isinstance(call.get("extra_content"), Mapping):
            return dict(call["extra_content"]) or None
    return None


def foreign_message_extra(message: AIMessage) -> wire.ExtraContent | None:
    """Return the `extra_content` of another integration's message without calls; None if it has none."""
    if message.tool_calls or isinstance(message.content, str):
        return None
    signed = [_signed(_text_signature(block)) for block in message.content]
    # The last part has the signature of the whole message (Google, "Thought signatures").
    return next((extra for extra in reversed(signed) if extra), None)


def _text_signature(block: str | dict[Any, Any]) -> Any:
    """The signature of a text block of a Gemini integration; Anthropic's signatures are for thoughts, and not used."""
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
