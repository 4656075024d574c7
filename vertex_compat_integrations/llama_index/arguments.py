"""The constructor arguments of the LlamaIndex classes, for type checkers; a test compares them with the fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.types import BaseOutputParser, PydanticProgramMode

from vertex_compat_integrations.core.settings.arguments import (
    ConnectionArguments,
    GenerationArguments,
    OptionArguments,
    VectorArguments,
)


class ComponentArguments(TypedDict, total=False):
    """Arguments of both LlamaIndex's `LLM` and `BaseEmbedding`."""

    callback_manager: CallbackManager | None
    rate_limiter: Any


class LLMArguments(ConnectionArguments, OptionArguments, GenerationArguments, ComponentArguments, total=False):
    """Arguments of `VertexCompat`, with the equivalent arguments of other classes."""

    system_prompt: str | None
    messages_to_prompt: Callable[[Sequence[ChatMessage]], str] | None
    completion_to_prompt: Callable[[str], str] | None
    output_parser: BaseOutputParser | None
    pydantic_program_mode: PydanticProgramMode | Literal["default", "openai", "llm", "function", "guidance"]
    query_wrapper_prompt: BasePromptTemplate | None
    context_window: int | None
    is_function_calling_model: bool
    additional_kwargs: Mapping[str, Any]
    keep_answer_signature: bool
    model_facts: Mapping[str, Any] | None
    api_base: str | None
    max_new_tokens: int | None
    async_http_client: Any
    vertexai_config: Mapping[str, Any] | None
    generation_config: Any
    built_in_tool: Any


class EmbeddingModelArguments(ConnectionArguments, VectorArguments, ComponentArguments, total=False):
    """Arguments of `VertexCompatEmbedding`."""

    model_name: str
    embed_batch_size: int
    num_workers: int | None
    embeddings_cache: Any
    model_facts: Mapping[str, Any] | None
    model: str
    batch_size: int
    api_base: str | None


INHERITED_DESCRIPTIONS: Mapping[str, str] = {
    "callback_manager": "LlamaIndex's handlers that are called for each call; None is `Settings.callback_manager`.",
    "rate_limiter": "LlamaIndex's rate limiter, called before each call; None sets no limit.",
    "system_prompt": "System message before each call's own messages; None adds none.",
    "messages_to_prompt": "Function that joins messages to one text; None by default: messages are sent unchanged.",
    "completion_to_prompt": "Function that converts a prompt of `complete`; None changes nothing.",
    "output_parser": "LlamaIndex's parser, for `predict` and query engines; None returns the text unchanged.",
    "pydantic_program_mode": (
        "How LlamaIndex requests objects: `default` by `response_format`, `function` by a call, others its own way."
    ),
    "query_wrapper_prompt": "Template that LlamaIndex puts around a query; None adds none.",
    "num_workers": "Batches at the same time when LlamaIndex embeds nodes asynchronously; None is one at a time.",
    "embeddings_cache": "LlamaIndex's key-value store for vectors; None stores none.",
}
"""Descriptions of LlamaIndex's own fields, which have none there."""
