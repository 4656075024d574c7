"""Bodies as the endpoint and its relatives send them, and what the core makes of them."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations.core.reply.reply import Ending, Media, ReplyDelta, ToolCall
from vertex_compat_integrations.core.reply.stream import StreamDecoder

MODEL = "google/gemini-3.5-flash"
HELLO = [{"role": "user", "content": "Say hello."}]


def signed(signature: str, namespace: str = "google") -> dict[str, Any]:
    return {namespace: {"thought_signature": signature}}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **top: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    choice = {"delta": delta or {}, "index": 0, "logprobs": None} | ({"finish_reason": finish} if finish else {})
    return {"choices": [choice], "id": "c1", "object": "chat.completion.chunk", "model": MODEL, "created": 1} | top


def words(*pieces: str, finish: str | None = "stop") -> list[dict[str, Any]]:
    """Chunks that say the pieces."""
    told = [chunk({"role": "assistant", "content": piece}) for piece in pieces]
    return [*told, chunk(finish=finish)] if finish else told


def completion(message: dict[str, Any] | None, finish: str | None = "stop", **top: Any) -> dict[str, Any]:
    """A completion with one choice; None leaves the message or the finish reason out."""
    choice: dict[str, Any] = {"index": 0}
    choice |= {"message": {"role": "assistant", **message}} if message is not None else {}
    choice |= {"finish_reason": finish} if finish is not None else {}
    return {"choices": [choice], "id": "c1", "object": "chat.completion", "model": MODEL, "created": 1} | top


def call_piece(name: str | None = None, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    """A piece of a tool call, or a whole one."""
    function = {"name": name} if name is not None else {}
    function |= {"arguments": arguments} if arguments is not None else {}
    return {"type": "function", "function": function, **more}


def assistant_calls(*calls: tuple[str, str], **more: Any) -> dict[str, Any]:
    """An assistant's message with calls, given as pairs of id and name."""
    made = [{"id": key, "type": "function", "function": {"name": name, "arguments": "{}"}} for key, name in calls]
    return {"role": "assistant", "tool_calls": made, **more}


def result(call_id: str, content: str = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


@dataclass
class Joined:
    """The pieces of a streamed answer, put together as a framework would."""

    text: str = ""
    thoughts: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    extra: dict[str, Any] | None = None
    refusal: str | None = None
    dropped: tuple[ToolCall, ...] = ()
    ending: Ending | None = None


def join(deltas: Iterable[ReplyDelta]) -> Joined:
    """The whole answer; fails if a delta breaks a promise of `ReplyDelta` or `ToolCallDelta`."""
    joined = Joined()
    for delta in deltas:
        assert joined.ending is None, "a delta after the last one"
        if delta.recalled:
            assert delta.recalled == len(joined.text), "all that was told as text is recalled"
            assert delta.thoughts.startswith(joined.text), "and is told again as thoughts"
            joined.text = ""
        joined.text += delta.text
        joined.thoughts += delta.thoughts
        joined.media += delta.media
        for piece in delta.tool_calls:
            if piece.index == len(joined.calls):
                assert piece.id, "a call's first piece has its id"
                joined.calls.append(ToolCall(piece.id, piece.name or "", piece.arguments, piece.extra))
                continue
            known = joined.calls[piece.index]
            assert piece.id is None
            assert piece.name is None, "id and name stand on the first piece only"
            extra = merged_extra(known.extra, piece.extra)
            joined.calls[piece.index] = ToolCall(known.id, known.name, known.arguments + piece.arguments, extra)
        joined.extra, joined.refusal = delta.extra, delta.refusal
        joined.dropped, joined.ending = delta.dropped, delta.ending
    return joined


def merged_extra(known: dict[str, Any] | None, added: dict[str, Any] | None) -> dict[str, Any] | None:
    if not known or not added:
        return known or added
    merged = dict(known)
    for namespace, value in added.items():
        assert not set(merged.get(namespace, {})) & set(value), "no key comes twice"
        merged[namespace] = {**merged.get(namespace, {}), **value}
    return merged


def decode(chunks: Sequence[dict[str, Any]], **settings: Any) -> Joined:
    """What a `StreamDecoder` makes of the chunks."""
    decoder = StreamDecoder(**settings)
    fed = [delta for each in chunks if (delta := decoder.feed(each)) is not None]
    return join([*fed, decoder.finish()])


def sse(chunks: Sequence[Any], *, done: bool = True, line_end: str = "\n") -> bytes:
    """The chunks as server-sent events."""
    data = [json.dumps(each) for each in chunks] + (["[DONE]"] if done else [])
    return "".join(f"data: {each}{line_end}{line_end}" for each in data).encode()


def functions(*names: str) -> list[dict[str, Any]]:
    """Declarations of tools without parameters."""
    return [{"type": "function", "function": {"name": name, "description": f"{name}."}} for name in names]


def stepping(*values: float) -> Callable[[], float]:
    """A clock that shows these values, and then the last one for ever."""
    shown = list(values)
    return lambda: shown.pop(0) if len(shown) > 1 else shown[0]
