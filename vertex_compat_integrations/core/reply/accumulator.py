"""Pieces of one streamed answer → the answer so far, after each piece. Pure.

For frameworks that need the whole answer so far. The cost of one piece does not depend on the number of earlier pieces,
except for joining the text itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import deep_merge
from vertex_compat_integrations.core.reply.reply import Ending, Media, Reply, ReplyDelta, ToolCall, ToolCallDelta

_UNENDED = Ending()


@dataclass(slots=True)
class _GrowingCall:
    """A call whose pieces are still arriving, and the call that they form so far."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: wire.ExtraContent | None = None

    def add(self, delta: ToolCallDelta) -> ToolCall:
        """Add one more piece and return the call."""
        self.id = delta.id or self.id
        self.name = delta.name or self.name
        self.arguments += delta.arguments
        if delta.extra:
            self.extra = deep_merge(self.extra or {}, delta.extra)
        return ToolCall(self.id, self.name, self.arguments, self.extra)


class Accumulator:
    """Collects the deltas of one answer; call `add` with each."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._text = ""
        self._thoughts = ""
        self._growing: dict[int, _GrowingCall] = {}
        self._calls: dict[int, ToolCall] = {}
        self._in_order: tuple[ToolCall, ...] = ()
        self._media: tuple[Media, ...] = ()

    def add(self, delta: ReplyDelta) -> Reply:
        """Add a delta and return the answer so far; it is complete after the last delta, which has the ending."""
        if delta.recalled:
            self._text = ""
        if delta.text:
            self._text += delta.text
        if delta.thoughts:
            self._thoughts += delta.thoughts
        for call in delta.tool_calls:
            self._calls[call.index] = self._growing.setdefault(call.index, _GrowingCall()).add(call)
        if delta.tool_calls:
            self._in_order = tuple(self._calls.values())
        if delta.media:
            self._media += delta.media
        # Positional arguments: this runs for each piece, and keywords take twice the time.
        so_far = self._text, self._thoughts, self._in_order
        return Reply(*so_far, delta.extra, self._media, delta.refusal, delta.ending or _UNENDED, delta.dropped)


def gathered(deltas: Iterable[ReplyDelta]) -> Reply:
    """Return the whole answer at once, for callers that need no parts; long text is joined only once.

    Raises:
        ValueError: There is no delta.
    """
    text, thoughts, media = list[str](), list[str](), list[Media]()
    calls: defaultdict[int, list[ToolCallDelta]] = defaultdict(list)
    last: ReplyDelta | None = None
    for last in deltas:
        if last.recalled:
            text.clear()
        text.append(last.text)
        thoughts.append(last.thoughts)
        media += last.media
        for call in last.tool_calls:
            calls[call.index].append(call)
    if last is None:
        raise ValueError("An answer has at least one piece, which has its ending.")
    whole = ReplyDelta(
        "".join(text),
        "".join(thoughts),
        tuple(_joined(pieces) for pieces in calls.values()),
        tuple(media),
        last.extra,
        last.refusal,
        last.dropped,
        last.ending,
    )
    return Accumulator().add(whole)


def _joined(pieces: list[ToolCallDelta]) -> ToolCallDelta:
    """Join the pieces of one call."""
    extra: wire.ExtraContent = {}
    for namespace, value in ((name, value) for piece in pieces for name, value in (piece.extra or {}).items()):
        if isinstance(value, dict):
            extra.setdefault(namespace, {}).update(value)
        else:
            extra[namespace] = value
    first = pieces[0]
    return ToolCallDelta(first.index, first.id, first.name, "".join(piece.arguments for piece in pieces), extra or None)
