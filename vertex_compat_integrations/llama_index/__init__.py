"""`VertexCompat`, `VertexCompatEmbedding` and errors: LlamaIndex on Vertex AI's OpenAI-compatible endpoint."""

try:
    import llama_index.core  # noqa: F401 - only to check whether it is installed
except ImportError as error:
    raise ImportError('LlamaIndex is not installed: pip install "vertex-compat-integrations[llama-index]"') from error

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vertex_compat_integrations.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    ContextOverflowError,
    CredentialsError,
    DeadlineExceededError,
    EmptyReplyError,
    HistoryError,
    InvalidAnswerError,
    InvalidRequestError,
    NotFoundError,
    PartialReplyError,
    PermissionDeniedError,
    RateLimitError,
    RefusedAnswerError,
    SchemaError,
    ServerError,
    SettingsError,
    StreamInterruptedError,
    ThoughtSignatureError,
    UnexpectedReplyError,
    UnsupportedContentError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.llama_index.embeddings import VertexCompatEmbedding
from vertex_compat_integrations.llama_index.factory import load_llm, register
from vertex_compat_integrations.llama_index.llm import VertexCompat

if TYPE_CHECKING:
    from vertex_compat_integrations.llama_index.cost import CostHandler

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ConnectionFailedError",
    "ContextOverflowError",
    "CostHandler",
    "CredentialsError",
    "DeadlineExceededError",
    "EmptyReplyError",
    "HistoryError",
    "InvalidAnswerError",
    "InvalidRequestError",
    "NotFoundError",
    "PartialReplyError",
    "PermissionDeniedError",
    "RateLimitError",
    "RefusedAnswerError",
    "SchemaError",
    "ServerError",
    "SettingsError",
    "StreamInterruptedError",
    "ThoughtSignatureError",
    "UnexpectedReplyError",
    "UnsupportedContentError",
    "VertexCompat",
    "VertexCompatEmbedding",
    "VertexCompatError",
    "VertexCompatWarning",
    "load_llm",
    "register",
]

_PLACES = {"CostHandler": "cost"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used, since few programs need it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, including those that are not loaded yet."""
    return sorted({*globals(), *__all__})
