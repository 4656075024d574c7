"""`ChatVertexCompat` and `VertexCompatEmbeddings`: LangChain on Vertex AI's OpenAI-compatible endpoint."""

try:
    import langchain_core  # noqa: F401 - only asked whether it is there
except ImportError as error:
    raise ImportError('LangChain is not installed: pip install "vertex-compat-integrations[langchain]"') from error

from vertex_compat_integrations.langchain.chat_model import ChatVertexCompat
from vertex_compat_integrations.langchain.embeddings import VertexCompatEmbeddings
from vertex_compat_integrations.langchain.factory import load_chat_model
from vertex_compat_integrations.langchain.registration import register

__all__ = ["ChatVertexCompat", "VertexCompatEmbeddings", "load_chat_model", "register"]
