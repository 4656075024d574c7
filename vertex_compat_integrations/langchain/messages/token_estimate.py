"""An estimate of token counts, without a tokenizer and without a network call.

Gemini publishes no tokenizer in a light form. Google's rule of thumb: a token is about four characters of English;
images are 258 tokens each (Google, "Understand and count tokens"). Text outside ASCII is counted one token a character,
which is on the safe side.
"""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic_core import to_json

from vertex_compat_integrations.core.reply.tool_call import arguments_text

MEDIUM_TOKENS = 258
MESSAGE_TOKENS = 4


def estimate_text_tokens(text: str) -> int:
    """About how many tokens the text is."""
    plain = sum(character.isascii() for character in text)
    return (plain + 3) // 4 + len(text) - plain


def estimate_message_tokens(
    messages: Sequence[BaseMessage], tools: Sequence[Any] = (), count: Callable[[str], int] = estimate_text_tokens
) -> int:
    """About how many tokens the messages and the tools' declarations are; `count` counts those of a text."""
    declared = sum(count(to_json(tool, fallback=str).decode()) for tool in tools)
    return declared + sum(MESSAGE_TOKENS + _estimate_message(message, count) for message in messages)


def _estimate_message(message: BaseMessage, count: Callable[[str], int]) -> int:
    blocks = [message.content] if isinstance(message.content, str) else message.content
    calls = getattr(message, "tool_calls", None) or []
    tokens = sum(count(block) if isinstance(block, str) else _estimate_block(block, count) for block in blocks)
    return tokens + sum(count(arguments_text(call["args"]) + call["name"]) for call in calls)


def _estimate_block(block: dict[Any, Any], count: Callable[[str], int]) -> int:
    kind = block.get("type", "text")
    if kind in ("text", "reasoning"):
        return count(str(block.get("text") or block.get("reasoning") or ""))
    return 0 if kind in ("tool_call", "tool_use") else MEDIUM_TOKENS
