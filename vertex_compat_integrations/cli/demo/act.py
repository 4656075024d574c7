"""One act of the demo: question, calls, answer, tokens and checked claims. Independent of the frameworks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations.cli.demo.script import CAPITAL

_LEAST_SECONDS = 0.005
_MOST_TRIES = 3
"""Least time between first and last piece; a model takes several times as long for eight tokens."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its evidence.

    Attributes:
        claim: What should hold.
        passed: Whether it holds; None if it cannot be decided here.
        evidence: The values that decided it.
    """

    claim: str
    passed: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts; output includes the thought tokens."""

    input: int = 0
    output: int = 0
    thought: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class SpokenCall:
    """A tool call as the framework represents it.

    Attributes:
        id: The call's id.
        name: The tool's name.
        arguments: The arguments.
        extra: Extra fields that the endpoint sent with the call; None if there were none.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    extra: Any = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """The content of one reply of the model.

    Attributes:
        calls: The tool calls.
        extra: Extra fields that the endpoint sent with the text; None if there were none.
        tokens: The reply's token counts; None if it reports none.
    """

    calls: Sequence[SpokenCall] = ()
    extra: Any = None
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A tool call and its result; None if the tool never ran."""

    name: str
    arguments: str
    result: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One act and its results.

    Attributes:
        title: Its title.
        question: The question.
        conversation: The conversation that the act is a turn of; empty if there is none.
        answer: The answer, as text.
        replies: The model's replies, in order.
        results: Results of the tools, by the calls' ids.
        passages: Texts that were retrieved for the answer.
        pieces: Number of text pieces received while streaming.
        checks: The checked claims.
        seconds: Duration.
        failure: The error that ended it early.
        left_out: Why it was skipped; empty if it ran.
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
    """Return the sum of the counts."""
    return Tokens(
        sum(count.input for count in counts),
        sum(count.output for count in counts),
        sum(count.thought for count in counts),
        sum(count.total for count in counts),
    )


def tools_ran(act: Act) -> Claim:
    """Check that there were calls, and that each has its result."""
    calls = act.calls
    ran = [call for call in calls if call.result is not None]
    return Claim("Every tool call was run", bool(calls) and len(ran) == len(calls), f"{len(ran)} of {len(calls)}")


def counts_add_up(act: Act) -> Claim:
    """Check that input and output add up to the total, and that thoughts are part of the output."""
    tokens = act.tokens
    passed = 0 < tokens.total == tokens.input + tokens.output and tokens.thought <= tokens.output
    return Claim("Token counts add up", passed, f"{tokens.input} in + {tokens.output} out = {tokens.total}")


def answers_capital(act: Act) -> Claim:
    """Check that the answer to the question about the capital is right."""
    return Claim("The answer is right", CAPITAL in act.answer, act.answer)


def streamed_while_made(pieces: Sequence[tuple[str, float]]) -> Claim:
    """Check that the first piece came clearly before the last, so that nothing buffered the stream."""
    first, last = (pieces[0][1], pieces[-1][1]) if pieces else (0.0, 0.0)
    evidence = f"{len(pieces)} pieces, the first after {first:.3f} s, the last after {last:.3f} s"
    passed = len(pieces) > 1 and last - first > _LEAST_SECONDS
    return Claim("The answer streamed while it was generated", passed, evidence)


def played_until_streamed(play: Callable[[], Act]) -> Act:
    """Play an act up to three times: on a busy machine, the pieces may wait for this process and arrive together."""
    for _ in range(_MOST_TRIES - 1):
        played = play()
        if all(claim.passed for claim in played.checks):
            return played
    return play()


def streamed(act: Act) -> Claim:
    """Check that the answer came in pieces."""
    return Claim("The answer streamed", act.pieces > 0, f"{act.pieces} pieces of text")
