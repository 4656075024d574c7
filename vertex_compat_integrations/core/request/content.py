"""Builders for content parts of the request: text, and media of any kind. Nothing is downloaded.

Source: Google's page on OpenAI compatibility: `image_url` accepts `https://`, `gs://` (assumed to be an image) and data
URIs of any MIME type; `input_audio.data` accepts any URI or base64, with any MIME type as `format`.
"""

import mimetypes
import warnings
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnsupportedContentError, VertexCompatWarning
from vertex_compat_integrations.core.json_values import JsonObject

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF-", 0, "application/pdf"),
    (b"WAVE", 8, "audio/wav"),
    (b"AVI ", 8, "video/x-msvideo"),
    (b"AIFF", 8, "audio/aiff"),
    (b"ID3", 0, "audio/mp3"),
    (b"\xff\xfb", 0, "audio/mp3"),
    (b"\xff\xf3", 0, "audio/mp3"),
    (b"\xff\xf1", 0, "audio/aac"),
    (b"\xff\xf9", 0, "audio/aac"),
    (b"fLaC", 0, "audio/flac"),
    (b"OggS", 0, "audio/ogg"),
    (b"\x1aE\xdf\xa3", 0, "video/webm"),
    (b"FLV\x01", 0, "video/x-flv"),
    (b"\x00\x00\x01\xba", 0, "video/mpeg"),
    (b"\x00\x00\x01\xb3", 0, "video/mpeg"),
    (b"ftyphe", 4, "image/heic"),
    (b"ftypavi", 4, "image/avif"),
    (b"ftypmif1", 4, "image/heif"),
    (b"ftyp3gp", 4, "video/3gpp"),
    (b"ftypM4A", 4, "audio/mp4"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftyp", 4, "video/mp4"),
)

_NAMESPACES = ("google", "vertex")

_CONTAINERS = frozenset({"audio/ogg", "audio/mp4", "video/webm", "video/mp4", "video/quicktime", "video/3gpp"})
"""Containers of audio or video; their first bytes do not show which."""


def text(value: str) -> wire.TextPart:
    """Build a text part."""
    return {"type": "text", "text": value}


def media(
    *, url: str | None = None, data: str | None = None, mime_type: str | None = None, detail: str | None = None
) -> wire.ImagePart | wire.AudioPart:
    """Build the part for a medium by URL (`https:`, `gs:`, `data:`) or as base64 data.

    The type that the first bytes show overrides `mime_type`, which frameworks often set wrongly. Without either, the
    URL's file extension decides, because the endpoint treats every URL as an image.

    Raises:
        UnsupportedContentError: There is neither a URL nor data, or the data's kind is unknown.
    """
    if url is not None and url.startswith("data:"):
        data, declared = _split_data_uri(url)
        mime_type = mime_type or declared
    if data:
        return _by_data(data, _truer(sniff(data), mime_type), detail)
    if not url or data is not None:
        raise UnsupportedContentError("A content block has neither a URL nor data.")
    refuse_unreachable(url)
    mime_type = mime_type or guess_by_name(url)
    if mime_type and not mime_type.startswith("image/"):
        return {"type": "input_audio", "input_audio": {"data": url, "format": mime_type}}
    return _image(url, detail)


_REACHABLE = ("https://", "http://", "gs://", "data:")
_OTHERS_FILES = ("https://generativelanguage.googleapis.com/",)
"""URLs of files stored by another service; the Files API of the Gemini API does not exist on Vertex AI."""


def refuse_unreachable(url: str) -> None:
    """Refuse a URL or file id that Google cannot fetch.

    Source: Google's page on OpenAI compatibility: `https://`, `gs://` and data URIs. For others, the service's own
    error is "Unsupported file uri" (BerriAI/litellm#11529).

    Raises:
        UnsupportedContentError: Google cannot fetch the URL, e.g. `file://…`, `repo://…`, `file-abc123` or a file of
            the Gemini API; or it is base64 data without the prefix `data:…;base64,`.
    """
    if url.lower().startswith(_REACHABLE) and not url.startswith(_OTHERS_FILES):
        return
    if kind := sniff(url):
        raise UnsupportedContentError(
            f"Base64 data in the place of a link: {url[:40]!r}.", hint=f'Put "data:{kind};base64," before the data.'
        )
    raise UnsupportedContentError(
        f"Google cannot fetch {url[:100]!r}.",
        hint="Send the data itself as base64, or a link that begins with https:// or gs://.",
    )


