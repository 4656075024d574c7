"""Thoughts that were streamed as answer, until a closing tag alone showed what they are.

LangChain adds chunks up; none can take back what an earlier one brought. So the text stays in the message's `content`,
and the message tells how much of it is none: what this package reads of it leaves that out.
"""

from typing import Any

from langchain_core.messages import BaseMessage

REASONING_KEY = "reasoning_content"
"""LangChain's own name for thoughts beside the content."""

RECALLED_KEY = "thoughts_in_content"
"""Where `response_metadata` tell how many characters at the beginning of `content` are thoughts.

They stand in `reasoning_content`, too, and `content_blocks` and histories that are sent have them as thoughts only.
"""


def recalled_metadata(count: int) -> dict[str, int]:
    """What a chunk tells of thoughts that were streamed as answer before it."""
    return {RECALLED_KEY: count} if count else {}


def own_content(message: BaseMessage) -> str | list[Any]:
    """The message's content without thoughts that were streamed as answer."""
    count = message.response_metadata.get(RECALLED_KEY)
    thoughts = message.additional_kwargs.get(REASONING_KEY)
    if not (isinstance(count, int) and isinstance(thoughts, str)):
        return message.content
    # A chunk tells it of those before it; it is true of a message that has their text, too.
    recalled = thoughts[:count]
    if isinstance(message.content, str):
        return message.content.removeprefix(recalled)
    blocks = list(message.content)
    for number, block in enumerate(blocks):
        text = block if isinstance(block, str) else block.get("text")
        if isinstance(text, str) and text.startswith(recalled):
            blocks[number] = text[count:] if isinstance(block, str) else {**block, "text": text[count:]}
            break
    return blocks
