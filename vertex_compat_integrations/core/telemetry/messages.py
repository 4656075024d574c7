"""Messages and answers in the format of OpenTelemetry's GenAI conventions. Pure.

Source of the shapes: `gen-ai-input-messages.json` and `gen-ai-output-messages.json` of the conventions. Data of images
and audio is left out, and so is opaque data, such as thought signatures.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.reply.reply import Media, Reply

Part: TypeAlias = dict[str, Any]
"""A part of a message, in the conventions' terms."""


def write_messages(messages: Sequence[JsonObject]) -> str:
    """Encode the messages of a request as JSON."""
    return _as_json({"role": message.get("role"), "parts": _parts_of(message)} for message in messages)


def write_replies(replies: Iterable[Reply]) -> str:
    """Encode the answers as JSON."""
    return _as_json(
        {"role": "assistant", "parts": _parts_of_reply(reply), "finish_reason": reply.ending.finish_reason or "error"}
        for reply in replies
    )


def _as_json(messages: Iterable[JsonObject]) -> str:
    # Escaped, since a lone surrogate, which models send in a cut emoji, cannot be encoded as UTF-8.
    return json.dumps(list(messages))


def _parts_of(message: JsonObject) -> list[Part]:
    if message.get("role") == "tool":
        return [
            {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": _content_parts(message)},
        ]
    calls = [(call.get("id"), mapping_in(call.get("function"))) for call in mappings_in(message.get("tool_calls"))]
    call_parts = [
        _call(call_id, function.get("name"), text_in(function.get("arguments"))) for call_id, function in calls
    ]
    return [*_content_parts(message), *call_parts]


def _content_parts(message: JsonObject) -> list[Part]:
    content = message.get("content") or []
    if isinstance(content, str):
        return [_text(content)]
    return [_content_part(part) for part in mappings_in(content)]


def _content_part(part: JsonObject) -> Part:
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


def _text(text: object) -> Part:
    return {"type": "text", "content": text}


def _call(call_id: object, name: object, arguments: str) -> Part:
    try:
        value = json.loads(arguments)
    except ValueError:
        # The conventions allow any value; invalid JSON of a model is shown unchanged.
        value = arguments
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": value}


def _medium(url: str | None, mime_type: str | None = None) -> Part:
    """A medium by its URL; for data, only the fact that there was some."""
    if url is not None and url.startswith("data:"):
        mime_type = url.removeprefix("data:").partition(";")[0]
        url = None
    modality = (mime_type or "image").partition("/")[0]
    medium: Part = {"modality": "document" if modality == "application" else modality, "mime_type": mime_type}
    return {"type": "omitted", **medium} if url is None else {"type": "uri", **medium, "uri": url}
