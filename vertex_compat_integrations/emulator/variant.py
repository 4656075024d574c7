"""Ugly but valid shapes in which the same answer can come.

Sources: Google's pages for Vertex AI, captures of its AI Studio sibling, and public issues about both.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin


@dataclass(frozen=True, slots=True)
class Variant:
    """How built-in and scripted completions are told.

    Attributes:
        index: Of streamed tool calls: right, missing, always zero, or wrong.
        calls: All calls of a batch in one frame, or a frame for each.
        ids: Of tool calls: normal, empty, or the function's name.
        finish: `normal`, `stop_with_calls`, `absent`, or `compound:` with Gemini's own reason.
        usage: On the last chunk, on every chunk, in a trailing chunk without choices, or nowhere.
        signature: With the finish reason, or in a chunk after it.
        arguments: Whole in one delta, or in fragments with wrong indices.
        thoughts: Plain text in content, or marked and in `<thought>` tags.
        separator: What ends a line of an event.
        done: Whether `data: [DONE]` ends the stream.
        comments: Whether keep-alive comments stand between events.
        split_bytes: How many bytes are written at a time; 0 means whole events.
        grounding: On the message (in a stream its last delta), on a trailing chunk without choices (else at the top of
            the completion), or on the message in camel case.
        content: `absent`: the last delta has a role only; `null`: content is null beside calls.
    """

    index: Literal["right", "missing", "zero", "wrong"] = "right"
    calls: Literal["one_frame", "frame_each"] = "one_frame"
    ids: Literal["normal", "empty", "name"] = "normal"
    finish: str = "normal"
    usage: Literal["last", "every", "trailing", "none"] = "last"
    signature: Literal["normal", "late"] = "normal"
    arguments: Literal["whole", "fragments"] = "whole"
    thoughts: Literal["plain", "marked"] = "plain"
    separator: Literal["lf", "crlf"] = "lf"
    done: bool = True
    comments: bool = False
    split_bytes: int = 0
    content: Literal["normal", "absent", "null"] = "normal"
    grounding: Literal["message", "trailing", "camel"] = "message"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(field.type) is Literal and value not in get_args(field.type):
                raise ValueError(f"{field.name}={value!r}; take one of {', '.join(get_args(field.type))}.")
        if self.finish not in {"normal", "stop_with_calls", "absent"} and not self.finish.startswith("compound:"):
            raise ValueError(f"finish={self.finish!r}; take normal, stop_with_calls, absent or compound:REASON.")
