"""Messages and answers as OpenTelemetry's GenAI conventions write a conversation down. Pure.

Source of the shapes: `gen-ai-input-messages.json` and `gen-ai-output-messages.json` of the conventions. Data of images
and sounds are left out, and so is what is opaque, such as thought signatures.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vertex_compat_integrations.core.json_values import mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.reply.reply import Media, Reply

Part = dict[str, Any]
"""A part of a message, as the conventions call it."""


def write_messages(messages: Sequence[Mapping[str, Any]]) -> str:
    """The messages of a request, as JSON."""
    return _as_json({"role": message.get("role"), "parts": _parts_of(message)} for message in messages)


def write_replies(replies: Iterable[Reply]) -> str:
    """The answers, as JSON."""
    return _as_json(
        {"role": "assistant", "parts": _parts_of_reply(reply), "finish_reason": reply.ending.finish_reason or "error"}
        for reply in replies
    )


def _as_json(messages: Iterable[Mapping[str, Any]]) -> str:
    # Escaped, since a lone surrogate, as models send them in cut emoji, has no UTF-8.
    return json.dumps(list(messages))


def _parts_of(message: Mapping[str, Any]) -> list[Part]:
    if message.get("role") == "tool":
        return [
            {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": _content_parts(message)},
        ]
    calls = [(call.get("id"), mapping_in(call.get("function"))) for call in mappings_in(message.get("tool_calls"))]
    said = [_call(call_id, function.get("name"), text_in(function.get("arguments"))) for call_id, function in calls]
    return [*_content_parts(message), *said]


def _content_parts(message: Mapping[str, Any]) -> list[Part]:
    content = message.get("content") or []
    if isinstance(content, str):
        return [_text(content)]
    return [_content_part(part) for part in mappings_in(content)]


def _content_part(part: Mapping[str, Any]) -> Part:
    match part:
        case {"type": "text", "text": text}:
            return _text(text)
        case {"type": "image_url", "image_url": {"url": url}}:
            return _medium(url)
        case {"type": "input_audio", "input_audio": {"data": data, "format": mime_type}}:
            return _medium(data if "://" in data else None, mime_type)
        case _:
            return {"type": str(part.get("type"))}


def _parts_of_reply(reply: Reply) -> list[Part]:
    parts = [{"type": "reasoning", "content": reply.thoughts}] if reply.thoughts else []
    parts += [_text(reply.text)] if reply.text else []
    parts += [_medium_of_reply(medium) for medium in reply.media]
    return parts + [_call(call.id, call.name, call.arguments) for call in reply.tool_calls]


def _medium_of_reply(medium: Media) -> Part:
    return _medium(medium.url, medium.mime_type)


def _text(text: str) -> Part:
    return {"type": "text", "content": text}


def _call(call_id: Any, name: Any, arguments: str) -> Part:
    try:
        said = json.loads(arguments)
    except ValueError:
        said = arguments
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": said}


def _medium(url: str | None, mime_type: str | None = None) -> Part:
    """A medium by its URL; of data, only that they were there."""
    if url is not None and url.startswith("data:"):
        mime_type = url.removeprefix("data:").partition(";")[0]
        url = None
    modality = (mime_type or "image").partition("/")[0]
    known: Part = {"modality": "document" if modality == "application" else modality, "mime_type": mime_type}
    return {"type": "omitted", **known} if url is None else {"type": "uri", **known, "uri": url}
