"""A standard suite for LlamaIndex's LLM classes, against the emulator on a real socket.

LlamaIndex has none of its own. A class is run through it by a subclass of `StandardTests` that says how it is built:

    class TestMine(StandardTests):
        def build(self, emulator, **settings):
            return Mine(api_base=emulator.base_url(), api_key=emulator.identity.issue(), model=MODEL, **settings)
"""

from standard_base import MODEL
from standard_blocks import BlockTests
from standard_chat import ChatTests, CompleteTests, ThoughtTests, UsageTests
from standard_errors import ErrorTests
from standard_events import EventTests
from standard_memory import MemoryTests
from standard_serialisation import SerialisationTests
from standard_structured import StructuredTests
from standard_tools import ToolHistoryTests, ToolTests

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
