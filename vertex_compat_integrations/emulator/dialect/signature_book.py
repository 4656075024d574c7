"""Issues thought signatures, stores them, and recognises them when clients send them back.

A signature is opaque to the client, so any random-looking base64 is suitable. What matters is that it is sent back
unchanged, once, and on the call that it was issued with.
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
    """What a signature was issued with: a call (name and arguments) or, without a name, a message."""

    name: str | None = None
    arguments: str = ""


class Sighting(NamedTuple):
    """A signature in a message, and the call or message that carries it."""

    signature: str
    bearer: Bearer


class SignatureBook:
    """All signatures that this emulator issued or accepts; safe to use from several threads."""

    def __init__(self, seed: str = "emulator") -> None:
        self._seed = seed
        self._count = 0
        self._bearers: dict[str, Bearer | None] = {}
        self._lock = threading.Lock()

    def issue(self, bearer: Bearer) -> str:
        """Issue a new signature, bound to its bearer."""
        with self._lock:
            signature = self._fresh()
            self._bearers[signature] = bearer
            return signature

    def accept(self, signature: str, bearer: Bearer | None = None) -> None:
        """Store a signature from elsewhere; without a bearer it is valid anywhere."""
        with self._lock:
            self._bearers[signature] = bearer

    def learn(self, value: Any) -> None:
        """Store every signature in a scripted body."""
        for signature in _signatures_in(value):
            self.accept(signature)
        for choice in objects(value.get("choices")) if isinstance(value, dict) else ():
            for sighting in sightings(choice["message"]) if isinstance(choice.get("message"), dict) else ():
                self.accept(*sighting)

    def knows(self, signature: str) -> bool:
        """Whether the signature is known, unchanged."""
        with self._lock:
            return signature in self._bearers

    def fits(self, sighting: Sighting) -> bool:
        """Whether the signature is on the call or message that it was issued with."""
        with self._lock:
            bearer = self._bearers.get(sighting.signature)
        return bearer is None or bearer == sighting.bearer

    def _fresh(self) -> str:
        # Base64 with all its special characters, so that a client that loses one of them is detected.
        while True:
            self._count += 1
            digest = hashlib.shake_256(f"{self._seed}:{self._count}".encode()).digest(127)
            signature = base64.b64encode(digest).decode()
            if {"+", "/", "="} <= set(signature) and signature not in self._bearers:
                return signature


def call_bearer(name: str, arguments: str) -> Bearer:
    """Return a call as a bearer; arguments are compared by value, not by spacing."""
    try:
        canonical = json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except ValueError:
        canonical = arguments
    return Bearer(name, canonical)


def sightings(message: Json) -> Iterator[Sighting]:
    """Yield the signatures of a message, each with its bearer."""
    for call in tool_calls(message):
        function = function_of(call)
        bearer = call_bearer(str(function.get("name", "")), str(function.get("arguments", "")))
        yield from (Sighting(signature, bearer) for signature in _signatures_in(call.get("extra_content")))
    for holder in (message, *objects(message.get("content"))):
        yield from (Sighting(signature, Bearer()) for signature in _signatures_in(holder.get("extra_content")))


def call_signature(call: Json) -> str | None:
    """Return the signature of a tool call, in any namespace."""
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
