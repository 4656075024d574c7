"""How do I search in documents with LlamaIndex, with the embeddings in a store on disk?

`python examples/rag_llama_index.py` embeds the paragraphs of documents/ into Chroma, opens the store again, and prints
an object and the file of the paragraph it was extracted from. With `--live`, Vertex AI answers; the embeddings come
from a server on this machine in both cases. It needs `pip install "vertex-compat-integrations[examples]"`.
"""

import tempfile
from pathlib import Path

from chromadb import PersistentClient, Settings
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.vector_stores.chroma import ChromaVectorStore
from place import serve_embeddings, start
from pydantic import BaseModel

from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding

FILES = sorted(Path(__file__).parent.glob("documents/*.txt"))
QUESTION = "In which year and city was the son of the foreigner from Bremen born?"


class Birth(BaseModel):
    year: int
    city: str


def open_store(folder: str) -> ChromaVectorStore:
    client = PersistentClient(folder, Settings(anonymized_telemetry=False))
    return ChromaVectorStore(client.get_or_create_collection("documents"))


def run() -> None:
    with serve_embeddings() as base_url, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        embedding = VertexCompatEmbedding(model="e5-small", base_url=base_url, api_key="none")
        paragraphs = [(file, text) for file in FILES for text in file.read_text(encoding="utf-8").split("\n\n")]
        nodes = [TextNode(text=text, metadata={"file": file.name}) for file, text in paragraphs]
        storage = StorageContext.from_defaults(vector_store=open_store(folder))
        VectorStoreIndex(nodes, storage_context=storage, embed_model=embedding)
        print(len(nodes), "paragraphs stored")

        index = VectorStoreIndex.from_vector_store(open_store(folder), embed_model=embedding)
        llm = VertexCompat(model="google/gemini-3.5-flash")
        answer = index.as_query_engine(llm=llm, output_cls=Birth, similarity_top_k=1).query(QUESTION)
        print(f"{answer.source_nodes[0].metadata['file']}: {answer.response!r}")


if __name__ == "__main__":
    start(run)
