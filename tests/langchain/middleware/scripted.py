"""A chat model of another package, as an agent sees it: scripted messages and errors, and the requests it got."""

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

Step = AIMessage | Exception | str


class StatusError(Exception):
    """An error as the OpenAI and Anthropic SDKs raise it."""

    def __init__(self, status_code: int) -> None:
        super().__init__(f"{status_code}")
        self.status_code = status_code


class Scripted(BaseChatModel):
    """Answers with its steps in order, then with the last one repeatedly."""

    steps: list[Any] = Field(default_factory=list)
    model: str = "scripted"
    requests: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        step = self.steps[min(len(self.requests), len(self.steps) - 1)]
        self.requests.append(messages)
        if isinstance(step, Exception):
            raise step
        return AIMessage(step) if isinstance(step, str) else step.model_copy()

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(**kwargs)


class Streaming(Scripted):
    """The same, word by word."""

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> Iterator[ChatGenerationChunk]:
        message = self._next(messages)
        for word in str(message.content).split(" "):
            chunk = ChatGenerationChunk(message=AIMessageChunk(f"{word} "))
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def used(text: str, tokens: int) -> AIMessage:
    """An answer whose request and answer have this number of tokens."""
    return AIMessage(text, usage_metadata={"input_tokens": tokens - 1, "output_tokens": 1, "total_tokens": tokens})


def calling(call_id: str = "1", name: str = "get_weather", city: str = "Paris", **fields: Any) -> AIMessage:
    """A turn that calls a tool."""
    return AIMessage("", tool_calls=[{"id": call_id, "name": name, "args": {"city": city}}], **fields)


async def ways(agent: Any, question: dict[str, Any], config: Any = None) -> list[dict[str, Any]]:
    """The agent's final states by `invoke` and `ainvoke`."""
    return [agent.invoke(question, config), await agent.ainvoke(question, config)]
