"""A tool's result, as content parts → the content of a tool message; media are sent next to the text.

Source: Google's page on OpenAI compatibility, "Multimodal function response": `extra_content.google.parts` of the tool
message holds the media, and the text refers to them by `{"$ref": display_name}`. The page shows `file_data`;
`inline_data` is the corresponding field of the native API, unverified live on this endpoint. Other models get the media
in a user message after the results: in OpenAI's reference the content of a tool message is text, and images are in user
messages.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.request.content import guess_by_name


def build_tool_message(
    call_id: str,
    parts: Sequence[wire.ContentPart],
    name: str | None = None,
    mime_types: Sequence[str | None] = (),
) -> wire.ToolMessage:
    """Build the tool message with these parts; `mime_types` holds the type of each, if the caller knows it.

    Raises:
        UnsupportedContentError: A part is neither text nor a medium.
    """
    text = "\n".join(part["text"] for part in parts if part["type"] == "text")
    message: wire.ToolMessage = {"role": "tool", "tool_call_id": call_id, "content": text}
    if name:
        message["name"] = name
    types = (*mime_types, *[None] * (len(parts) - len(mime_types)))
    shown = [(part, mime_type) for part, mime_type in zip(parts, types, strict=True) if part["type"] != "text"]
    media = [_response_part(part, mime_type, number) for number, (part, mime_type) in enumerate(shown)]
    if media:
        references = {f"media_{number}": {"$ref": _display_name(number)} for number in range(len(media))}
        message["content"] = to_json({"output": text, **references}).decode()
        message["extra_content"] = {"google": {"parts": media}}
    return message


def _display_name(number: int) -> str:
    return f"media_{number}"


def _response_part(part: wire.ContentPart, mime_type: str | None, number: int) -> wire.Json:
    """Return a medium as `inline_data` or `file_data`, with a name that the text can refer to."""
    name = _display_name(number)
    match part:
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            mime_type = mime_type or guess_by_name(url) or "image/*"
        case {"type": "input_audio", "input_audio": {"data": str(url), "format": str(mime_type)}}:
            pass
        case _:
            raise UnsupportedContentError("A tool result has a part that is neither text nor a medium.")
    if url.startswith("data:"):
        head, _, url = url.removeprefix("data:").partition(",")
        return {"inline_data": {"mime_type": head.partition(";")[0], "display_name": name, "data": url}}
    if "://" in url:
        return {"file_data": {"mime_type": mime_type, "display_name": name, "file_uri": url}}
    return {"inline_data": {"mime_type": mime_type, "display_name": name, "data": url}}


class Shown(NamedTuple):
    """The conversation with the media where the model can see them; `notes` list those that it cannot see."""

    messages: list[wire.Message]
    notes: tuple[str, ...] = ()


def show_tool_media(messages: Sequence[wire.Message], model: str, facts: ModelFacts) -> Shown:
    """Move the media of tool results into a user message after these results."""
    shown: list[wire.Message] = []
    waiting: list[wire.ContentPart] = []
    notes: list[str] = []
    for message in messages:
        if waiting and message["role"] != "tool":
            shown.append({"role": "user", "content": waiting})
            waiting = []
        media = _media_of(message)
        if not media:
            shown.append(message)
            continue
        parts = [(name, _part(medium, facts)) for name, medium in media]
        notes += [_unseen(model, medium) for (_, part), (_, medium) in zip(parts, media, strict=True) if part is None]
        shown.append(_plain(message, parts))
        waiting += _told(message, parts)
    if waiting:
        shown.append({"role": "user", "content": waiting})
    return Shown(shown, tuple(dict.fromkeys(notes)))


def _media_of(message: wire.Message) -> list[tuple[str, Any]]:
    """The media of a tool's result: name, and `inline_data` or `file_data`."""
    if message["role"] != "tool" or "extra_content" not in message:
        return []
    google: Any = message["extra_content"].get("google")
    parts = google.get("parts") if isinstance(google, dict) else None
    media = [part.get("inline_data") or part.get("file_data") or {} for part in parts or () if isinstance(part, dict)]
    return [(str(medium.get("display_name") or f"media_{number}"), medium) for number, medium in enumerate(media)]


def _part(medium: Any, facts: ModelFacts) -> wire.ContentPart | None:
    """Return the medium as a part of OpenAI's reference; None if the model cannot take it."""
    kind, data = str(medium.get("mime_type") or ""), medium.get("data")
    url = f"data:{kind};base64,{data}" if data else medium.get("file_uri")
    sees = "image" in facts.inputs or not facts.prefix
    if kind.startswith("image/") and url and sees:
        return {"type": "image_url", "image_url": {"url": url}}
    hears = "audio" in facts.inputs or not facts.prefix
    if kind.startswith("audio/") and data and hears:
        return {"type": "input_audio", "input_audio": {"data": data, "format": kind.removeprefix("audio/")}}
    return None


def _plain(message: wire.Message, parts: Sequence[tuple[str, Any]]) -> wire.Message:
    """Return the result as text, with a line for each medium."""
    fields = {key: value for key, value in message.items() if key != "extra_content"}
    lines = [_output(message["content"]), *(_line(name, part) for name, part in parts)]
    return cast("wire.Message", {**fields, "content": "\n".join(line for line in lines if line)})


def _line(name: str, part: Any) -> str:
    return f"({name} is shown in the next message.)" if part else f"({name} cannot be shown to this model.)"


def _output(content: Any) -> str:
    """The text of the result, which `build_tool_message` put under `output`."""
    try:
        value = from_json(content)
    except (TypeError, ValueError):
        return content if isinstance(content, str) else ""
    return str(value["output"]) if isinstance(value, dict) and "output" in value else str(content)


def _told(message: Any, parts: Sequence[tuple[str, Any]]) -> Iterator[wire.ContentPart]:
    for name, part in parts:
        if part is not None:
            of = f" of {message['name']}" if message.get("name") else ""
            yield {"type": "text", "text": f"{name}{of}:"}
            yield part


def _unseen(model: str, medium: Any) -> str:
    kind = medium.get("mime_type") or "a medium"
    return f"{model} is not known to accept {kind}: a tool's result is sent without it, with a line that says so."
