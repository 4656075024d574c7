"""Splits a completion into stream chunks, in any variant.

The default form is Google's own on Vertex AI: the role in every delta, whole arguments, finish reason and usage on the
last chunk, no chunk without choices.
"""

import re
from collections.abc import Iterator
from typing import Any

from vertex_compat_integrations.emulator.chat_request import mapping, objects
from vertex_compat_integrations.emulator.dialect.completion import WrittenCompletion
from vertex_compat_integrations.emulator.variant import Variant
from vertex_compat_integrations.wire import Json

_MOST_PIECES = 12
_OWN_KEYS = {"role", "content", "reasoning_content", "tool_calls", "extra_content"}
_VALUE_END = re.compile(r'(?<!\\)(?="\s*[,}\]])')


def stream_chunks(written: WrittenCompletion, variant: Variant) -> list[Json]:
    """Return the chunks of a completion."""
    body = written.completion
    envelope = {key: value for key, value in body.items() if key not in {"choices", "usage"}}
    envelope["object"] = "chat.completion.chunk"
    choices = [
        choice
        for each in objects(body.get("choices"))
        for choice in _choice_chunks(each, written.marked_length, variant)
    ]
    trailing = {"extra_content": envelope.pop("extra_content")} if "extra_content" in envelope else {}
    chunks: list[Json] = [{"choices": [choice], **envelope} for choice in choices] or [{"choices": [], **envelope}]
    counted = _with_usage(chunks, body.get("usage"), variant)
    return [*counted, {"choices": [], **envelope, **trailing}] if trailing else counted


def pieces(text: str) -> list[str]:
    """Split the text into several pieces: at spaces, or in halves if there are none."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text) or [text]
    if len(words) == 1:
        middle = (len(text) + 1) // 2
        return [piece for piece in (text[:middle], text[middle:]) if piece]
    size = -(-len(words) // _MOST_PIECES)
    return ["".join(words[start : start + size]) for start in range(0, len(words), size)]


def _choice_chunks(choice: Json, marked_length: int, variant: Variant) -> Iterator[Json]:
    deltas = list(_deltas(mapping(choice.get("message")), marked_length, variant))
    late = deltas.pop() if variant.signature == "late" and len(deltas) > 1 and _is_signature(deltas[-1]) else None
    if variant.content == "absent" or not deltas:
        deltas.append({})
    for place, delta in enumerate(deltas):
        chunk_choice = _choice(delta, choice)
        if place == len(deltas) - 1 and choice.get("finish_reason") is not None:
            chunk_choice["finish_reason"] = choice["finish_reason"]
        yield chunk_choice
    if late:
        yield _choice({**late, "content": None}, choice)


def _choice(delta: Json, choice: Json) -> Json:
    return {"delta": {**delta, "role": "assistant"}, "index": choice.get("index", 0), "logprobs": None}


def _is_signature(delta: Json) -> bool:
    return "extra_content" in delta and not delta.get("content")


def _deltas(message: Json, marked_length: int, variant: Variant) -> Iterator[Json]:
    others = {key: value for key, value in message.items() if key not in _OWN_KEYS}
    if others:
        yield others
    for piece in pieces(str(message.get("reasoning_content") or "")):
        yield {"reasoning_content": piece}
    content = str(message.get("content") or "")
    for piece in pieces(content[:marked_length]):
        yield {"content": piece, "extra_content": {"google": {"thought": True}}}
    for piece in pieces(content[marked_length:]):
        yield {"content": piece}
    yield from _call_deltas(objects(message.get("tool_calls")), variant)
    if message.get("extra_content") is not None:
        yield {"content": "", "extra_content": message["extra_content"]}


def _call_deltas(calls: list[Json], variant: Variant) -> Iterator[Json]:
    if variant.arguments == "fragments":
        yield from _fragment_deltas(calls, variant)
        return
    indexed = [_indexed(call, _whole_index(place, len(calls), variant)) for place, call in enumerate(calls)]
    if variant.calls == "frame_each":
        yield from ({"tool_calls": [call]} for call in indexed)
    elif indexed:
        yield {"tool_calls": indexed}


def _whole_index(place: int, count: int, variant: Variant) -> int | None:
    match variant.index:
        case "missing":
            return None
        case "zero":
            return 0
        case "wrong":
            return count - place if count == 1 else count - 1 - place
        case _:
            return place


def _fragment_deltas(calls: list[Json], variant: Variant) -> Iterator[Json]:
    """Stream arguments as Google does: an opening chunk with a wrong index, then fragments, each with name and id."""
    for place, call in enumerate(calls):
        function = mapping(call.get("function"))
        opening = {**call, "function": {**function, "arguments": ""}}
        yield {"tool_calls": [_indexed(opening, _fragment_index(place, variant, is_opening=True))]}
        bare = {key: value for key, value in call.items() if key != "extra_content"}
        for fragment in _argument_fragments(str(function.get("arguments", ""))):
            continued = {**bare, "function": {**function, "arguments": fragment}}
            yield {"tool_calls": [_indexed(continued, _fragment_index(place, variant, is_opening=False))]}


def _fragment_index(place: int, variant: Variant, *, is_opening: bool) -> int | None:
    match variant.index:
        case "missing":
            return None
        case "zero":
            return 0
        case _:
            # As documented: call A opens at 1 and continues at 0, call B opens at 0 and continues at 1.
            swapped = 1 - place if place < 2 else place + 1
            return swapped if is_opening else place


def _argument_fragments(arguments: str) -> list[str]:
    fragments = [fragment for fragment in _VALUE_END.split(arguments) if fragment]
    if len(fragments) == 1 and len(arguments) > 2:
        return pieces(arguments)
    return fragments


def _indexed(call: Json, index: int | None) -> Json:
    bare = {key: value for key, value in call.items() if key != "index"}
    return bare if index is None else {**bare, "index": index}


def _with_usage(chunks: list[Json], usage: Any, variant: Variant) -> list[Json]:
    if not isinstance(usage, dict) or variant.usage == "none":
        return chunks
    match variant.usage:
        case "trailing":
            return [*chunks, {**chunks[-1], "choices": [], "usage": usage}]
        case "every":
            count = len(chunks)
            return [{**chunk, "usage": _usage_so_far(usage, k + 1, count)} for k, chunk in enumerate(chunks)]
        case _:
            return [*chunks[:-1], {**chunks[-1], "usage": usage}]


def _usage_so_far(usage: Json, sent: int, count: int) -> Json:
    if sent == count or not isinstance(usage.get("completion_tokens"), int):
        return usage
    missing = usage["completion_tokens"] - usage["completion_tokens"] * sent // count
    so_far = {**usage, "completion_tokens": usage["completion_tokens"] - missing}
    if isinstance(usage.get("total_tokens"), int):
        so_far["total_tokens"] = usage["total_tokens"] - missing
    return so_far
