"""A standard suite for LlamaIndex's LLM classes, against the emulator on a real socket.

LlamaIndex has none of its own. A class is run through it by a subclass of `StandardTests` that says how it is built:

    class TestMine(StandardTests):
        def build(self, emulator, **settings):
            return Mine(api_base=emulator.base_url(), api_key=emulator.identity.issue(), model=MODEL, **settings)
"""

from tests.llama_index.standard.base import MODEL
from tests.llama_index.standard.blocks import BlockTests
from tests.llama_index.standard.chat import ChatTests, CompleteTests, ThoughtTests, UsageTests
from tests.llama_index.standard.errors import ErrorTests
from tests.llama_index.standard.events import EventTests
from tests.llama_index.standard.memory import MemoryTests
from tests.llama_index.standard.serialisation import SerialisationTests
from tests.llama_index.standard.structured import StructuredTests
from tests.llama_index.standard.tools import ToolHistoryTests, ToolTests

__all__ = ["GROUPS", "MODEL", "StandardTests"]

GROUPS = (
    ChatTests,
    CompleteTests,
    UsageTests,
    ThoughtTests,
    ToolTests,
    ToolHistoryTests,
    StructuredTests,
    BlockTests,
    MemoryTests,
    EventTests,
    SerialisationTests,
    ErrorTests,
)


class StandardTests(
    ChatTests,
    CompleteTests,
    UsageTests,
    ThoughtTests,
    ToolTests,
    ToolHistoryTests,
    StructuredTests,
    BlockTests,
    MemoryTests,
    EventTests,
    SerialisationTests,
    ErrorTests,
):
    """All groups."""