def openai_file(file: JsonObject) -> wire.ContentPart:
    """Build the part for OpenAI's `file`, by its data or by its id, which may be a link.

    Raises:
        UnsupportedContentError: The id belongs to a file that another service stores.
    """
    kind = file.get("format") or file.get("mime_type")
    if isinstance(uri := file.get("file_id") or file.get("file_uri"), str) and uri:
        return media(url=uri, mime_type=str(kind or "application/pdf"))
    data = file.get("file_data")
    if not isinstance(data, str):
        raise UnsupportedContentError("A file without data.", hint="Set its file_data.")
    if data.startswith("data:"):
        return media(url=data)
    # Some programs omit the prefix of the data URI.
    kind = kind or guess_by_name(str(file.get("filename") or ""))
    return media(data=data, mime_type=str(kind) if kind else None)


def _split_data_uri(uri: str) -> tuple[str, str | None]:
    """Return the data as base64, and the MIME type that the URI declares."""
    head, _, data = uri.removeprefix("data:").partition(",")
    # RFC 2397: without the word base64, the data is percent-encoded.
    if head.rpartition(";")[2].strip().lower() != "base64":
        data = b64encode(unquote_to_bytes(data)).decode()
    return data, head.partition(";")[0] or None


def guess_by_name(name: str | None) -> str | None:
    """Guess the MIME type from the extension of a file's name or a URL; None if it is unknown."""
    return mimetypes.guess_type(name.partition("?")[0].partition("#")[0])[0] if name else None


def _truer(sniffed: str | None, declared: str | None) -> str | None:
    """Choose the MIME type: the bytes' type, unless the declared one is another use of the same container."""
    if sniffed in _CONTAINERS and declared and declared.startswith(("audio/", "video/")):
        return declared
    return sniffed or declared


def _by_data(data: str, mime_type: str | None, detail: str | None) -> wire.ImagePart | wire.AudioPart:
    if mime_type is None:
        raise UnsupportedContentError("Data of an unknown kind.", hint="Set the content block's mime_type.")
    if mime_type.startswith("audio/"):
        return {"type": "input_audio", "input_audio": {"data": data, "format": mime_type}}
    return _image(f"data:{mime_type};base64,{data}", detail)


def _image(url: str, detail: str | None) -> wire.ImagePart:
    image: wire.ImageUrl = {"url": url}
    if detail is not None:
        image["detail"] = detail
    return {"type": "image_url", "image_url": image}


def own_extra(holder: JsonObject) -> wire.ExtraContent | None:
    """Return the `extra_content` that a block or a message has itself, for Google's fields on it.

    Older Google pages called it `extra_part`, with the fields either directly in it or under `extra_content`.
    """
    own = holder.get("extra_content")
    extra: wire.ExtraContent = dict(own) if isinstance(own, Mapping) else {}
    older = holder.get("extra_part")
    if isinstance(older, Mapping):
        warnings.warn(
            "extra_part is no longer on Google's pages: it is sent as extra_content.", VertexCompatWarning, stacklevel=2
        )
        extra = _with_extra_part(extra, older)
    return extra or None


def _with_extra_part(extra: wire.ExtraContent, older: JsonObject) -> wire.ExtraContent:
    inner = older.get("extra_content")
    extra |= dict(inner) if isinstance(inner, Mapping) else {}
    extra |= {key: older[key] for key in _NAMESPACES if key in older}
    bare = {key: value for key, value in older.items() if key not in ("extra_content", *_NAMESPACES)}
    if bare:
        extra["google"] = {**(extra.get("google") or {}), **bare}
    return extra


def sniff(data: str) -> str | None:
    """Detect the MIME type of base64 data from its first bytes; None if they do not show it."""
    try:
        head = b64decode(data[:64] + "=" * (-len(data[:64]) % 4))
    except (BinasciiError, ValueError):
        return None
    return next((mime_type for magic, at, mime_type in _MAGIC if head[at : at + len(magic)] == magic), None)


def with_content(messages: Sequence[wire.Message]) -> list[wire.Message]:
    """Return the messages without those that have neither content nor calls, and so no tokens."""
    return [
        message
        for message in messages
        if message["role"] == "tool" or message.get("tool_calls") or any(map(_is_content, parts_of(message)))
    ]


def _is_content(part: Mapping[str, Any]) -> bool:
    return part.get("type") != "text" or bool(part.get("text"))


def parts_of(message: wire.Message) -> list[Any]:
    """Return the content of a message as parts; a string becomes one text part."""
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())
