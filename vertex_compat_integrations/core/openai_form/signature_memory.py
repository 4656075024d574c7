"""Remembers the thought signatures of answers, for programs that do not send them back. Pure, except for its state."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from pydantic_core import from_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import EmptyReplyError
from vertex_compat_integrations.core.json_values import deep_merge, encode_json, mapping_in, mappings_in
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.reply.reply import ToolCall
from vertex_compat_integrations.core.reply.tool_call import decode_calls, signatures_in

MAX_CALLS = 16_384
MAX_BYTES = 64 * 2**20
"""Signatures longer than 10 kB have been reported."""


class SignatureMemory:
    """The signatures of tool calls, by call; the least recently used are forgotten first.

    It can be used by several threads: each step is atomic, and a call that another thread forgets meanwhile is lost.

    A call is identified by its id, its model, its name and the value of its arguments: with an id that a server sends
    twice, or a call that the program changed, no other call's signature is used.
    """

    def __init__(self, max_calls: int = MAX_CALLS, max_bytes: int = MAX_BYTES) -> None:
        """Store at most this number of calls, and of bytes."""
        self._held: OrderedDict[bytes, bytes] = OrderedDict()
        self._max_calls, self._max_bytes = max_calls, max_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def learn(self, calls: Iterable[ToolCall], model: str) -> None:
        """Store the signatures of these calls."""
        for call in calls:
            if next(signatures_in(call.extra), None) is not None:
                self._keep(_key(model, call.id, call.name, call.arguments), encode_json(call.extra))

    def learn_completion(self, completion: Any, model: str) -> None:
        """Store the signatures of the calls in a completion, whatever its shape."""
        for choice in mappings_in(mapping_in(completion).get("choices")):
            try:
                self.learn(decode_calls(mapping_in(choice.get("message"))), model)
            except EmptyReplyError:
                # A call without a name: the program gets it unchanged, and will not send it back.
                continue

    def restore(self, messages: Sequence[wire.Message], model: str) -> list[wire.Message]:
        """Return the messages with their calls' signatures, where they are missing and known."""
        return [self._restored(message, model) for message in messages]

    def _restored(self, message: wire.Message, model: str) -> wire.Message:
        if message["role"] != "assistant" or not (calls := message.get("tool_calls")):
            return message
        return {**message, "tool_calls": [self._with_extra(call, model) for call in calls]}

    def _with_extra(self, call: wire.ToolCall, model: str) -> wire.ToolCall:
        own = call.get("extra_content")
        if next(signatures_in(own), None) is not None:
            return call
        key = _key(model, call["id"], call["function"]["name"], call["function"]["arguments"])
        extras = self._held.get(key)
        if extras is None:
            return call
        with suppress(KeyError):
            self._held.move_to_end(key)
        return cast("wire.ToolCall", {**call, "extra_content": deep_merge(mapping_in(own), decode_json(extras))})

    def _keep(self, key: bytes, extra: bytes) -> None:
        self._bytes += len(extra) - len(self._held.pop(key, b""))
        self._held[key] = extra
        while self._held and (len(self._held) > self._max_calls or self._bytes > self._max_bytes):
            with suppress(KeyError):
                _, forgotten = self._held.popitem(last=False)
                self._bytes -= len(forgotten)
        if not self._held:
            self._bytes = 0


def _key(model: str, call_id: str, name: str, arguments: str) -> bytes:
    """A key of fixed size, however long the arguments are; they count by value, since programs encode them again."""
    try:
        value = from_json(arguments or "{}")
    except (TypeError, ValueError):
        # Not JSON, or with halves of an emoji (lone surrogates).
        value = arguments
    return hashlib.sha256(encode_json([model, call_id, name, _sorted(value)])).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
