"""Cache for JSON made from objects, for as long as the objects live: tools are often bound again for each call."""

import weakref
from collections.abc import Callable, Hashable
from typing import Any

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire


class IdentityCache:
    """JSON objects by the object that they were made from, which need not be hashable.

    They are stored as text, so that each caller gets a separate object.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._held: dict[int, tuple[weakref.ref[Any], Hashable, bytes]] = {}

    def get(self, source: object, state: Hashable, make: Callable[[], wire.Json]) -> wire.Json:
        """Return the result of `make` for the source; it is called once for each `state` of the source."""
        entry = self._held.get(id(source))
        if entry is not None and entry[0]() is source and entry[1] == state:
            copy: wire.Json = from_json(entry[2])
            return copy
        built = make()
        self._keep(source, state, built)
        return built

    def _keep(self, source: object, state: Hashable, built: wire.Json) -> None:
        number = id(source)
        try:
            text = to_json(built)
            reference = weakref.ref(source, lambda _: self._held.pop(number, None))
        except (TypeError, ValueError):
            # Not JSON, or an object without weak references: made again each time.
            return
        if from_json(text) == built:
            self._held[number] = reference, state, text
