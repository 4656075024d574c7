"""The arguments of the constructors, for type checkers, and the values of enumerated settings.

The argument types are wider than the fields', which hold the converted value. A test compares the names with the fields
and aliases of each class.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from pydantic import SecretStr

from vertex_compat_integrations import wire

Effort = Literal["none", "minimal", "low", "medium", "high", "max"]
Level = Literal["minimal", "low", "medium", "high"]
RequestType = Literal["dedicated", "shared"]
SharedRequestType = Literal["priority", "flex", "standard"]
HarmCategory = Literal[
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
    "HARM_CATEGORY_JAILBREAK",
    "HARM_CATEGORY_IMAGE_HATE",
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
    "HARM_CATEGORY_IMAGE_HARASSMENT",
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_UNSPECIFIED",
]
HarmThreshold = Literal[
    "OFF",
    "BLOCK_NONE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_LOW_AND_ABOVE",
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
]
HttpBackend = Literal["httpx", "aiohttp"]
"""HTTP library for asynchronous calls."""


class ConnectionArguments(TypedDict, total=False):
    """Arguments of `Connection`."""

    project: str | None
    projects: Sequence[str] | None
    location: str | None
    locations: Sequence[str] | None
    api_version: Literal["v1", "v1beta1"]
    endpoint: str
    endpoint_host: str | None
    base_url: str | None
    credentials: Any
    api_key: str | SecretStr | None
    impersonate_service_account: str | None
    service_accounts: Sequence[str] | None
    quota_project: str | None
    allow_hosts: Sequence[str]
    timeout: float | None
    gap_timeout: float | None
    max_retries: int | None
    retry_budget: bool
    proxy: str | None
    ca_bundle: str | None
    http_client: Any
    http_async_client: Any
    http_backend: HttpBackend | None
    telemetry: bool | None
    cost: bool
    on_truncated: Literal["error", "warn"]
    on_blocked: Literal["warn", "error"]
    on_empty: Literal["error", "return"]
    repair_history: bool
    media_bucket: str | None
    project_id: str | None
    region: str | None
    request_timeout: float | None


class OptionArguments(TypedDict, total=False):
    """Arguments of `Options`."""

    model: str
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    n: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    response_format: Mapping[str, Any] | type | None
    tools: Sequence[Any] | None
    tool_choice: str | bool | list[str] | wire.Json | None
    parallel_tool_calls: bool | None
    on_recursion: Literal["cut", "error"] | None
    modalities: Sequence[Literal["text", "image", "audio"]] | None
    web_search_options: Mapping[str, Any] | None
    thinking: Effort | bool | int | Mapping[str, Any] | None
    reasoning_effort: Effort | None
    thinking_budget: int | None
    thinking_level: Level | None
    include_thoughts: bool | None
    thought_tag_marker: str | None
    send_thoughts: bool | Literal["field", "tags"] | None
    safety_settings: Sequence[Mapping[str, str]] | Mapping[HarmCategory, HarmThreshold] | Mapping[Any, Any] | None
    model_safety_settings: bool | Mapping[str, Any] | None
    cached_content: str | None
    media_resolution: Any
    logprobs: bool | None
    top_logprobs: int | None
    logit_bias: Mapping[str, float] | None
    user: str | None
    store: bool | None
    service_tier: str | None
    prediction: Mapping[str, Any] | None
    prompt_cache_key: str | None
    extra_body: Mapping[str, Any] | None
    default_headers: Mapping[str, str] | None
    request_type: RequestType | Sequence[RequestType] | None
    shared_request_type: SharedRequestType | Sequence[SharedRequestType] | None
    model_name: str
    max_completion_tokens: int | None
    max_output_tokens: int | None
    stop_sequences: str | Sequence[str] | None
    headers: Mapping[str, str] | None
    extra_headers: Mapping[str, str] | None


class VectorArguments(TypedDict, total=False):
    """Arguments of `VectorOptions`."""

    dimensions: int | None
    query_prefix: str | None
    text_prefix: str | None
    concurrency: int


class EmbeddingArguments(VectorArguments, total=False):
    """Arguments of `EmbeddingOptions`."""

    model: str
    batch_size: int
    model_name: str
    chunk_size: int


class GenerationArguments(TypedDict, total=False):
    """Names of Google's own `GenerationConfig` that chat models convert."""

    thinking_config: Any
    response_mime_type: str | None
    response_schema: Any
    response_modalities: Sequence[Any] | None
    tool_config: Any
