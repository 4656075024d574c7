"""What the endpoint signed in the acts, and what of it came back in the requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vertex_compat_integrations.cli.demo.act import Act
from vertex_compat_integrations.emulator import Entry
from vertex_compat_integrations.wire import Json


@dataclass(frozen=True, slots=True)
class Signed:
    """Something that the endpoint signed and that the conversation went on from.

    Attributes:
        bearer: What bore the signature.
        signature: The signature.
        carried: How many later requests carried its bearer.
        returned: How many of them carried the signature with it, unaltered.
    """

    bearer: str
    signature: str
    carried: int
    returned: int

    @property
    def came_back(self) -> bool:
        """Whether it was sent, and never without its signature."""
        return 0 < self.carried == self.returned

    @property
    def excerpt(self) -> str:
        """First and last characters, and the length."""
        return f"{self.signature[:10]}…{self.signature[-10:]} ({len(self.signature)})"


def signed_calls(acts: Sequence[Act], entries: Sequence[Entry]) -> list[Signed]:
    """The signed tool calls of the acts; an act's last message is not sent again within it."""
    carried = [call for message in _sent(entries) for call in message.get("tool_calls") or ()]
    return [
        Signed(f"{call.name}({', '.join(map(str, call.arguments.values()))})", signature, *_count(call.extra, found))
        for act in acts
        for reply in act.replies[:-1]
        for call in reply.calls
        if (signature := signature_in(call.extra))
        for found in [[one.get("extra_content") for one in carried if one["id"] == call.id]]
    ]


def signed_texts(acts: Sequence[Act], entries: Sequence[Entry]) -> list[Signed]:
    """The signed answers of those turns that another turn of their conversation followed."""
    turns = [act for act in acts if act.conversation and act.replies]
    spoken = [message for message in _sent(entries) if message["role"] == "assistant"]
    return [
        Signed(f"answer of {act.title}", signature, *_count(extra, found))
        for act, later in pairwise(turns)
        if act.conversation == later.conversation and (signature := signature_in(extra := act.replies[-1].extra))
        for found in [[one.get("extra_content") for one in spoken if one.get("content") == act.answer]]
    ]


def unsigned_steps(entries: Sequence[Entry]) -> int:
    """How many assistant messages with tool calls went out with a first call that has no signature."""
    steps = [message["tool_calls"] for message in _sent(entries) if message.get("tool_calls")]
    return sum(signature_in(calls[0].get("extra_content")) is None for calls in steps)


def signature_in(extra: Any) -> str | None:
    """The thought signature in an `extra_content`, in whatever namespace."""
    spaces = extra.values() if isinstance(extra, dict) else ()
    return next((space["thought_signature"] for space in spaces if "thought_signature" in space), None)


def _sent(entries: Sequence[Entry]) -> Iterator[Json]:
    return (message for entry in entries for message in entry.messages)


def _count(extra: Any, found: Sequence[Any]) -> tuple[int, int]:
    return len(found), sum(one == extra for one in found)
