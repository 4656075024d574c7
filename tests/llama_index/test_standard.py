"""`VertexCompat` passes the whole standard suite."""

from typing import Any, ClassVar

from tests.llama_index.standard.suite import MODEL, StandardTests
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.llama_index import VertexCompat


class TestVertexCompat(StandardTests):
    thoughts: ClassVar[dict[str, Any]] = {"include_thoughts": True}

    def build(self, emulator: Emulator, **settings: Any) -> VertexCompat:
        return VertexCompat(model=MODEL, base_url=emulator.base_url(), api_key=emulator.identity.issue(), **settings)
