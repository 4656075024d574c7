"""Pieces of one streamed answer → the answer so far, after each piece. Pure.

For frameworks that take snapshots; what one piece costs does not depend on how many came before it, but for the joining
of the text itself.
"""

from dataclasses import dataclass

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import deep_merge
from vertex_compat_integrations.core.reply.reply import Ending, Media, Reply, ReplyDelta, ToolCall, ToolCallDelta

_UNENDED = Ending()


@dataclass(slots=True)
class _GrowingCall:
    """A call whose pieces are still coming, and the call that they make so far."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: wire.ExtraContent | None = None

    def add(self, delta: ToolCallDelta) -> ToolCall:
        """The call with one more piece."""
        self.id = delta.id or self.id
        self.name = delta.name or self.name
        self.arguments += delta.arguments
        if delta.extra:
            self.extra = deep_merge(self.extra or {}, delta.extra)
        return ToolCall(self.id, self.name, self.arguments, self.extra)


class Accumulator:
    """Feeds on the deltas of one answer; `add` each."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._text = ""
        self._thoughts = ""
        self._growing: dict[int, _GrowingCall] = {}
        self._calls: dict[int, ToolCall] = {}
        self._in_order: tuple[ToolCall, ...] = ()
        self._media: tuple[Media, ...] = ()

    def add(self, delta: ReplyDelta) -> Reply:
        """The answer so far; whole if the delta is the last one, which brings the ending."""
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
        # By position: one for each piece, and keywords take twice the time.
        so_far = self._text, self._thoughts, self._in_order
        return Reply(*so_far, delta.extra, self._media, delta.refusal, delta.ending or _UNENDED, delta.dropped)
