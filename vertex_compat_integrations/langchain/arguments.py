"""What the constructors of the LangChain classes take, for type checkers; a test compares it with the fields."""

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
    """Of LangChain's `BaseChatModel`."""

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
    """Of `ChatVertexCompat`, with the words of other classes that say the same."""

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
    """Of `VertexCompatEmbeddings`."""

    model_facts: Mapping[str, Any] | None


INHERITED_DESCRIPTIONS: Mapping[str, str] = {
    "name": "Name of this runnable in traces; None is the class's name.",
    "cache": "Cache of answers: True takes LangChain's global one, False none, None the global one if there is any.",
    "verbose": "Whether LangChain prints what is asked and answered; else its global switch says so, which is off.",
    "callbacks": "Handlers that are told of each call; None is none.",
    "tags": "Words that each call's trace gets; None is none.",
    "metadata": "Keys and values that each call's trace gets; None is none.",
    "custom_get_token_ids": "Function that turns a text into token ids, to count tokens; None estimates them here.",
    "rate_limiter": "LangChain's limiter of requests, asked before each call; None is no limit.",
    "disable_streaming": (
        "Whether `stream` gives the whole answer in one chunk: False by default; "
        '`"tool_calling"` does so where the call has tools.'
    ),
    "output_version": "Form of a message's content: `v0`, or `v1` with standard blocks; None is `LC_OUTPUT_VERSION`'s.",
    "profile": "What the model can do, for LangChain's agents; None is what the catalogue says of it.",
}
"""LangChain's own fields, which have no description there."""
