"""What every group of the standard suite shares: a class under test, an emulator, and the ways to ask."""

import inspect
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any, ClassVar

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.tools import FunctionTool

from vertex_compat_integrations.emulator import Emulator

MODEL = "google/gemini-3.5-flash"
"""A model that refuses tool calls without their thought signatures."""

WAYS = ("chat", "achat", "stream_chat", "astream_chat")
STREAMS = ("stream_chat", "astream_chat")
COMPLETE_WAYS = ("complete", "acomplete", "stream_complete", "astream_complete")

each_way = pytest.mark.parametrize("way", WAYS)
each_stream = pytest.mark.parametrize("way", STREAMS)
each_completion = pytest.mark.parametrize("way", COMPLETE_WAYS)


async def ask(llm: Any, way: str, *args: Any, **kwargs: Any) -> list[Any]:
    """All responses of one call: one, or as many as the stream has."""
    answer = getattr(llm, way)(*args, **kwargs)
    if inspect.isawaitable(answer):
        answer = await answer
    if isinstance(answer, AsyncGenerator):
        return [response async for response in answer]
    return list(answer) if isinstance(answer, Generator) else [answer]


async def ask_with_tools(llm: Any, way: str, tools: list[FunctionTool], **kwargs: Any) -> list[ChatResponse]:
    """Like `ask`, with tools."""
    return await ask(llm, f"{way}_with_tools", tools, **kwargs)


def usage_of(response: Any) -> dict[str, Any]:
    """The service's counts as the response has them, whether `raw` is a mapping or an object."""
    raw = response.raw
    return (raw if isinstance(raw, dict) else raw.model_dump())["usage"]


def user(text: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=text)


def result_of(call: Any, text: str) -> ChatMessage:
    """A tool's result, as LlamaIndex's agents write it."""
    return ChatMessage(role=MessageRole.TOOL, content=text, additional_kwargs={"tool_call_id": call.tool_id})


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


def now() -> str:
    """Tell the time."""
    return "noon"


def tools_of(*functions: Any) -> list[FunctionTool]:
    return [FunctionTool.from_defaults(function) for function in functions]


class Group:
    """A group of tests; the class under test comes from `build`."""

    thoughts: ClassVar[dict[str, Any]] = {}
    """Constructor settings that ask the model to tell its thoughts."""

    def build(self, emulator: Emulator, **settings: Any) -> FunctionCallingLLM:
        """An LLM of the class under test that speaks to the emulator."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def _running(cls) -> Iterator[Emulator]:
        with Emulator() as emulator:
            yield emulator

    @pytest.fixture
    def emulator(self, _running: Emulator) -> Iterator[Emulator]:
        _running.reset()
        yield _running
        _running.reset()

    @pytest.fixture
    def llm(self, emulator: Emulator) -> FunctionCallingLLM:
        return self.build(emulator)
