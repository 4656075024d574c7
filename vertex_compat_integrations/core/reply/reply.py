"""The values that an answer is decoded to: `Reply` for a whole answer, `ReplyDelta` for each piece of a stream."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from vertex_compat_integrations import wire


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model requests; `arguments` is the JSON string unchanged, `extra` its `extra_content`."""

    id: str
    name: str
    arguments: str
    extra: wire.ExtraContent | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion; `output` includes the thoughts, `total` is the sum of `input` and `output`.

    Attributes:
        input: Tokens of the prompt.
        output: Tokens of the answer, thoughts included.
        thought: Tokens of the thoughts, a part of `output`.
        cached: Tokens read from a cache, a part of `input`.
        input_audio: Tokens of audio, a part of `input`.
        output_audio: Tokens of audio, a part of `output`.
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
    """A part of the answer's text, and the source that it is grounded in.

    Attributes:
        url: URL of the source.
        title: The source's title.
        text: The words of the answer that are grounded.
        start: Index of their first character in the answer's text; None if the position is not known.
        end: Index after their last character.
    """

    url: str | None = None
    title: str | None = None
    text: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An image or audio in the answer: base64 data or a URL."""

    mime_type: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """The facts of a completion that are known at its end.

    Attributes:
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or another value, unchanged.
        finish_detail: The part after the reason, e.g. `PROHIBITED_CONTENT` of `content_filter: PROHIBITED_CONTENT`.
        usage: Token counts, if there are any.
        traffic_type: `ON_DEMAND`, `PROVISIONED_THROUGHPUT`, …
        id: The completion's id.
        model: The model's name in the answer, or that of the request if the answer has none.
        created: Seconds since 1970.
        fingerprint: `system_fingerprint`.
        logprobs: Log probabilities, unchanged.
        grounding: Grounding metadata, unchanged.
        citations: Citations of the answer's text, from the grounding metadata.
        location: The location that answered, if there was a choice of places.
        request_type: The kind of capacity that answered, if there was a choice.
        shared_request_type: The tier of pay-as-you-go capacity that answered, if there was a choice.
        cost: The cost by list price (see `core.cost.meter`), if the settings ask for it.
        project: The project that answered, if there was a choice of projects.
        service_account: The service account that was impersonated, if there was a choice.
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
    cost: wire.Json | None = None
    project: str | None = None
    service_account: str | None = None

    @property
    def emulated(self) -> bool:
        """Whether the emulator answered, not Google."""
        return (self.fingerprint or "").startswith(wire.EMULATOR_FINGERPRINT)


_METADATA = {
    "finish_reason": "finish_reason",
    "finish_detail": "finish_detail",
    "id": "id",
    "created": "created",
    "system_fingerprint": "fingerprint",
    "traffic_type": "traffic_type",
    "location": "location",
    "request_type": "request_type",
    "shared_request_type": "shared_request_type",
    "cost": "cost",
    "project": "project",
    "service_account": "service_account",
    "grounding_metadata": "grounding",
    "logprobs": "logprobs",
}
METADATA_KEYS = tuple(_METADATA)
"""The keys under which the answers of both frameworks have the facts of an `Ending`."""

metadata_values = attrgetter(*_METADATA.values())
"""Returns an ending's values for these keys; what is None is left out of an answer."""


class Reply(NamedTuple):
    """One answer.

    Attributes:
        text: The answer's text, without thoughts.
        thoughts: The thoughts, if the answer has any.
        tool_calls: The tool calls, in the order received.
        extra: The message's own `extra_content`, opaque; later requests send it back.
        media: Images and audio.
        refusal: Why there is no answer, if the model or a filter refused.
        dropped: Calls that were set aside because only one call was allowed.
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
    """A piece of a call. Only a call's first piece has `id` and `name`; `index` is this package's own, from 0.

    Attributes:
        index: The number of the call.
        id: The call's id, only once.
        name: The function's name, only once.
        arguments: What this piece adds to the arguments.
        extra: What this piece adds to the call's `extra_content`; no key is repeated.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    extra: wire.ExtraContent | None = None


class ReplyDelta(NamedTuple):
    """The addition of one chunk to the answer; only the last one has `ending`.

    Attributes:
        recalled: Number of characters that were streamed as text before, all of it, but are thoughts, as a closing tag
            without an opening one has shown; this piece's `thoughts` begin with them.
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
