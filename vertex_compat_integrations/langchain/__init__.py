"""`ChatVertexCompat`, `VertexCompatEmbeddings` and errors: LangChain on Vertex AI's OpenAI-compatible endpoint.

Errors raised here are also LangChain's `ModelError`s.
"""

try:
    # Imported here, not first from `chat_model`: some frames deeper, CPython maps and unmaps memory for its frames
    # again and again, and loading LangChain takes 20 % longer (34,000 page faults, not 20,000; row `cold_process`).
    import langchain_core.language_models.chat_models  # noqa: F401 - loaded early, not used here
except ImportError as error:
    raise ImportError('LangChain is not installed: pip install "vertex-compat-integrations[langchain]"') from error

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
from vertex_compat_integrations.langchain.chat_model import ChatVertexCompat

if TYPE_CHECKING:
    from vertex_compat_integrations.langchain.cost import CostCallback
    from vertex_compat_integrations.langchain.embeddings import VertexCompatEmbeddings
    from vertex_compat_integrations.langchain.factory import load_chat_model
    from vertex_compat_integrations.langchain.registration import register

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ChatVertexCompat",
    "ConnectionFailedError",
    "ContextOverflowError",
    "CostCallback",
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
    "VertexCompatEmbeddings",
    "VertexCompatError",
    "VertexCompatWarning",
    "load_chat_model",
    "register",
]

_PLACES = {
    "CostCallback": "cost",
    "VertexCompatEmbeddings": "embeddings",
    "load_chat_model": "factory",
    "register": "registration",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used, so that importing only the chat model is fast."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, including those that are not loaded yet."""
    return sorted({*globals(), *__all__})
