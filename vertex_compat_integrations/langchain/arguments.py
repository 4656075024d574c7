"""The constructor arguments of the LangChain classes, for type checkers; a test compares them with the fields."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

from langchain_core.caches import BaseCache
from langchain_core.callbacks import Callbacks
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.rate_limiters import BaseRateLimiter
from pydantic import SecretStr

from vertex_compat_integrations.core.settings.arguments import (
    ConnectionArguments,
    EmbeddingArguments,
    GenerationArguments,
    OptionArguments,
)


class BaseModelArguments(TypedDict, total=False):
    """Arguments of LangChain's `BaseChatModel`."""

    name: str | None
    cache: BaseCache | bool | None
    verbose: bool
    callbacks: Callbacks
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    rate_limiter: BaseRateLimiter | None
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: ModelProfile | None


class ChatArguments(ConnectionArguments, OptionArguments, GenerationArguments, BaseModelArguments, total=False):
    """Arguments of `ChatVertexCompat`, with the equivalent arguments of other classes."""

    streaming: bool
    stream_usage: bool
    model_facts: Mapping[str, Any] | None
    openai_api_key: str | SecretStr | None
    google_api_key: str | SecretStr | None
    openai_api_base: str | None
    openai_proxy: str | None
    stream_chunk_timeout: float | None
    endpoint_version: Literal["v1", "v1beta1"]
    additional_headers: Mapping[str, str] | None
    candidate_count: int | None
    retries: int | None
    model_kwargs: Mapping[str, Any] | None
    reasoning: Mapping[str, Any] | None


class EmbeddingsArguments(ConnectionArguments, EmbeddingArguments, total=False):
    """Arguments of `VertexCompatEmbeddings`."""

    model_facts: Mapping[str, Any] | None


INHERITED_DESCRIPTIONS: Mapping[str, str] = {
    "name": "Name of this runnable in traces; None is the class's name.",
    "cache": "Cache of answers: True uses LangChain's global one, False none, None the global one if it is set.",
    "verbose": "Whether LangChain prints requests and answers; else LangChain's global setting, which is off.",
    "callbacks": "Handlers that are called for each call; None adds none.",
    "tags": "Tags for each call's trace; None adds none.",
    "metadata": "Keys and values for each call's trace; None adds none.",
    "custom_get_token_ids": "Function that converts text to token ids, to count tokens; None estimates the counts.",
    "rate_limiter": "LangChain's rate limiter, called before each call; None sets no limit.",
    "disable_streaming": (
        "Whether `stream` returns the whole answer in one chunk: False by default; "
        '`"tool_calling"` does so if the call has tools.'
    ),
    "output_version": "Form of a message's content: `v0`, or `v1` with standard blocks; None uses `LC_OUTPUT_VERSION`.",
    "profile": "The model's abilities, for LangChain's agents; None uses the catalogue's facts.",
}
"""Descriptions of LangChain's own fields, which have none there."""
