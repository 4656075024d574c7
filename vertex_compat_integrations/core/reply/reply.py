"""The values that an answer is decoded to: `Reply` when it came whole, `ReplyDelta` for each piece of a stream."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from vertex_compat_integrations import wire


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for; `arguments` is the JSON string as it came, `extra` its `extra_content`."""

    id: str
    name: str
    arguments: str
    extra: wire.ExtraContent | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion; `output` holds the thoughts, `total` is the sum of `input` and `output`.

    Attributes:
        input: Tokens of the prompt.
        output: Tokens of the answer, thoughts included.
        thought: Tokens of the thoughts, a part of `output`.
        cached: Tokens read from a cache, a part of `input`.
        input_audio: Tokens of sound, a part of `input`.
        output_audio: Tokens of sound, a part of `output`.
    """

    input: int
    output: int
    thought: int = 0
    cached: int = 0
    input_audio: int = 0
    output_audio: int = 0

    @property
    def total(self) -> int:
        """All tokens."""
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Citation:
    """One place of the answer's text, and what it is grounded in.

    Attributes:
        url: Where the source is.
        title: The source's title.
        text: The words of the answer that are grounded.
        start: Index of their first character in the answer's text; None if the place is not known.
        end: Index after their last character.
    """

    url: str | None = None
    title: str | None = None
    text: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a sound in the answer: base64 data or a URL."""

    mime_type: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a completion when it is over.

    Attributes:
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or another as it came.
        finish_detail: What stood behind it, e.g. `PROHIBITED_CONTENT` of `content_filter: PROHIBITED_CONTENT`.
        usage: Token counts, if any came.
        traffic_type: `ON_DEMAND`, `PROVISIONED_THROUGHPUT`, …
        id: The completion's id.
        model: The model's name as echoed, or as asked for where none came.
        created: Seconds since 1970.
        fingerprint: `system_fingerprint`.
        logprobs: As they came.
        grounding: Grounding metadata, as it came.
        citations: What the grounding metadata say of the answer's text.
        location: Where it was answered, if there was a choice of places.
        request_type: By which capacity, if there was a choice.
        shared_request_type: By which tier of pay-as-you-go capacity, if there was a choice.
    """

    finish_reason: str | None = None
    finish_detail: str | None = None
    usage: Usage | None = None
    traffic_type: str | None = None
    id: str | None = None
    model: str | None = None
    created: int | None = None
    fingerprint: str | None = None
    logprobs: Any = None
    grounding: Any = None
    citations: tuple[Citation, ...] = ()
    location: str | None = None
    request_type: str | None = None
    shared_request_type: str | None = None

    @property
    def emulated(self) -> bool:
        """Whether the emulator answered, not Google."""
        return (self.fingerprint or "").startswith(wire.EMULATOR_FINGERPRINT)


class Reply(NamedTuple):
    """One answer.

    Attributes:
        text: The answer's text, without thoughts.
        thoughts: The thoughts, if they were told.
        tool_calls: In the order they came.
        extra: The message's own `extra_content`, opaque, to be sent back.
        media: Images and sounds.
        refusal: Why there is no answer, if the model or a filter refused.
        dropped: Calls set aside because one call at most was asked for.
        ending: Finish reason, usage, names.
    """

    text: str
    thoughts: str
    tool_calls: tuple[ToolCall, ...]
    extra: wire.ExtraContent | None
    media: tuple[Media, ...]
    refusal: str | None
    ending: Ending
    dropped: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a call. `id` and `name` stand on a call's first piece only; `index` is ours, counted from 0.

    Attributes:
        index: Which call.
        id: Its id, once.
        name: The function's name, once.
        arguments: What this piece adds to the arguments.
        extra: What this piece adds to the call's `extra_content`; no key comes twice.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: wire.ExtraContent | None = None


class ReplyDelta(NamedTuple):
    """What one chunk adds to the answer; `ending` stands on the last one only.

    Attributes:
        recalled: How many characters were told as text before and are none: all that were. They were thoughts, as a
            closing tag alone has shown, and begin this piece's `thoughts`.
    """

    text: str = ""
    thoughts: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    media: tuple[Media, ...] = ()
    extra: wire.ExtraContent | None = None
    refusal: str | None = None
    dropped: tuple[ToolCall, ...] = ()
    ending: Ending | None = None
    recalled: int = 0
