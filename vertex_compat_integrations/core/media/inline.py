"""Large media in a request's body, and the same body with links in their place. Pure.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini/2-5-flash, "Maximum file size per file for
inline data: 7 MB"; larger files are read from Cloud Storage (images 30 MB, PDF 50 MB).
"""

import hashlib
import mimetypes
import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import mapping_in, mappings_in
from vertex_compat_integrations.core.request.content import media

INLINE_BYTES = 7_000_000
"""Largest medium that is sent inline, in bytes before base64; see the source above."""


class Inline(NamedTuple):
    """Data of a medium in the body: base64, and its MIME type."""

    data: str
    mime_type: str

    @property
    def bytes(self) -> int:
        """Size of the medium before base64, at most."""
        return len(self.data) * 3 // 4 - self.data[-2:].count("=")


class Medium(NamedTuple):
    """A large medium.

    Attributes:
        name: The object's name without the prefix: SHA-256 of the bytes, and an extension for the MIME type.
        mime_type: MIME type.
        content: The bytes.
    """

    name: str
    mime_type: str
    content: bytes


def large_media(body: Mapping[str, Any]) -> list[Inline]:
    """Return the media of the body that are larger than `INLINE_BYTES`, each once, in their order."""
    return list(dict.fromkeys(inline for inline in _inlines(body) if inline.bytes > INLINE_BYTES))


def read(inline: Inline) -> Medium | None:
    """Decode the data and hash the bytes; None if it is not base64, which the service itself then refuses."""
    try:
        content = b64decode(inline.data, validate=True)
    except (BinasciiError, ValueError):
        return None
    mime_type = inline.mime_type
    return Medium(hashlib.sha256(content).hexdigest() + _extension(mime_type), mime_type, content)


def linked(body: wire.Json, links: Mapping[Inline, str]) -> wire.Json:
    """Return the body with links instead of these media; what does not change is shared with the passed one."""
    return {**body, "messages": [_linked_message(message, links) for message in body["messages"]]}


def _extension(mime_type: str) -> str:
    """Return an extension from which the MIME type can be guessed."""
    kind = mime_type.rpartition("/")[2]
    return mimetypes.guess_extension(mime_type) or (f".{kind}" if re.fullmatch(r"[a-z0-9]{1,8}", kind) else "")


def _inlines(body: Mapping[str, Any]) -> Iterator[Inline]:
    for message in mappings_in(body.get("messages")):
        for part in mappings_in(message.get("content")):
            if (inline := _of_part(part)) is not None:
                yield inline
        for part in _tool_parts(message):
            if (inline := _of_tool_part(part)) is not None:
                yield inline


def _tool_parts(message: Mapping[str, Any]) -> list[Any]:
    """Return the media of a tool's result: `extra_content.google.parts`, see `request/tool_message.py`."""
    return mappings_in(mapping_in(mapping_in(message.get("extra_content")).get("google")).get("parts"))


def _of_part(part: Mapping[str, Any]) -> Inline | None:
    """Return the data of an `image_url` with a data URI, or of an `input_audio` with base64."""
    match part:
        case {"type": "image_url", "image_url": {"url": str(url)}} if url.startswith("data:"):
            head, _, data = url.removeprefix("data:").partition(",")
            return Inline(data, head.partition(";")[0]) if head.endswith(";base64") else None
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(kind)}} if ":" not in data[:32]:
            return Inline(data, kind if "/" in kind else f"audio/{kind}")
        case _:
            return None


def _of_tool_part(part: Mapping[str, Any]) -> Inline | None:
    match part:
        case {"inline_data": {"data": str(data), "mime_type": str(kind)}}:
            return Inline(data, kind)
        case _:
            return None


def _linked_message(message: Any, links: Mapping[Inline, str]) -> Any:
    content = message.get("content")
    if isinstance(content, list):
        message = {**message, "content": [_linked_part(part, links) for part in content]}
    if any(_of_tool_part(part) in links for part in _tool_parts(message)):
        extra = message["extra_content"]
        parts = [_linked_tool_part(part, links) for part in extra["google"]["parts"]]
        message = {**message, "extra_content": {**extra, "google": {**extra["google"], "parts": parts}}}
    return message


def _linked_part(part: Any, links: Mapping[Inline, str]) -> Any:
    """Return the part with the link: an image as `image_url`, other media as `input_audio` with their MIME type."""
    inline = _of_part(part)
    if inline is None or inline not in links:
        return part
    detail = mapping_in(part.get("image_url")).get("detail")
    link = media(url=links[inline], mime_type=inline.mime_type, detail=cast("str | None", detail))
    more = {name: value for name, value in part.items() if name not in ("type", "image_url", "input_audio")}
    return {**link, **more}


def _linked_tool_part(part: Any, links: Mapping[Inline, str]) -> Any:
    """Return the part with `file_data`, the form that Google's page shows for tool results."""
    inline = _of_tool_part(part)
    if inline is None or inline not in links:
        return part
    fields = {name: value for name, value in part["inline_data"].items() if name != "data"}
    more = {name: value for name, value in part.items() if name != "inline_data"}
    return {"file_data": {**fields, "file_uri": links[inline]}, **more}
