"""Replaces a program's messages of unknown form by placeholders, so that the rules apply to the others. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.reply.tool_call import arguments_text
from vertex_compat_integrations.core.request.content import openai_file, refuse_unreachable

_SPOKEN = ("system", "user")
_SYSTEM_ROLES = {"developer": "system"}
"""`developer` is not in Google's list of roles."""
_ORIGINAL = "original"
"""The key under which a placeholder stores the original message."""
_TEXTS = ("input_text", "output_text")
"""Names of `text` in OpenAI's Responses API."""


def with_stand_ins(values: Sequence[Any]) -> list[wire.Message] | None:
    """Return the messages in the form that the rules require, with placeholders for odd ones; None if all are odd.

    An odd message thereby keeps its position, and the others can still be repaired.
    """
    plain = [_plain(value) for value in values]
    odd = {place for place, message in enumerate(plain) if not _is_message(message)}
    if len(odd) == len(plain):
        return None
    if any(text_in(mapping_in(plain[place]).get("role")) == "assistant" for place in odd):
        # Its calls are unknown, so a result may belong to one of them.
        called = {
            call["id"] for place, each in enumerate(plain) if place not in odd for call in each.get("tool_calls", ())
        }
        odd |= {
            place
            for place, each in enumerate(plain)
            if place not in odd and each["role"] == "tool" and each["tool_call_id"] not in called
        }
    return [_stand_in(values[place]) if place in odd else message for place, message in enumerate(plain)]


def has_stand_ins(messages: Sequence[wire.Message]) -> bool:
    """Return whether one of the messages is a placeholder."""
    return any(_ORIGINAL in message for message in messages)


def without_stand_ins(messages: Sequence[Any]) -> list[Any]:
    """Return the messages, placeholders replaced by the original messages."""
    return [mapping_in(message).get(_ORIGINAL, message) for message in messages]


def _stand_in(value: Any) -> wire.Message:
    role = "system" if mapping_in(value).get("role") in ("system", "developer") else "user"
    return cast("wire.Message", {"role": role, "content": "-", _ORIGINAL: value})


def _plain(value: Any) -> Any:
    """Return the message without nulls, with a role that the endpoint has, and its content in the usual form."""
    if not isinstance(value, dict):
        return value
    fields = {key: item for key, item in value.items() if item is not None}
    role = fields["role"] = _SYSTEM_ROLES.get(text_in(fields.get("role"))) or fields.get("role")
    if role == "tool":
        return {**fields, "content": _result_content(fields.get("content")), "tool_call_id": _id_in(fields)}
    if role in _SPOKEN:
        return {**fields, "content": _content(fields.get("content", ""))}
    if role == "assistant" and "tool_calls" in fields:
        calls = fields["tool_calls"]
        fields["tool_calls"] = [_plain_call(call) for call in calls] if isinstance(calls, list) else calls
    if "content" in fields:
        fields["content"] = _content(fields["content"])
    return fields


def _id_in(fields: Mapping[str, Any]) -> Any:
    call_id = fields.get("tool_call_id", "")
    return str(call_id) if isinstance(call_id, int) else call_id


def _content(content: Any) -> Any:
    """Return the content without nulls in its list."""
    if not isinstance(content, list):
        return content
    parts = [_as_medium(part) for part in content if part is not None]
    return [{**part, "text": ""} if isinstance(part, dict) and part.get("text", "") is None else part for part in parts]


def _as_medium(part: Any) -> Any:
    """Convert OpenAI's `file` part, and parts in the Responses API's form; return others unchanged.

    Raises:
        UnsupportedContentError: Google cannot fetch the part's URL or file.
    """
    match part:
        case {"type": "file", "file": dict() as file}:
            return openai_file(file)
        case {"type": "image_url", "image_url": {"url": str(url), **fields}}:
            refuse_unreachable(url)
            return part if fields.get("detail", "") is not None else {**part, "image_url": {"url": url}}
        case {"type": "image_url" | "input_image", "image_url": str(url)}:
            refuse_unreachable(url)
            return {"type": "image_url", "image_url": {"url": url}}
        case {"type": "input_text" | "output_text", "text": str(text)}:
            return {"type": "text", "text": text}
        case _:
            return part


def _result_content(content: Any) -> Any:
    """Return a tool's result as text, whatever wraps it; parts of other kinds are unchanged."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return arguments_text(content)
    if all(isinstance(part, str) or _is_text(part) for part in content):
        return "\n".join(part if isinstance(part, str) else part["text"] for part in content)
    parts = _content(content)
    return parts if _is_list(parts, _is_part) else arguments_text(content)


def _is_text(part: Any) -> bool:
    """Return whether the part is text, with the type of either OpenAI API, or without a type."""
    kinds = ("text", *_TEXTS, None)
    return isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type") in kinds


def _plain_call(call: Any) -> Any:
    """Return the call with its arguments as text; programs for Ollama send an object."""
    function = mapping_in(mapping_in(call).get("function"))
    if not function or isinstance(function.get("arguments"), str):
        return call
    return {**call, "function": {**function, "arguments": arguments_text(function.get("arguments"))}}


def _is_message(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    content = message.get("content")
    is_told = isinstance(content, str) or _is_list(content, _is_part)
    match message.get("role"):
        case "assistant":
            calls = message.get("tool_calls")
            return (content is None or is_told) and (calls is None or _is_list(calls, _is_call))
        case "tool":
            return is_told and isinstance(message.get("tool_call_id"), str)
        case role:
            return is_told and role in _SPOKEN


def _is_list(value: Any, is_item: Any) -> bool:
    return isinstance(value, list) and len(mappings_in(value)) == len(value) and all(map(is_item, value))


def _is_part(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("type"), str)


def _is_call(call: Mapping[str, Any]) -> bool:
    function = mapping_in(call.get("function"))
    return all(isinstance(text, str) for text in (call.get("id"), function.get("name"), function.get("arguments")))
