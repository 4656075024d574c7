"""Unusual but valid forms of the same answer.

Sources: Google's pages for Vertex AI, captures of its AI Studio sibling, and public issues about both.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin


@dataclass(frozen=True, slots=True)
class Variant:
    """The form of built-in and scripted completions.

    Attributes:
        index: Index of streamed tool calls: right, missing, always zero, or wrong.
        calls: All parallel calls in one frame, or one frame per call.
        ids: Ids of tool calls: normal, empty, or the function's name.
        finish: `normal`, `stop_with_calls`, `absent`, or `compound:` with Gemini's own reason.
        usage: On the last chunk, on every chunk, in a trailing chunk without choices, or nowhere.
        signature: With the finish reason, or in a chunk after it.
        arguments: Whole in one delta, or in fragments with wrong indices.
        thoughts: Plain text in content, or marked and in `<thought>` tags.
        separator: Line end of events.
        done: Whether `data: [DONE]` ends the stream.
        comments: Whether keep-alive comments are sent between events.
        split_bytes: Bytes per write; 0 means whole events.
        grounding: On the message (when streaming, on its last delta), on a trailing chunk without choices (without
            streaming, at the top of the completion), or on the message in camel case.
        content: `absent`: the last delta has only a role; `null`: content is null if there are calls.
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
                raise ValueError(f"{field.name}={value!r} is invalid; use one of {', '.join(get_args(field.type))}.")
        if self.finish not in {"normal", "stop_with_calls", "absent"} and not self.finish.startswith("compound:"):
            raise ValueError(
                f"finish={self.finish!r} is invalid; use normal, stop_with_calls, absent or compound:REASON."
            )
