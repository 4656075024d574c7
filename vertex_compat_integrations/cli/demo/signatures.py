"""The messages and calls that the endpoint signed, and which requests sent them back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vertex_compat_integrations.cli.demo.act import Act, SpokenCall
from vertex_compat_integrations.emulator import Entry
from vertex_compat_integrations.wire import Json


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed message or call that a later request must send back.

    Attributes:
        bearer: The signed message or call.
        signature: The signature.
        carried: Number of later requests that contained the message or call.
        returned: Number of these that contained the unchanged signature, too.
    """

    bearer: str
    signature: str
    carried: int
    returned: int

    @property
    def came_back(self) -> bool:
        """Whether later requests contained it, each of them with its signature."""
        return 0 < self.carried == self.returned

    @property
    def excerpt(self) -> str:
        """First and last characters, and the length."""
        return f"{self.signature[:10]}…{self.signature[-10:]} ({len(self.signature)})"


def signed_calls(acts: Sequence[Act], entries: Sequence[Entry]) -> list[Signed]:
    """Return the signed tool calls of the acts; an act's last message is not sent again within it."""
    carried = [call for message in _sent(entries) for call in message.get("tool_calls") or ()]
    calls = [call for act in acts for reply in act.replies[:-1] for call in reply.calls]
    return [_signed_call(call, carried) for call in calls if signature_in(call.extra)]


def signed_texts(acts: Sequence[Act], entries: Sequence[Entry]) -> list[Signed]:
    """Return the signed answers of turns that are followed by another turn of their conversation."""
    turns = [act for act in acts if act.conversation and act.replies]
    followed = [act for act, later in pairwise(turns) if act.conversation == later.conversation]
    answers = [message for message in _sent(entries) if message["role"] == "assistant"]
    return [_signed_text(act, answers) for act in followed if signature_in(act.replies[-1].extra)]


def unsigned_steps(entries: Sequence[Entry]) -> int:
    """Return how many assistant messages were sent whose first tool call has no signature."""
    steps = [message["tool_calls"] for message in _sent(entries) if message.get("tool_calls")]
    return sum(signature_in(calls[0].get("extra_content")) is None for calls in steps)


def signature_in(extra: Any) -> str | None:
    """Return the thought signature in an `extra_content`, in any namespace."""
    spaces = extra.values() if isinstance(extra, dict) else ()
    return next((space["thought_signature"] for space in spaces if "thought_signature" in space), None)


def _sent(entries: Sequence[Entry]) -> Iterator[Json]:
    return (message for entry in entries for message in entry.messages)


def _signed_call(call: SpokenCall, carried: Sequence[Json]) -> Signed:
    bearer = f"{call.name}({', '.join(map(str, call.arguments.values()))})"
    return _signed(bearer, call.extra, [one for one in carried if one["id"] == call.id])


def _signed_text(act: Act, answers: Sequence[Json]) -> Signed:
    return _signed(
        f"answer of {act.title}", act.replies[-1].extra, [one for one in answers if one.get("content") == act.answer]
    )


def _signed(bearer: str, extra: Any, carried: Sequence[Json]) -> Signed:
    returned = sum(one.get("extra_content") == extra for one in carried)
    return Signed(bearer, signature_in(extra) or "", len(carried), returned)
