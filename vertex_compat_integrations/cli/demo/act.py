"""One act of the demo: question, calls, answer, tokens and checked claims. Knows no framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations.cli.demo.script import CAPITAL

_LEAST_SECONDS = 0.02
"""Between first and last piece; a model that says eight tokens takes several times as long."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its evidence.

    Attributes:
        claim: What should hold.
        passed: Whether it does; None if it cannot be decided here.
        evidence: The values that decided.
    """

    claim: str
    passed: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts; output holds the thought tokens."""

    input: int = 0
    output: int = 0
    thought: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class SpokenCall:
    """A tool call as the framework holds it.

    Attributes:
        id: The call's id.
        name: The tool's name.
        arguments: The arguments.
        extra: What the endpoint sent beside the call; None if nothing.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    extra: Any = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model said in one reply.

    Attributes:
        calls: The tool calls.
        extra: What the endpoint sent beside the text; None if nothing.
        tokens: The reply's token counts; None if it has none.
    """

    calls: Sequence[SpokenCall] = ()
    extra: Any = None
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A tool call, and what the tool returned; None if it never ran."""

    name: str
    arguments: str
    result: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One act as it went.

    Attributes:
        title: What it is about.
        question: What was asked.
        conversation: Whose turn it is; empty if the act is no turn of a conversation.
        answer: What came back, as text.
        replies: What the model said, in order.
        results: What the tools returned, by the calls' ids.
        passages: Texts that were retrieved for the answer.
        pieces: Pieces of text that came while streaming.
        checks: What was checked.
        seconds: How long it took.
        failure: What ended it early.
        left_out: Why it was not played; empty if it was.
    """

    title: str
    question: str
    conversation: str = ""
    answer: str = ""
    replies: Sequence[Spoken] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    passages: Sequence[str] = ()
    pieces: int = 0
    checks: Sequence[Claim] = ()
    seconds: float = 0.0
    failure: Exception | None = None
    left_out: str = ""

    @property
    def calls(self) -> list[ShownCall]:
        """The tool calls in order."""
        return [
            ShownCall(
                call.name,
                ", ".join(f"{name}={value!r}" for name, value in call.arguments.items()),
                self.results.get(call.id),
            )
            for reply in self.replies
            for call in reply.calls
        ]

    @property
    def tokens(self) -> Tokens:
        """The sum over the replies."""
        return sum_of([reply.tokens for reply in self.replies if reply.tokens])


def sum_of(counts: Sequence[Tokens]) -> Tokens:
    """The counts, added up."""
    return Tokens(
        sum(count.input for count in counts),
        sum(count.output for count in counts),
        sum(count.thought for count in counts),
        sum(count.total for count in counts),
    )


def tools_ran(act: Act) -> Claim:
    """Whether there were calls, and each has its result."""
    calls = act.calls
    ran = [call for call in calls if call.result is not None]
    return Claim("Every tool call was run", bool(calls) and len(ran) == len(calls), f"{len(ran)} of {len(calls)}")


def counts_add_up(act: Act) -> Claim:
    """Whether input and output make the total, and thoughts are part of the output."""
    tokens = act.tokens
    passed = 0 < tokens.total == tokens.input + tokens.output and tokens.thought <= tokens.output
    return Claim("Token counts add up", passed, f"{tokens.input} in + {tokens.output} out = {tokens.total}")


def answers_capital(act: Act) -> Claim:
    """Whether the answer to the question about the capital is right."""
    return Claim("The answer is right", CAPITAL in act.answer, act.answer)


def streamed_while_made(pieces: Sequence[tuple[str, float]]) -> Claim:
    """Whether the first piece came clearly before the last, so that the stream was not collected on its way."""
    first, last = (pieces[0][1], pieces[-1][1]) if pieces else (0.0, 0.0)
    evidence = f"{len(pieces)} pieces, the first after {first:.2f} s, the last after {last:.2f} s"
    passed = len(pieces) > 1 and last - first > _LEAST_SECONDS
    return Claim("The answer streamed while it was made", passed, evidence)


def streamed(act: Act) -> Claim:
    """Whether the answer came in pieces."""
    return Claim("The answer streamed", act.pieces > 0, f"{act.pieces} pieces of text")
