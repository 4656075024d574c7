"""Gemini and Model Garden models in LangChain and LlamaIndex, through Vertex AI's OpenAI-compatible endpoint.

* `vertex_compat_integrations.langchain`: `ChatVertexCompat`, a LangChain chat model, and embeddings.
* `vertex_compat_integrations.llama_index`: `VertexCompat`, a LlamaIndex LLM, and embeddings.
* `vertex_compat_integrations.errors`: every error that is raised.
* `vertex_compat_integrations.batch`: processes a file of prompts into a file of answers.
* `vertex_compat_integrations.compare`: compares several models on the same prompts.
* `vertex_compat_integrations.emulator`: `Emulator`, an offline replacement of the endpoint and of Google's tokens.
* `vertex_compat_integrations.proxy`: `Proxy`, OpenAI's API on this machine for code that cannot be edited.
* The command `vertex-compat`.

`openai_client` and `async_openai_client` return the OpenAI SDK's own client, pointed at Vertex AI, with credentials
that refresh.
Everything else (`core`, and the modules that the ones above import) may change without notice.
Importing this module loads no third-party package.
"""

from typing import TYPE_CHECKING

from vertex_compat_integrations._version import __version__

if TYPE_CHECKING:
    from vertex_compat_integrations.core.client import VertexCompatClient
    from vertex_compat_integrations.core.sdk import async_openai_client, openai_client
    from vertex_compat_integrations.core.settings.connection import Connection
    from vertex_compat_integrations.core.settings.options import Options
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

__all__ = [
    "ApiError",
    "AuthenticationError",
    "Connection",
    "ConnectionFailedError",
    "ContextOverflowError",
    "CredentialsError",
    "DeadlineExceededError",
    "EmptyReplyError",
    "HistoryError",
    "InvalidAnswerError",
    "InvalidRequestError",
    "NotFoundError",
    "Options",
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
    "VertexCompatClient",
    "VertexCompatError",
    "VertexCompatWarning",
    "__version__",
    "async_openai_client",
    "openai_client",
]

_MODULES = {
    "Connection": "core.settings.connection",
    "Options": "core.settings.options",
    "VertexCompatClient": "core.client",
    "async_openai_client": "core.sdk",
    "openai_client": "core.sdk",
}
"""The modules of the public names other than errors."""


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - importlib costs time that a plain import of the package saves

    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    """List the public names, including those that are not loaded yet."""
    return sorted({*globals(), *__all__})
