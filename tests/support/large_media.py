"""Media above and below the bound, and the emulator as Cloud Storage."""

from base64 import b64encode
from typing import Any

from vertex_compat_integrations.core.media.inline import INLINE_BYTES

PDF = b"%PDF-1.7" + bytes(INLINE_BYTES)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(INLINE_BYTES)
SMALL = b"\x89PNG\r\n\x1a\n" + bytes(1000)
BUCKET = "gs://media/chat"


def uri(content: bytes, mime_type: str = "image/png") -> str:
    """A data URI."""
    return f"data:{mime_type};base64,{b64encode(content).decode()}"


def picture(content: bytes = PICTURE) -> dict[str, Any]:
    """The content part of a picture."""
    return {"type": "image_url", "image_url": {"url": uri(content)}}


def user(*parts: dict[str, Any]) -> list[Any]:
    """One message of the user."""
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *parts]}]


def uploads(emulator: Any) -> list[Any]:
    """The requests that began an upload."""
    return [entry for entry in emulator.journal.entries if entry.method == "POST" and "/storage/" in entry.path]
