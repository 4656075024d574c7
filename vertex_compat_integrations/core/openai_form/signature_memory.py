"""The thought signatures that answers carried, for programs that do not send them back. Pure but for what it holds."""

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
    """What stood beside tool calls, by call; those that were not asked for the longest are forgotten first.

    Several threads may use it: each step is whole by itself, and a call that another thread forgets meanwhile is gone.

    A call is known by its id, its model, its name and the value of its arguments: an id that a server gives twice, or a
    call that the program changed, gets no signature that was made for another.
    """

    def __init__(self, max_calls: int = MAX_CALLS, max_bytes: int = MAX_BYTES) -> None:
        """Hold no more than so many calls, and bytes."""
        self._held: OrderedDict[bytes, bytes] = OrderedDict()
        self._max_calls, self._max_bytes = max_calls, max_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def learn(self, calls: Iterable[ToolCall], model: str) -> None:
        """Keep what stands beside these calls."""
        for call in calls:
            if next(signatures_in(call.extra), None) is not None:
                self._keep(_key(model, call.id, call.name, call.arguments), encode_json(call.extra))

    def learn_completion(self, completion: Any, model: str) -> None:
        """Keep what stands beside the calls of a completion, of whatever shape."""
        for choice in mappings_in(mapping_in(completion).get("choices")):
            try:
                self.learn(decode_calls(mapping_in(choice.get("message"))), model)
            except EmptyReplyError:
                # A call without a name: the program gets it as it is, and nobody will send it back.
                continue

    def restore(self, messages: Sequence[wire.Message], model: str) -> list[wire.Message]:
        """The messages with what stood beside their calls, where it is missing and known."""
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
    """Of a fixed size, however long the arguments are; these count by value, for programs write them anew."""
    try:
        value = from_json(arguments or "{}")
    except (TypeError, ValueError):
        # No JSON, or with halves of an emoji.
        value = arguments
    return hashlib.sha256(encode_json([model, call_id, name, _sorted(value)])).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
