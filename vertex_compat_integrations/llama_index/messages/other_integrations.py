"""Data of other integrations in a message's `additional_kwargs`: calls, and Gemini's thought signatures.

Sources: llama-index-llms-openai and -openai-like (calls as the SDK's objects or as mappings; OpenAI's older
`function_call`), -anthropic (`tool_use` blocks), -bedrock-converse (`toolUse` blocks), -google-genai (signatures as a
list by position, which is unambiguous only if it has one signature).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from pydantic import BaseModel

from vertex_compat_integrations import wire

CALLS_KEY = "tool_calls"
"""The key in a message's `additional_kwargs` where LlamaIndex looks for calls."""

_SIGNATURES_KEY = "thought_signatures"


def foreign_calls(message: ChatMessage) -> list[tuple[str | None, str, Any]]:
    """Return id, name and arguments of the calls in `additional_kwargs`."""
    calls: list[tuple[str | None, str, Any]] = []
    for call in _raw_calls(message):
        match call:
            case {"function": Mapping() as called}:
                calls.append((call.get("id"), called.get("name") or "", called.get("arguments") or ""))
            case {"type": "tool_use", "name": str(name)}:
                calls.append((call.get("id"), name, call.get("input") or {}))
            case {"toolUseId": str(call_id), "name": str(name)}:
                calls.append((call_id, name, call.get("input") or {}))
    function = message.additional_kwargs.get("function_call")
    if not calls and isinstance(function, Mapping):
        name = function.get("name") or ""
        # A result in the older format is paired by the function's name.
        calls.append((name, name, function.get("arguments") or ""))
    return calls


def _raw_calls(message: ChatMessage) -> Iterator[Mapping[str, Any]]:
    calls = message.additional_kwargs.get(CALLS_KEY)
    for call in calls if isinstance(calls, list | tuple) else ():
        fields = call.model_dump() if isinstance(call, BaseModel) else call
        if isinstance(fields, Mapping):
            yield fields


def with_foreign_extras(calls: Sequence[wire.ToolCall], message: ChatMessage) -> list[wire.ToolCall]:
    """Add another integration's `extra_content` to the calls."""
    if any("extra_content" in call for call in calls):
        return list(calls)
    extras = {str(call.get("id") or ""): call.get("extra_content") for call in _raw_calls(message)}
    extended = [_with_extra(call, extras.get(call["id"])) for call in calls]
    signature = _only_signature(message)
    if signature is None or "extra_content" in extended[0]:
        return extended
    # Of parallel calls, the first has the signature (Google, "Thought signatures").
    return [_with_extra(extended[0], _signed(signature)), *extended[1:]]


def _with_extra(call: wire.ToolCall, extra: Any) -> wire.ToolCall:
    return {**call, "extra_content": dict(extra)} if isinstance(extra, Mapping) and extra else call


def foreign_message_extra(message: ChatMessage, *, has_calls: bool) -> wire.ExtraContent | None:
    """Return the `extra_content` of another integration's text answer; None if it has none."""
    signature = None if has_calls else _only_signature(message)
    return None if signature is None else _signed(signature)


def _only_signature(message: ChatMessage) -> str | bytes | None:
    signatures = message.additional_kwargs.get(_SIGNATURES_KEY)
    present = (
        [one for one in signatures if isinstance(one, str | bytes) and one]
        if isinstance(signatures, list | tuple)
        else []
    )
    return present[0] if len(set(present)) == 1 else None


def _signed(signature: str | bytes) -> wire.ExtraContent:
    text = b64encode(signature).decode() if isinstance(signature, bytes) else signature
    return {"google": {"thought_signature": text}}
