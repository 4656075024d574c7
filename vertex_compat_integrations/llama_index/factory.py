"""Registration with LlamaIndex's loaders, which know a fixed list of classes and no plug-ins."""

from vertex_compat_integrations.llama_index.embeddings import VertexCompatEmbedding
from vertex_compat_integrations.llama_index.llm import VertexCompat


def register() -> None:
    """Make LlamaIndex's `load_llm` and `load_embed_model` find our classes; calling it again changes nothing."""
    from llama_index.core.embeddings.loading import RECOGNIZED_EMBEDDINGS  # noqa: PLC0415 - as below
    from llama_index.core.llms.loading import RECOGNIZED_LLMS  # noqa: PLC0415 - it loads the SDKs of other packages

    RECOGNIZED_LLMS[VertexCompat.class_name()] = VertexCompat
    RECOGNIZED_EMBEDDINGS[VertexCompatEmbedding.class_name()] = VertexCompatEmbedding
