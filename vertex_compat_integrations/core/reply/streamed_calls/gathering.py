"""Pieces of calls, chunk by chunk → the calls of one answer. Pure; the cost of a piece does not grow with their number.

Each rule names its reason, or the report of a server that needs it, at its line.
"""

from collections.abc import Iterator

from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, text_in
from vertex_compat_integrations.core.reply.reply import ToolCall, ToolCallDelta
from vertex_compat_integrations.core.reply.streamed_calls.open_call import OpenCall
from vertex_compat_integrations.core.reply.tool_call import NO_FIELDS, UniqueIds, arguments_text, named_in, refuse_flood


class StreamedCalls:
    """Collects the pieces of one answer's calls."""

    def __init__(self) -> None:
        """Start without calls."""
        self._calls: list[OpenCall] = []
        self._ids = UniqueIds()
        self._by_id: dict[str, OpenCall] = {}
        self._by_index: dict[int, OpenCall] = {}

    def __len__(self) -> int:
        """The number of calls that have begun."""
        return len(self._calls)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments of each call are a JSON object."""
        return all(call.is_complete for call in self._calls)

    def names(self) -> Iterator[str]:
        """The names of the calls, in order; empty for a call without a name so far."""
        return (call.name for call in self._calls)

    def as_calls(self) -> tuple[ToolCall, ...]:
        """The calls so far."""
        return tuple(call.as_call() for call in self._calls)

    def feed(self, pieces: list[JsonObject]) -> Iterator[ToolCallDelta]:
        """Yield what the pieces of one chunk add; no two pieces belong to one call.

        Raises:
            UnexpectedReplyError: There are more calls than any model makes.
        """
        fed: set[int] = set()
        for piece in pieces:
            function = mapping_in(piece.get("function"))
            name, arguments = text_in(function.get("name")), arguments_text(function.get("arguments"))
            call = self._told_again(piece, name, arguments, fed)
            if call is not None:
                arguments = ""
            else:
                call = self._call_of(piece, name, arguments, fed)
            if call is not None:
                fed.add(call.index)
                if (delta := call.add(name, arguments, piece.get("extra_content"))) is not None:
                    yield delta

    def add_whole(self, call: ToolCall) -> ToolCallDelta:
        """Add a call that did not arrive in pieces."""
        opened = self._open(call.id, None)
        return opened.rename(call.name, call.arguments)

    def name_calls(self) -> Iterator[ToolCallDelta]:
        """Yield the calls whose names are in their arguments, once the stream has ended."""
        for call in self._calls:
            # TGI 2.0 to 3.1 writes the name into the arguments.
            if not call.name and (name_and_arguments := named_in(call.arguments)):
                yield call.rename(*name_and_arguments)

    def empty_arguments(self) -> tuple[ToolCallDelta, ...]:
        """The arguments of calls that have none, which were held back."""
        return tuple(ToolCallDelta(call.index, arguments=NO_FIELDS) for call in self._calls if call.is_empty)

    def _told_again(self, piece: JsonObject, name: str, arguments: str, fed: set[int]) -> OpenCall | None:
        """Return the call whose arguments the piece repeats, under the call's id or without a name."""
        if not arguments:
            return None
        call = self._by_id.get(text_in(piece.get("id")))
        if call is None and not name:
            call = self._at(_index_of(piece))
        # Two pieces of one chunk are always two calls: some servers give both the function's name as id.
        if call is None or call.id == name or (name and name != call.name) or call.index in fed:
            return None
        return call if call.says(arguments) else None

    def _call_of(self, piece: JsonObject, name: str, arguments: str, fed: set[int]) -> OpenCall | None:
        """Return the call of a piece: by id, then by index, else the last; a new call if the piece begins one."""
        call_id, index = text_in(piece.get("id")), _index_of(piece)
        current = self._by_id.get(call_id) if call_id else self._at(index)
        if current is None and (current := self._renamed(index, name, arguments, fed)) is not None:
            # The next piece may have either id.
            self._by_id[call_id] = current
            return current
        if current is None:
            return self._open(call_id, index) if call_id or name or arguments else None
        is_new = _begins_anew(current, name, arguments, fed)
        if call_id and call_id != name and arguments and current.is_empty and current.index not in fed:
            # Under the same id, an object without fields only preceded the real one. An id that is the function's name,
            # as for Google's open models, does not distinguish calls.
            is_new = name not in ("", current.name)
        if call_id and index is not None:
            # Some servers give the second call the first one's id; only a new index distinguishes them.
            is_new = is_new or self._reuses(current, index, arguments)
            self._by_index.setdefault(index, current)
        return self._open(call_id, index) if is_new else current

    def _renamed(self, index: int | None, name: str, arguments: str, fed: set[int]) -> OpenCall | None:
        """Return the call at an index whose next piece has an unknown id.

        Some servers create a new id for each chunk, or one for the first and one for all others (poolsideai/pool#9). A
        piece without a name continues its call. A piece with the name continues it if it cannot begin another call: the
        call at its index has started its arguments and not finished them, and the piece does not begin an object.
        """
        call = None if index is None else self._by_index.get(index)
        if call is None or call.index in fed or not call.name:
            return None
        if not name:
            return call if call.is_empty or not call.is_complete else None
        goes_on = name == call.name and call.has_arguments and not arguments.lstrip().startswith("{")
        return call if goes_on and not call.is_complete else None

    def _at(self, index: int | None) -> OpenCall | None:
        """The call at an index; without an index, which Gemini omits, the last call."""
        if index is not None:
            return self._by_index.get(index)
        return self._calls[-1] if self._calls else None

    def _reuses(self, call: OpenCall, index: int | None, arguments: str) -> bool:
        """Return whether a piece without arguments opens another call, with a complete call's id and a new index."""
        return not arguments and index is not None and index not in self._by_index and call.is_complete

    def _open(self, call_id: str, index: int | None) -> OpenCall:
        refuse_flood(len(self._calls) + 1)
        call = OpenCall(len(self._calls), self._ids.take(call_id))
        self._calls.append(call)
        if call_id:
            self._by_id[call_id] = call
        if index is not None:
            self._by_index[index] = call
        return call


def _index_of(piece: JsonObject) -> int | None:
    index = piece.get("index")
    return index if isinstance(index, int) else None


def _begins_anew(current: OpenCall, name: str, arguments: str, fed: set[int]) -> bool:
    """Return whether a piece under a known id or index is nevertheless another call.

    It is if it calls another function, if its chunk already contains a piece of the known call, or if that call is
    complete.
    """
    # A fragment without a name continues its call; so does a name for a call that has none yet.
    if not name or not current.name:
        return False
    # Gemini puts several whole calls into one chunk, all without an index or with index 0.
    if name != current.name or current.index in fed:
        return True
    # Fragments may repeat the name; arguments that begin again after a complete object belong to another call.
    return arguments.lstrip().startswith("{") and current.is_complete
