"""`VertexCompat`, `VertexCompatEmbedding` and errors: LlamaIndex on Vertex AI's OpenAI-compatible endpoint."""

try:
    import llama_index.core  # noqa: F401 - only to check whether it is installed
except ImportError as error:
    raise ImportError('LlamaIndex is not installed: pip install "vertex-compat-integrations[llama-index]"') from error

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

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ConnectionFailedError",
    "ContextOverflowError",
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
