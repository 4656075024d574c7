"""Constructors of wire content parts: text, and media of any kind. Nothing is downloaded.

Source: Google's page on OpenAI compatibility: `image_url` takes `https://`, `gs://` (assumed to be an image) and data
URIs of any MIME type; `input_audio.data` takes any URI or base64, with any MIME type as `format`.
"""

from base64 import b64decode
from binascii import Error as BinasciiError

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnsupportedContentError

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF-", 0, "application/pdf"),
    (b"WAVE", 8, "audio/wav"),
    (b"ID3", 0, "audio/mp3"),
    (b"fLaC", 0, "audio/flac"),
    (b"OggS", 0, "audio/ogg"),
    (b"\x1aE\xdf\xa3", 0, "video/webm"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftypM4A", 4, "audio/mp4"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftyp", 4, "video/mp4"),
)


def text(value: str) -> wire.TextPart:
    """A piece of text."""
    return {"type": "text", "text": value}


def media(
    *, url: str | None = None, data: str | None = None, mime_type: str | None = None, detail: str | None = None
) -> wire.ImagePart | wire.AudioPart:
    """A medium by URL (`https:`, `gs:`, `data:`) or as base64 data.

    What the bytes say of themselves counts more than `mime_type`, which frameworks relabel.

    Raises:
        UnsupportedContentError: There is neither URL nor data, or data of no known kind.
    """
    if url is not None and url.startswith("data:"):
        head, _, data = url.removeprefix("data:").partition(",")
        mime_type = mime_type or head.partition(";")[0] or None
    if data is not None:
        return _by_data(data, sniff(data) or mime_type, detail)
    if not url:
        raise UnsupportedContentError("A content block has neither a URL nor data.")
    if mime_type and not mime_type.startswith("image/"):
        return {"type": "input_audio", "input_audio": {"data": url, "format": mime_type}}
    return _image(url, detail)


def _by_data(data: str, mime_type: str | None, detail: str | None) -> wire.ImagePart | wire.AudioPart:
    if mime_type is None:
        raise UnsupportedContentError("Data of an unknown kind.", hint="Give the content block its mime_type.")
    if mime_type.startswith("audio/"):
        return {"type": "input_audio", "input_audio": {"data": data, "format": mime_type}}
    return _image(f"data:{mime_type};base64,{data}", detail)


def _image(url: str, detail: str | None) -> wire.ImagePart:
    image: wire.ImageUrl = {"url": url}
    if detail is not None:
        image["detail"] = detail
    return {"type": "image_url", "image_url": image}


def sniff(data: str) -> str | None:
    """The MIME type that base64 data show by their first bytes; None if they show none."""
    try:
        head = b64decode(data[:64] + "=" * (-len(data[:64]) % 4))
    except (BinasciiError, ValueError):
        return None
    return next((mime_type for magic, at, mime_type in _MAGIC if head[at : at + len(magic)] == magic), None)
