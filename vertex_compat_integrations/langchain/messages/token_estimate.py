"""An estimate of token counts, without a tokenizer and without a network call.

Gemini publishes no tokenizer in a light form. Google's rule of thumb: a token is about four characters of English; the
counts for images, pages and videos are facts of the model (catalogue: `image_tokens`, `page_tokens`,
`video_frame_tokens`). Text outside ASCII counts one token per character, which is rather too high.
"""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, ToolMessage
from pydantic_core import to_json

from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.reply.tool_call import arguments_text

SOUND_TOKENS = 258
"""Tokens assumed for audio, whose length is unknown here."""

VIDEO_SECONDS = 60
"""Seconds assumed for the length of a video; one frame per second is read."""

MESSAGE_TOKENS = 4
_TEXTS = frozenset({"text", "text-plain", "input_text", "output_text", "reasoning"})
_MEDIA = frozenset(
    {
        *("image", "image_url", "input_image", "audio", "input_audio", "video"),
        *("file", "input_file", "media", "document"),
    }
)
_PAGE = re.compile(rb"/Type\s*/Page\b")


def estimate_text_tokens(text: str) -> int:
    """Estimate the number of tokens in the text."""
    plain = sum(character.isascii() for character in text)
    return (plain + 3) // 4 + len(text) - plain


def estimate_message_tokens(
    messages: Sequence[BaseMessage],
    tools: Sequence[Any] = (),
    count: Callable[[str], int] = estimate_text_tokens,
    *,
    facts: ModelFacts,
) -> int:
    """Estimate the number of tokens in the messages and the tools' declarations.

    `count` counts the tokens of a text; `facts` has the token counts of media for the model.
    """
    declared = sum(count(to_json(tool, fallback=str).decode()) for tool in tools)
    return declared + sum(MESSAGE_TOKENS + _estimate_message(message, count, facts) for message in messages)


def _estimate_message(message: BaseMessage, count: Callable[[str], int], facts: ModelFacts) -> int:
    blocks = [message.content] if isinstance(message.content, str) else message.content
    calls = getattr(message, "tool_calls", None) or []
    is_result = isinstance(message, ToolMessage)
    tokens = sum(
        count(block) if isinstance(block, str) else _estimate_block(block, count, facts, is_result=is_result)
        for block in blocks
    )
    return tokens + sum(count(arguments_text(call["args"]) + call["name"]) for call in calls)


def _estimate_block(block: dict[Any, Any], count: Callable[[str], int], facts: ModelFacts, *, is_result: bool) -> int:
    kind = block.get("type", "text")
    if kind in _TEXTS or isinstance(block.get("text"), str):
        return count(str(block.get("text") or block.get("reasoning") or ""))
    text = to_json(block, fallback=str).decode()
    if kind in _MEDIA:
        return _estimate_medium(str(kind), text, facts)
    # Calls are counted in `tool_calls`, and thoughts and other services' blocks are not sent; results are.
    return count(text) if is_result else 0


def _estimate_medium(kind: str, block: str, facts: ModelFacts) -> int:
    """Estimate the tokens of a medium, by the block's type and the MIME type in it."""
    if "application/pdf" in block:
        return facts.page_tokens * _pages_in(block)
    if kind == "video" or "video/" in block:
        return facts.video_frame_tokens * VIDEO_SECONDS
    if kind in ("audio", "input_audio") or "audio/" in block:
        return SOUND_TOKENS
    return facts.image_tokens


def _pages_in(block: str) -> int:
    """Count the pages of a PDF in the block; 1 if they cannot be counted: at a URL, or compressed."""
    data = max(re.findall(r"[A-Za-z0-9+/_=-]{64,}", block), key=len, default="")
    try:
        return len(_PAGE.findall(base64.b64decode(data))) or 1
    except ValueError:
        return 1
