"""A program's messages → messages whose rules are known; what is of another kind passes between them. Pure."""

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
"""Where what stands in for an odd message keeps it."""
_TEXTS = ("input_text", "output_text")
"""What OpenAI's Responses API calls `text`."""


def with_stand_ins(values: Sequence[Any]) -> list[wire.Message] | None:
    """The messages as their rules want them read, each odd one behind a plain one; None if all of them are odd.

    An odd message so takes its turn, and does not keep the others from being mended.
    """
    plain = [_plain(value) for value in values]
    odd = {place for place, message in enumerate(plain) if not _is_message(message)}
    if len(odd) == len(plain):
        return None
    if any(text_in(mapping_in(plain[place]).get("role")) == "assistant" for place in odd):
        # What it calls is not known, so a result may be of its calls.
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
    """Whether one of the messages stands for an odd one."""
    return any(_ORIGINAL in message for message in messages)


def without_stand_ins(messages: Sequence[Any]) -> list[Any]:
    """The messages with the odd ones as they came."""
    return [mapping_in(message).get(_ORIGINAL, message) for message in messages]


def _stand_in(value: Any) -> wire.Message:
    role = "system" if mapping_in(value).get("role") in ("system", "developer") else "user"
    return cast("wire.Message", {"role": role, "content": "-", _ORIGINAL: value})


def _plain(value: Any) -> Any:
    """The message without what is null, under a role that the endpoint has, its content in the usual form."""
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
    """Content without what is null in its list."""
    if not isinstance(content, list):
        return content
    parts = [_as_medium(part) for part in content if part is not None]
    return [{**part, "text": ""} if isinstance(part, dict) and part.get("text", "") is None else part for part in parts]


def _as_medium(part: Any) -> Any:
    """OpenAI's `file` part as the endpoint takes it, and parts in the Responses API's form; any other as it is.

    Raises:
        UnsupportedContentError: Google cannot fetch what the part names.
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
    """What a tool gave, as text in whatever it was wrapped; parts of other kinds stay."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return arguments_text(content)
    if all(isinstance(part, str) or _is_text(part) for part in content):
        return "\n".join(part if isinstance(part, str) else part["text"] for part in content)
    parts = _content(content)
    return parts if _is_list(parts, _is_part) else arguments_text(content)


def _is_text(part: Any) -> bool:
    """Whether it is text, under OpenAI's names for that in either of its interfaces, or under none."""
    kinds = ("text", *_TEXTS, None)
    return isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type") in kinds


def _plain_call(call: Any) -> Any:
    """The call with its arguments as text; Ollama's programs write an object."""
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
