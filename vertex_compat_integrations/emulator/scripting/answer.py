"""Answers that a test can script: what the model says, or what the wire carries verbatim."""

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
    """A tool call that the model makes.

    Attributes:
        name: The function's name.
        arguments: A JSON object as string.
        id: The call's id; None lets the emulator choose.
        extra: `extra_content` as it shall come; None lets the emulator sign where the model signs.
    """

    name: str
    arguments: str = "{}"
    id: str | None = None
    extra: Json | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model says, before it takes the shape of the endpoint's dialect."""

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
    """A completion as it shall come; cut into chunks if the request streams."""

    body: Json


@dataclass(frozen=True, slots=True)
class Frames:
    """Stream chunks as they shall come."""

    chunks: tuple[Any, ...]
    done: bool = True


@dataclass(frozen=True, slots=True)
class Raw:
    """A body as it shall come."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's word, which takes the form that the request asks for.

    Attributes:
        score: From 0, the worst, to 1.
        feedback: What is said beside it.
    """

    score: float
    feedback: str

    @property
    def passes(self) -> bool:
        """What a judge says who knows yes and no only."""
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
    """Where and how a reply breaks off."""

    after_chunks: int
    how: CutForm = "close"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer travels.

    Attributes:
        delay_seconds: Pause before the head.
        interval_seconds: Pause between events.
        cut: Where the reply breaks off.
        failure: An error body in mid-stream.
        drops_finish: The finish reason is left out, and so is `[DONE]`.
        hangs: Nothing comes at all.
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
        content: What is said; None leaves it to the built-in behaviour.
        delivery: How it travels.
    """

    content: Content | None = None
    delivery: Delivery = Delivery()

    def __str__(self) -> str:
        """In a few words, for who looks for it in a test."""
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
    """The built-in behaviour, as an element of a sequence."""
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
    """An answer in words."""
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
    """An answer that calls one tool; arguments given as string go out as they are."""
    return tool_calls([call(name, arguments, id=id, extra=extra)])


@checked
def call(
    name: str, arguments: Mapping[str, Any] | str, *, id: str | None = None, extra: Json | None = None  # noqa: A002 - the wire's word
) -> DraftCall:  # fmt: skip
    """One call for `tool_calls`."""
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
    """An answer that calls several tools at once, given as `call(…)` or as pairs of name and arguments."""
    drafts = tuple(item if isinstance(item, DraftCall) else DraftCall(item[0], _arguments(item[1])) for item in calls)
    return Answer(Draft(text=text, thoughts=thoughts, calls=drafts, finish_reason=finish_reason, usage=usage))


@checked
def judge(score: Score, feedback: str = "Judged by the emulator.") -> Answer:
    """An answer to an evaluator's question: the score, 0 to 1, in the form for which its prompt asks.

    Yes or no, a grade in the prompt's range, `[RESULT]`, `[[A]]`, JSON or a tool: as LlamaIndex's evaluators and
    judges with structured output ask. From 0.5 on it is a yes.
    """
    return Answer(Verdict(score, feedback))


@checked
def completion(body: Json) -> Answer:
    """An answer with this very completion; a stream tells the same in chunks."""
    return Answer(Completion(body))


@checked
def chunks(bodies: list[Any] | tuple[Any, ...], *, done: bool = True) -> Answer:
    """An answer with these very events; strings go out as the event's data unencoded."""
    return Answer(Frames(tuple(bodies), done))


@checked
def raw(
    body: bytes | str | Json | list[Any],
    *,
    status: Status = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An answer with this very body, whatever the request asks for."""
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
