"""What a tool returned, as content parts → the content of a tool message; media travel beside the text.

Source: Google's page on OpenAI compatibility, "Multimodal function response": `extra_content.google.parts` of the tool
message holds the media, and the text refers to them by `{"$ref": display_name}`. The page shows `file_data`;
`inline_data` is the native API's twin of it, unverified live on this endpoint.
"""

from collections.abc import Sequence

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.request.content import guess_by_name


def build_tool_message(
    call_id: str,
    parts: Sequence[wire.ContentPart],
    name: str | None = None,
    mime_types: Sequence[str | None] = (),
) -> wire.ToolMessage:
    """The tool message with these parts; `mime_types` holds the type of each, where the caller knows it.

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
    """A medium as `inline_data` or `file_data`, named so that the text can refer to it."""
    name = _display_name(number)
    match part:
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            mime_type = mime_type or guess_by_name(url) or "image/*"
        case {"type": "input_audio", "input_audio": {"data": str(url), "format": str(mime_type)}}:
            pass
        case _:
            raise UnsupportedContentError("A tool result with a part that is no medium.")
    if url.startswith("data:"):
        head, _, url = url.removeprefix("data:").partition(",")
        return {"inline_data": {"mime_type": head.partition(";")[0], "display_name": name, "data": url}}
    if "://" in url:
        return {"file_data": {"mime_type": mime_type, "display_name": name, "file_uri": url}}
    return {"inline_data": {"mime_type": mime_type, "display_name": name, "data": url}}
