"""The four ways to ask a chat model, each ending in one message."""

from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, BaseMessage

WAYS = ("invoke", "ainvoke", "stream", "astream")
each_way = pytest.mark.parametrize("way", WAYS)


async def ask(model: Any, way: str, prompt: Any, **call: Any) -> BaseMessage:
    """The answer; a streamed one added up."""
    match way:
        case "invoke":
            return model.invoke(prompt, **call)
        case "ainvoke":
            return await model.ainvoke(prompt, **call)
        case "stream":
            return _added_up(list(model.stream(prompt, **call)))
        case _:
            return _added_up([chunk async for chunk in model.astream(prompt, **call)])


def _added_up(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole
