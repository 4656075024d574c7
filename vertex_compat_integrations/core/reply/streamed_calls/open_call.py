"""One call whose pieces are still arriving. Pure."""

from collections.abc import Mapping

from pydantic_core import from_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in
from vertex_compat_integrations.core.reply.reply import ToolCall, ToolCallDelta
from vertex_compat_integrations.core.reply.streamed_calls.json_progress import JsonProgress
from vertex_compat_integrations.core.reply.tool_call import NO_ARGUMENTS, NO_FIELDS


class OpenCall:
    """A call that is being received.

    Attributes:
        index: The call's number in the answer.
        id: Its unique id.
        name: The function's name, once it is known.
    """

    def __init__(self, index: int, call_id: str) -> None:
        """Start with only this known."""
        self.index = index
        self.id = call_id
        self.name = ""
        self._arguments: list[str] = []
        self._extra: wire.ExtraContent = {}
        self._began_empty = False
        self._progress = JsonProgress()
        self._read = 0

    @property
    def has_arguments(self) -> bool:
        """Whether the arguments received are more than nothing, or an object without fields."""
        return bool(self._arguments)

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self._arguments)

    @property
    def is_empty(self) -> bool:
        """Whether only an object without fields was received: the arguments, or a prefix of the real ones."""
        return self._began_empty and not self._arguments

    @property
    def is_complete(self) -> bool:
        """Whether the arguments so far are a JSON object."""
        return self.is_empty or self._value is not None

    @property
    def _value(self) -> dict[str, object] | None:
        # Read only on demand; fragments that are easy to assign cost nothing.
        self._progress.read(self._arguments[self._read :])
        self._read = len(self._arguments)
        return self._progress.value

    def says(self, piece: str) -> bool:
        """Return whether a piece repeats the whole arguments received so far; it may be encoded twice.

        Some gateways send a summary of a call after its fragments: BerriAI/litellm#20480, anomalyco/opencode#17339,
        mudler/LocalAI#9722.
        """
        # A quick check first, since nearly no fragment is one: a whole object, or one as a JSON string.
        if not self._arguments or not piece.lstrip().startswith(("{", '"{')):
            return False
        own = self._value
        if own is None:
            return False
        try:
            value = from_json(piece)
            value = from_json(value) if isinstance(value, str) else value
        except (TypeError, ValueError):
            return False
        return isinstance(value, dict) and bool(value == own)

    def add(self, name: str, arguments: str, extra_content: object) -> ToolCallDelta | None:
        """Add a piece; return its addition, but nothing before the call's name is known."""
        is_first = not self.name and bool(name)
        if is_first:
            self.name = name
        # `null` for a call without arguments is JSON, but not an object, which tools require.
        if arguments == NO_ARGUMENTS and not self._arguments:
            arguments = ""
        if arguments == NO_FIELDS and not self._arguments:
            # Some servers write it before the real object; it is reported at the end, if nothing follows.
            self._began_empty, arguments = True, ""
        if arguments:
            self._arguments.append(arguments)
        # A signature is in the call's first piece, in a later one, or in both.
        extra = _new_keys(self._extra, extra_content)
        for namespace, value in extra.items():
            current = self._extra.get(namespace)
            if isinstance(current, dict) and isinstance(value, Mapping):
                current.update(value)
            else:
                self._extra[namespace] = dict(value) if isinstance(value, Mapping) else value
        if is_first:
            return self.as_first_piece()
        if not self.name or not (arguments or extra):
            return None
        return ToolCallDelta(self.index, None, None, arguments, extra or None)

    def rename(self, name: str, arguments: str) -> ToolCallDelta:
        """Replace a call whose name was in its arguments; return it as a whole."""
        self.name, self._arguments = name, [arguments]
        self._progress, self._read = JsonProgress(), 0
        return self.as_first_piece()

    def as_call(self) -> ToolCall:
        """The call so far."""
        return ToolCall(self.id, self.name, NO_FIELDS if self.is_empty else self.arguments, self._extra_so_far())

    def as_first_piece(self) -> ToolCallDelta:
        """Everything known of the call when its name becomes known."""
        return ToolCallDelta(self.index, self.id, self.name, self.arguments, self._extra_so_far())

    def _extra_so_far(self) -> wire.ExtraContent | None:
        """Return a copy: a value that was returned must not grow."""
        own = {name: dict(value) if isinstance(value, dict) else value for name, value in self._extra.items()}
        return own or None


def _new_keys(present: JsonObject, extra: object) -> wire.ExtraContent:
    """Return the parts of `extra` that are new, namespace by namespace."""
    fresh: wire.ExtraContent = {}
    for namespace, value in mapping_in(extra).items():
        current = present.get(namespace)
        if current is None:
            fresh[namespace] = value
        elif isinstance(value, Mapping) and isinstance(current, Mapping):
            fresh[namespace] = {key: item for key, item in value.items() if key not in current}
    return {namespace: value for namespace, value in fresh.items() if value or namespace not in present}
