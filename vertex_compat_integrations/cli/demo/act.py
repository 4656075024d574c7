"""What one act of the demo was: question, calls, answer, tokens, and what was checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage


@dataclass(frozen=True, slots=True)
class Check:
    """A claim and its evidence.

    Attributes:
        claim: What should hold.
        passed: Whether it does; None if it cannot be told here.
        evidence: The values that decided.
    """

    claim: str
    passed: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A tool call, and what the tool returned; None if it never ran."""

    name: str
    arguments: str
    result: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts; output holds the thought tokens."""

    input: int = 0
    output: int = 0
    thought: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """One act as it went.

    Attributes:
        title: What it is about.
        question: What was asked.
        answer: What came back, as text.
        messages: All messages that the act added to the conversation.
        pieces: Pieces of text that came while streaming.
        checks: What was checked.
        seconds: How long it took.
        failure: What ended it early.
    """

    title: str
    question: str
    answer: str = ""
    messages: Sequence[BaseMessage] = ()
    pieces: int = 0
    checks: Sequence[Check] = field(default_factory=tuple)
    seconds: float = 0.0
    failure: Exception | None = None

    @property
    def replies(self) -> list[AIMessage]:
        """What the model said, in order."""
        return [message for message in self.messages if isinstance(message, AIMessage)]

    @property
    def calls(self) -> list[ShownCall]:
        """The tool calls in order."""
        results = {message.tool_call_id: str(message.text) for message in _results(self.messages)}
        return [
            ShownCall(
                call["name"], ", ".join(f"{k}={v!r}" for k, v in call["args"].items()), results.get(str(call["id"]))
            )
            for reply in self.replies
            for call in reply.tool_calls
        ]

    @property
    def tokens(self) -> Tokens:
        """The sum over the replies."""
        counts = [reply.usage_metadata for reply in self.replies if reply.usage_metadata]
        return Tokens(
            sum(count["input_tokens"] for count in counts),
            sum(count["output_tokens"] for count in counts),
            sum(count.get("output_token_details", {}).get("reasoning", 0) for count in counts),
            sum(count["total_tokens"] for count in counts),
        )


def _results(messages: Iterable[BaseMessage]) -> list[ToolMessage]:
    return [message for message in messages if isinstance(message, ToolMessage)]
