"""What the media of a prompt cost.

Source: the cards of Gemini 2.5 and 3: so many tokens for an image, a page of a PDF, a frame of a video. What stands
elsewhere is not looked at, and a video's length is not read: each counts as one page or one frame.
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
    """Tokens of all images, PDFs and videos in `image_url` parts."""
    return sum(_cost(part, costs) for message in messages for part in objects(message.get("content")))


def without_media(messages: Any) -> Any:
    """The messages without the parts that `media_tokens` counts."""
    if not isinstance(messages, list):
        return messages
    return [_without_media(message) for message in messages]


def _without_media(message: Any) -> Any:
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    content = [part for part in message["content"] if not (isinstance(part, dict) and _kind(part))]
    return {**message, "content": content}


def _kind(part: Json) -> str:
    """`image`, `video` or `application` for what is counted, else nothing."""
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
