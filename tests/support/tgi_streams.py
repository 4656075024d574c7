"""What containers with Hugging Face's TGI stream where there are tools, after its source and its tests' snapshots.

2.0 to 3.1: `tool_calls` of a delta is one object without id and name, whose arguments add up to
`{"function": {"_name": …}}` and the model's end-of-turn token; an answer in words ends with `[DONE]` alone.
From 3.2 on: the name comes with the first fragment, and a turn of calls ends with `[DONE]` alone.
"""

from collections.abc import Iterable
from typing import Any

Chunk = dict[str, Any]
CITY = '{"city": "Paris"}'


def chunk(delta: Chunk, finish: str | None = None) -> Chunk:
    """One event."""
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "logprobs": None, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "id": "", "created": 7, "model": "tgi", "choices": [choice]}


def _pieces(text: str) -> Iterable[str]:
    return (text[start : start + 7] for start in range(0, len(text), 7))


def old_piece(arguments: str, finish: str | None = None) -> Chunk:
    """A token of a call, as TGI 2.0 to 3.1 tells it."""
    function = {"name": None, "arguments": arguments}
    return chunk({"tool_calls": {"index": 0, "id": "", "type": "function", "function": function}}, finish)


def old_call(finish: str = "stop", end: str = "<|eot_id|>", generated: str | None = None) -> list[Chunk]:
    """A call of `get_weather` as TGI 2.0 to 3.1 streams it; `generated` is what the model wrote."""
    told = generated or '{"function": {"_name": "get_weather", "city": "Paris"}}'
    return [*map(old_piece, _pieces(told)), old_piece(end, finish)]


def old_words() -> list[Chunk]:
    """An answer in words as TGI 2.4 to 3.1 streams it where there are tools."""
    return [chunk({"content": "It"}), chunk({"content": " rains."})]


def new_call(arguments: str = CITY) -> list[Chunk]:
    """A call of `get_weather` as TGI 3.2 and later streams it."""
    names = ["get_weather", *[None] * len(arguments)]
    return [
        chunk(
            {
                "tool_calls": [
                    {"index": 0, "id": "0", "type": "function", "function": {"name": name, "arguments": piece}}
                ]
            }
        )
        for name, piece in zip(names, _pieces(arguments), strict=False)
    ]
