"""Thoughts that were streamed as answer text until a closing tag without an opening one arrived.

LangChain adds chunks together; no chunk can remove the text of an earlier one. So the text stays in the message's
`content`, and the message stores how much of it is thoughts: this package leaves that part out when it reads the
message.
"""

from typing import Any

from langchain_core.messages import BaseMessage

REASONING_KEY = "reasoning_content"
"""LangChain's own name for thoughts outside the content."""

RECALLED_KEY = "thoughts_in_content"
"""The key in `response_metadata` for the number of characters at the start of `content` that are thoughts.

They are also in `reasoning_content`; `content_blocks` and histories that are sent have them only as thoughts.
"""


def recalled_metadata(count: int) -> dict[str, int]:
    """The metadata of a chunk, for thoughts that were streamed as answer before it."""
    return {RECALLED_KEY: count} if count else {}


def own_content(message: BaseMessage) -> str | list[Any]:
    """Return the message's content without thoughts that were streamed as answer."""
    count = message.response_metadata.get(RECALLED_KEY)
    thoughts = message.additional_kwargs.get(REASONING_KEY)
    if not (isinstance(count, int) and isinstance(thoughts, str)):
        return message.content
    # A chunk has the number for the chunks before it; it is valid for a message that also has their text.
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
