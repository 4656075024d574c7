"""Answers that a test can script: model answers, or unchanged response bodies."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.emulator.scripting.checked import Score, Status, checked
from vertex_compat_integrations.wire import Json

CutForm = Literal["close", "reset", "chunk", "clean"]
StreamErrorShape = Literal["sse_dict", "sse_list", "bare_list"]
_PASSING = 0.5


@dataclass(frozen=True, slots=True)
class DraftCall:
    """A tool call by the model.

    Attributes:
        name: The function's name.
        arguments: A JSON object as string.
        id: The call's id; None lets the emulator choose one.
        extra: The `extra_content` to send; None lets the emulator add a signature if the model signs.
    """

    name: str
    arguments: str = "{}"
    id: str | None = None
    extra: Json | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The model's answer, before it is converted to the endpoint's format."""

    text: str | None = None
    thoughts: str | None = None
    calls: tuple[DraftCall, ...] = ()
    medium: Literal["image", "audio"] | None = None
    refusal: str | None = None
    grounding: Json | None = None
    signature: str | None = None
    finish_reason: str | None = None
    usage: Json | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A completion to send unchanged; split into chunks if the request streams."""

    body: Json


@dataclass(frozen=True, slots=True)
class Frames:
    """Stream chunks to send unchanged."""

    chunks: tuple[Any, ...]
    done: bool = True


@dataclass(frozen=True, slots=True)
class Raw:
    """A body to send unchanged."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's verdict; its form depends on the request.

    Attributes:
        score: From 0 (worst) to 1.
        feedback: The explanation of the score.
    """

    score: float
    feedback: str

    @property
    def passes(self) -> bool:
        """The verdict of a judge that answers only yes or no."""
        return self.score >= _PASSING


Content: TypeAlias = Draft | Completion | Frames | Raw | Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """An error body in the middle of a stream."""

    after_chunks: int
    refusal: Refusal
    shape: StreamErrorShape = "bare_list"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where and how a reply is cut off."""

    after_chunks: int
    how: CutForm = "close"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer is sent.

    Attributes:
        delay_seconds: Pause before the response headers.
        interval_seconds: Pause between events.
        cut: Where the reply is cut off.
        failure: An error body in mid-stream.
        drops_finish: Whether finish reason and `[DONE]` are omitted.
        hangs: Whether nothing is sent at all.
    """

    delay_seconds: float = 0.0
    interval_seconds: float = 0.0
    cut: Cut | None = None
    failure: Failure | None = None
    drops_finish: bool = False
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one request.

    Attributes:
        content: The content; None means built-in behaviour.
        delivery: How it is sent.
    """

    content: Content | None = None
    delivery: Delivery = Delivery()

    def __str__(self) -> str:
        """Return a short description for test output."""
        match self.content:
            case Draft(text=words, calls=calls):
                return f"tool_call {', '.join(call.name for call in calls)}" if calls else f"text {words!r:.60}"
            case Raw(status=status):
                return f"raw answer with status {status}"
            case None:
                return "built-in answer"
            case content:
                return type(content).__name__.lower()


def builtin() -> Answer:
    """Use the built-in behaviour, as an element of a sequence of answers."""
    return Answer()


@checked
def text(
    content: str,
    *,
    thoughts: str | None = None,
    signature: str | None = None,
    finish_reason: str | None = None,
    usage: Json | None = None,
    grounding: Json | None = None,
) -> Answer:
    """Answer with text."""
    return Answer(
        Draft(
            text=content,
            thoughts=thoughts,
            signature=signature,
            finish_reason=finish_reason,
            usage=usage,
            grounding=grounding,
        )
    )


@checked
def tool_call(
    name: str, arguments: Mapping[str, Any] | str, *, id: str | None = None, extra: Json | None = None  # noqa: A002 - the wire's word
) -> Answer:  # fmt: skip
    """Answer with one tool call; arguments passed as a string are sent unchanged."""
    return tool_calls([call(name, arguments, id=id, extra=extra)])


@checked
def call(
    name: str, arguments: Mapping[str, Any] | str, *, id: str | None = None, extra: Json | None = None  # noqa: A002 - the wire's word
) -> DraftCall:  # fmt: skip
    """Return one call for `tool_calls`."""
    return DraftCall(name, _arguments(arguments), id, extra)


@checked
def tool_calls(
    calls: Sequence[DraftCall | tuple[str, Mapping[str, Any] | str]],
    *,
    text: str | None = None,
    thoughts: str | None = None,
    finish_reason: str | None = None,
    usage: Json | None = None,
) -> Answer:
    """Answer with several parallel tool calls, passed as `call(…)` or as pairs of name and arguments."""
    drafts = tuple(item if isinstance(item, DraftCall) else DraftCall(item[0], _arguments(item[1])) for item in calls)
    return Answer(Draft(text=text, thoughts=thoughts, calls=drafts, finish_reason=finish_reason, usage=usage))


@checked
def judge(score: Score, feedback: str = "Judged by the emulator.") -> Answer:
    """Answer an evaluator's prompt with a score from 0 to 1, in the form that the prompt requests.

    The form is yes or no, a grade in the prompt's range, `[RESULT]`, `[[A]]`, JSON or a tool call, as LlamaIndex's
    evaluators and judges with structured output require. A score of 0.5 or more means yes.
    """
    return Answer(Verdict(score, feedback))


@checked
def completion(body: Json) -> Answer:
    """Answer with exactly this completion; if the request streams, it is split into chunks."""
    return Answer(Completion(body))


@checked
def chunks(bodies: list[Any] | tuple[Any, ...], *, done: bool = True) -> Answer:
    """Answer with exactly these stream events; strings are sent as the event's data without encoding."""
    return Answer(Frames(tuple(bodies), done))


@checked
def raw(
    body: bytes | str | Json | list[Any],
    *,
    status: Status = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Answer with exactly this body, whatever the request is."""
    match body:
        case bytes():
            encoded = body
        case str():
            encoded = body.encode()
        case _:
            encoded = json.dumps(body, ensure_ascii=False).encode()
    return Answer(Raw(encoded, status, content_type, headers or {}))


def _arguments(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(dict(arguments), ensure_ascii=False)
