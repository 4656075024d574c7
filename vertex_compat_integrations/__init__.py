"""Gemini and Model Garden models in LangChain and LlamaIndex, through Vertex AI's OpenAI-compatible endpoint.

The rooms of this house:

* `vertex_compat_integrations.langchain` — `ChatVertexCompat`, a LangChain chat model.
* `vertex_compat_integrations.llama_index` — `VertexCompat`, a LlamaIndex LLM.
* `vertex_compat_integrations.core` — endpoint, credentials, requests, replies; knows no framework.
* `vertex_compat_integrations.batch` — a file of prompts to a file of answers; knows no framework.
* `vertex_compat_integrations.emulator` — `Emulator`, an offline stand-in for endpoint and identity side.
* `vertex_compat_integrations.cli` — the command `vertex-compat`.

`openai_client` and `async_openai_client` give the stock OpenAI SDK, pointed at Vertex AI with credentials that refresh.
Importing this module loads no third-party package.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vertex_compat_integrations.core.errors import VertexCompatError, VertexCompatWarning
    from vertex_compat_integrations.core.sdk import async_openai_client, openai_client

__all__ = ["VertexCompatError", "VertexCompatWarning", "__version__", "async_openai_client", "openai_client"]

_ROOMS = {
    "VertexCompatError": "vertex_compat_integrations.core.errors",
    "VertexCompatWarning": "vertex_compat_integrations.core.errors",
    "async_openai_client": "vertex_compat_integrations.core.sdk",
    "openai_client": "vertex_compat_integrations.core.sdk",
}


def __getattr__(name: str) -> object:
    """Load a public name from its room at first use."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only who asks for a name pays for it

    return getattr(import_module(_ROOMS[name]), name)
