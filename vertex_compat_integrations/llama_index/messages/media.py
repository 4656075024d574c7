"""LlamaIndex's media blocks → content parts. URLs of any scheme are sent unchanged; only local files are read."""

import mimetypes
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import IOBase
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    CitableBlock,
    DocumentBlock,
    ImageBlock,
    VideoBlock,
)
from llama_index.core.schema import ImageDocument, ImageNode

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.request import content

MediaBlock = ImageBlock | AudioBlock | VideoBlock | DocumentBlock

_AUDIO_FORMATS = {
    "mpeg": "audio/mpeg",
    "mpga": "audio/mpeg",
    "m4a": "audio/mp4",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
}
"""Extensions that are not the name of their MIME subtype."""

_KIND_ARGUMENTS = {
    "ImageBlock": 'image_mimetype="image/png"',
    "AudioBlock": 'format="mp3"',
    "VideoBlock": 'video_mimetype="video/mp4"',
    "DocumentBlock": 'document_mimetype="application/pdf"',
}
"""The argument of each block that sets the kind, with an example."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The location of a block's medium, and its declared type."""

    data: bytes | IOBase | None
    path: Path | str | None
    url: str | None
    mime_type: str | None
    detail: str | None = None


def image_blocks(documents: Iterable[object]) -> list[ImageBlock]:
    """Convert image blocks, image nodes and image documents to blocks.

    Raises:
        UnsupportedContentError: An object is something else, or its data is not base64.
    """
    return [_image_block(document) for document in documents]


def _image_block(document: object) -> ImageBlock:
    if isinstance(document, ImageBlock):
        return document
    hint = "Pass ImageBlock, ImageNode or ImageDocument objects with a picture."
    if not isinstance(document, ImageNode | ImageDocument):
        raise UnsupportedContentError(f"image_documents= holds a {type(document).__name__}.", hint=hint)
    if document.image:
        try:
            return ImageBlock(image=b64decode(document.image, validate=True), image_mimetype=document.image_mimetype)
        except BinasciiError:
            raise UnsupportedContentError("An image document whose image= is not base64.", hint=hint) from None
    # LlamaIndex's readers put the file's name into the metadata.
    path = document.image_path or (None if document.image_url else document.metadata.get("file_path"))
    if not path and not document.image_url:
        raise UnsupportedContentError("An image document without a picture.", hint=hint)
    place: dict[str, Any] = {"path": path} if path else {"url": document.image_url}
    return ImageBlock(**place, image_mimetype=document.image_mimetype)


def need_reading(messages: Sequence[ChatMessage]) -> bool:
    """Return whether a message holds media in files or streams, which take time to read."""
    return any(_needs_reading(block) for message in messages for block in getattr(message, "blocks", ()))


def _needs_reading(block: object) -> bool:
    if isinstance(block, CitableBlock):
        return any(_needs_reading(inner) for inner in block.content)
    return isinstance(block, MediaBlock) and (block.path is not None or isinstance(_source_of(block).data, IOBase))


def encode_medium(block: MediaBlock) -> wire.ContentPart:
    """Convert the block to a part: media unchanged, documents of plain text as text.

    Raises:
        UnsupportedContentError: The block is empty, or of an unknown kind, or has a setting that the endpoint lacks.
    """
    source = _source_of(block)
    if source.data is None and source.path is None:
        return _by_url(source, type(block).__name__)
    data = _base64_of(source)
    mime_type = source.mime_type or _guess_by_name(source.path)
    if isinstance(block, DocumentBlock) and (text := _plain_text(data, mime_type)) is not None:
        return content.text(text)
    if data and not mime_type and content.sniff(data) is None:
        kind = type(block).__name__
        raise UnsupportedContentError(f"{kind}: its data is of an unknown kind.", hint=f"Add {_KIND_ARGUMENTS[kind]}.")
    return content.media(data=data, mime_type=mime_type, detail=source.detail)


def _source_of(block: MediaBlock) -> _Source:
    url = str(block.url) if block.url else None
    match block:
        case ImageBlock():
            return _Source(block.image, block.path, url, block.image_mimetype, block.detail)
        case AudioBlock():
            return _Source(block.audio, block.path, url, _audio_type(block.format))
        case VideoBlock():
            if block.fps is not None:
                raise UnsupportedContentError("VideoBlock.fps has no field on this endpoint.", hint="Leave it out.")
            return _Source(block.video, block.path, url, block.video_mimetype, block.detail)
        case DocumentBlock():
            return _Source(block.data, block.path, url, block.document_mimetype)


def _audio_type(extension: str | None) -> str | None:
    if not extension or "/" in extension:
        return extension or None
    return _AUDIO_FORMATS.get(extension.lower(), f"audio/{extension.lower()}")


def _by_url(source: _Source, kind: str) -> wire.ContentPart:
    mime_type = source.mime_type or _guess_by_name(source.url)
    if source.url and not mime_type and kind != "ImageBlock" and not source.url.startswith("data:"):
        raise UnsupportedContentError(
            f"{kind}: its URL does not end like a file of a known kind.", hint=f"Add {_KIND_ARGUMENTS[kind]}."
        )
    return content.media(url=source.url, mime_type=mime_type, detail=source.detail)


def _guess_by_name(name: Path | str | None) -> str | None:
    return mimetypes.guess_type(str(name).partition("?")[0])[0] if name else None


def _base64_of(source: _Source) -> str:
    """Return the medium as base64 text; blocks already store bytes as base64, but not streams and files."""
    match source.data:
        case bytes():
            return source.data.decode()
        case None:
            return b64encode(Path(str(source.path)).read_bytes()).decode()
        case stream:
            stream.seek(0)
            return b64encode(stream.read()).decode()


def _plain_text(data: str, mime_type: str | None) -> str | None:
    """Return the text of a document that is text, such as JSON; None for other documents.

    Of media types for documents, Gemini accepts PDF and plain text.
    """
    family, _, kind = (mime_type or "application/").partition("/")
    if family not in ("text", "application") or kind == "pdf":
        return None
    if family == "application" and content.sniff(data) is not None:
        return None
    try:
        text = b64decode(data, validate=True).decode()
    except (BinasciiError, ValueError):
        return None
    return None if "\0" in text else text
