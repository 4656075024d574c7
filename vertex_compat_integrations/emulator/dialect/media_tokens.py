"""Token counts of the media in a prompt.

Source: the cards of Gemini 2.5 and 3, with tokens per image, page of a PDF and frame of a video. Linked files are not
read, nor is the length of a video: each counts as one page or one frame.
"""

import base64
import re
from collections.abc import Sequence

from vertex_compat_integrations.emulator.chat_request import mapping, media_type, media_uri, objects
from vertex_compat_integrations.emulator.model_traits import MediaTokens
from vertex_compat_integrations.wire import Json

_PAGE = re.compile(rb"/Type\s*/Page\b")


def media_tokens(messages: Sequence[Json], costs: MediaTokens) -> int:
    """Return the tokens of all images, PDFs and videos."""
    shown = sum(_cost(part, costs) for message in messages for part in objects(message.get("content")))
    results = [medium for message in messages for medium in result_media(message)]
    return shown + sum(medium_tokens(counted_kind(kind), f"base64,{data}", costs) for kind, data in results)


def result_media(message: Json) -> list[tuple[str, str]]:
    """Return MIME type and data, or the link, of the media of a tool's result: `extra_content.google.parts`."""
    google = mapping(mapping(message.get("extra_content")).get("google"))
    media = [mapping(part.get("inline_data") or part.get("file_data")) for part in objects(google.get("parts"))]
    return [(str(medium.get("mime_type")), str(medium.get("data") or medium.get("file_uri"))) for medium in media]


def _kind(part: Json) -> str:
    """Return `image`, `video` or `application` for a counted part, otherwise an empty text."""
    return counted_kind(media_type(part) or "")


def counted_kind(mime_type: str) -> str:
    """Return `image`, `video` or `application` (a PDF); empty for other media, which count as text."""
    if mime_type == "application/pdf":
        return "application"
    family = mime_type.partition("/")[0]
    return family if family in {"image", "video"} else ""


def _cost(part: Json, costs: MediaTokens) -> int:
    return medium_tokens(_kind(part), media_uri(part), costs)


def medium_tokens(kind: str, uri: str, costs: MediaTokens) -> int:
    """Return the tokens of a medium of a counted kind; pages are counted in a data URI."""
    match kind:
        case "image":
            return costs.image
        case "application":
            return costs.page * _pages(uri)
        case "video":
            return costs.frame
        case _:
            return 0


def _pages(uri: str) -> int:
    try:
        data = base64.b64decode(uri.partition("base64,")[2])
    except ValueError:
        return 1
    return max(1, len(_PAGE.findall(data)))
