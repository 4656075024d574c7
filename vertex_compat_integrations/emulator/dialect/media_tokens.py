"""Token counts of the media in a prompt.

Source: the cards of Gemini 2.5 and 3, with tokens per image, page of a PDF and frame of a video. Linked files are not
read, nor is the length of a video: each counts as one page or one frame.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any

from vertex_compat_integrations.emulator.chat_request import media_type, media_uri, objects
from vertex_compat_integrations.emulator.model_traits import MediaTokens
from vertex_compat_integrations.wire import Json

_PAGE = re.compile(rb"/Type\s*/Page\b")


def media_tokens(messages: Sequence[Json], costs: MediaTokens) -> int:
    """Return the tokens of all images, PDFs and videos in `image_url` parts."""
    return sum(_cost(part, costs) for message in messages for part in objects(message.get("content")))


def without_media(messages: Any) -> Any:
    """Return the messages without the parts that `media_tokens` counts."""
    if not isinstance(messages, list):
        return messages
    return [_without_media(message) for message in messages]


def _without_media(message: Any) -> Any:
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    content = [part for part in message["content"] if not (isinstance(part, dict) and _kind(part))]
    return {**message, "content": content}


def _kind(part: Json) -> str:
    """Return `image`, `video` or `application` for a counted part, otherwise an empty text."""
    kind = media_type(part) if part.get("type") == "image_url" else None
    if kind == "application/pdf":
        return "application"
    family = (kind or "").partition("/")[0]
    return family if family in {"image", "video"} else ""


def _cost(part: Json, costs: MediaTokens) -> int:
    match _kind(part):
        case "image":
            return costs.image
        case "application":
            return costs.page * _pages(media_uri(part))
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
