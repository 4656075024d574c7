"""JSON made from objects, kept as long as the objects live: tools are often bound anew for each call."""

import weakref
from collections.abc import Callable, Hashable
from typing import Any

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire


class IdentityCache:
    """JSON objects by the object that they were made from, which need not be hashable.

    What is kept is text, so that each caller has an object of its own.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._held: dict[int, tuple[weakref.ref[Any], Hashable, bytes]] = {}

    def get(self, source: object, state: Hashable, make: Callable[[], wire.Json]) -> wire.Json:
        """What `make` makes of the source; made once for each `state` that the source is in."""
        held = self._held.get(id(source))
        if held is not None and held[0]() is source and held[1] == state:
            kept: wire.Json = from_json(held[2])
            return kept
        made = make()
        self._keep(source, state, made)
        return made

    def _keep(self, source: object, state: Hashable, made: wire.Json) -> None:
        number = id(source)
        try:
            text = to_json(made)
            reference = weakref.ref(source, lambda _: self._held.pop(number, None))
        except (TypeError, ValueError):
            # No JSON, or nothing that can be watched: made anew each time.
            return
        if from_json(text) == made:
            self._held[number] = reference, state, text
