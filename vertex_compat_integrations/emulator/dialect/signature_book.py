"""Thought signatures: issued, remembered, and recognised when they come back.

A signature is opaque to the client, so any random-looking base64 will do; what counts is that it returns unaltered,
once, and on the call that it was given with.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from vertex_compat_integrations.emulator.chat_request import function_of, objects, tool_calls
from vertex_compat_integrations.wire import Json

_FIELD = "thought_signature"


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a signature was given with: a call (name and arguments), or, without a name, a message."""

    name: str | None = None
    arguments: str = ""


class Sighting(NamedTuple):
    """A signature in a message, and what bears it."""

    signature: str
    bearer: Bearer


class SignatureBook:
    """Every signature that this emulator gave out or was told of; safe to use from several threads."""

    def __init__(self, seed: str = "emulator") -> None:
        self._seed = seed
        self._count = 0
        self._bearers: dict[str, Bearer | None] = {}
        self._lock = threading.Lock()

    def issue(self, bearer: Bearer) -> str:
        """A signature that was not issued before, bound to its bearer."""
        with self._lock:
            signature = self._fresh()
            self._bearers[signature] = bearer
            return signature

    def accept(self, signature: str, bearer: Bearer | None = None) -> None:
        """Remember a signature from elsewhere; without a bearer it may stand anywhere."""
        with self._lock:
            self._bearers[signature] = bearer

    def learn(self, value: Any) -> None:
        """Remember every signature in a scripted body."""
        for signature in _signatures_in(value):
            self.accept(signature)
        for choice in objects(value.get("choices")) if isinstance(value, dict) else ():
            for sighting in sightings(choice["message"]) if isinstance(choice.get("message"), dict) else ():
                self.accept(*sighting)

    def knows(self, signature: str) -> bool:
        """Whether the signature came from here, unaltered."""
        with self._lock:
            return signature in self._bearers

    def fits(self, sighting: Sighting) -> bool:
        """Whether the signature stands where it was given."""
        with self._lock:
            bearer = self._bearers.get(sighting.signature)
        return bearer is None or bearer == sighting.bearer

    def _fresh(self) -> str:
        # Base64 with all its awkward characters, so that nobody can lose one unseen.
        while True:
            self._count += 1
            digest = hashlib.shake_256(f"{self._seed}:{self._count}".encode()).digest(127)
            signature = base64.b64encode(digest).decode()
            if {"+", "/", "="} <= set(signature) and signature not in self._bearers:
                return signature


def call_bearer(name: str, arguments: str) -> Bearer:
    """The bearer that a call is; arguments count by value, not by spacing."""
    try:
        canonical = json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        canonical = arguments
    return Bearer(name, canonical)


def sightings(message: Json) -> Iterator[Sighting]:
    """The signatures of a message, each with its bearer."""
    for call in tool_calls(message):
        function = function_of(call)
        bearer = call_bearer(str(function.get("name", "")), str(function.get("arguments", "")))
        yield from (Sighting(signature, bearer) for signature in _signatures_in(call.get("extra_content")))
    for holder in (message, *objects(message.get("content"))):
        yield from (Sighting(signature, Bearer()) for signature in _signatures_in(holder.get("extra_content")))


def call_signature(call: Json) -> str | None:
    """The signature of a tool call, in whatever namespace."""
    return next(_signatures_in(call.get("extra_content")), None)


def _signatures_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get(_FIELD), str) and value[_FIELD]:
            yield value[_FIELD]
        for item in value.values():
            yield from _signatures_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _signatures_in(item)
