"""Media that tools returned, for models that are not Gemini: a user message after the results shows them. Pure.

Sources: OpenAI's reference of Chat Completions: the content of a tool message is text, or parts of type `text` only;
images stand in user messages as `image_url`. `extra_content.google.parts` is Gemini's alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from pydantic_core import from_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts


class Shown(NamedTuple):
    """The conversation with the media where the model sees them; `notes` name what it cannot see."""

    messages: list[wire.Message]
    notes: tuple[str, ...] = ()


def show_tool_media(messages: Sequence[wire.Message], model: str, facts: ModelFacts) -> Shown:
    """The conversation with the media of tool results as parts of a user message after these results."""
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
    """The media beside a tool's result: name, and `inline_data` or `file_data`."""
    if message["role"] != "tool" or "extra_content" not in message:
        return []
    google: Any = message["extra_content"].get("google")
    parts = google.get("parts") if isinstance(google, dict) else None
    media = [part.get("inline_data") or part.get("file_data") or {} for part in parts or () if isinstance(part, dict)]
    return [(str(medium.get("display_name") or f"media_{number}"), medium) for number, medium in enumerate(media)]


def _part(medium: Any, facts: ModelFacts) -> wire.ContentPart | None:
    """The medium as a part that OpenAI's reference knows; None if the model has no place for it."""
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
    """The result as text, with a line for each medium."""
    fields = {key: value for key, value in message.items() if key != "extra_content"}
    lines = [_output(message["content"]), *(_line(name, part) for name, part in parts)]
    return cast("wire.Message", {**fields, "content": "\n".join(line for line in lines if line)})


def _line(name: str, part: Any) -> str:
    return f"({name} is shown in the next message.)" if part else f"({name} cannot be shown to this model.)"


def _output(content: Any) -> str:
    """The text beside the media, which `build_tool_message` put under `output`."""
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
    return f"{model} is not known to take {kind}: a tool's result is sent without it, and says so."
