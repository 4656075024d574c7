"""Middleware that keeps an agent's system message and tools in a context cache."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse

from vertex_compat_integrations.core.native.marked import ttl_seconds, ttl_text
from vertex_compat_integrations.langchain.chat_model import ChatVertexCompat

Handler = Callable[[ModelRequest[Any]], ModelResponse[Any]]
AsyncHandler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]


class _Mark(dict[str, str]):
    """A mark that this middleware made; those of users are plain mappings."""


def without_own_mark(block: Any) -> Any:
    """Return the block without a mark of this middleware; the same object if it has none."""
    if not isinstance(block, Mapping) or not isinstance(block.get("cache_control"), _Mark):
        return block
    return {name: value for name, value in block.items() if name != "cache_control"}


class ContextCacheMiddleware(AgentMiddleware[Any, Any]):
    """Marks the system message of each call of an agent's `ChatVertexCompat`, so that it and the tools are cached.

    Without a system message, and for other models, the request is unchanged. What is shorter than any cache of the
    model is not cached.
    """

    def __init__(self, ttl: float | str = "3600s") -> None:
        """`ttl` is the time from the last use to the cache's end, in seconds, or text such as `"5m"`.

        Raises:
            SettingsError: `ttl` is not a time.
        """
        super().__init__()
        self._mark = _Mark(type="ephemeral", ttl=ttl_text(ttl_seconds(ttl)))

    def wrap_model_call(self, request: ModelRequest[Any], handler: Handler) -> ModelResponse[Any]:
        """Call the model with the marked system message."""
        return handler(self._marked(request))

    async def awrap_model_call(self, request: ModelRequest[Any], handler: AsyncHandler) -> ModelResponse[Any]:
        """Call the model with the marked system message."""
        return await handler(self._marked(request))

    def _marked(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        message = request.system_message
        if message is None or not message.content or not isinstance(request.model, ChatVertexCompat):
            return request
        content = message.content
        blocks: list[Any] = [{"type": "text", "text": content}] if isinstance(content, str) else [*content]
        last = {"type": "text", "text": blocks[-1]} if isinstance(blocks[-1], str) else blocks[-1]
        blocks[-1] = {**last, "cache_control": self._mark}
        return request.override(system_message=message.model_copy(update={"content": blocks}))
