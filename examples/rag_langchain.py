"""How do I search in documents with LangChain, with the embeddings in a store on disk?

`python examples/rag_langchain.py` embeds the paragraphs of documents/ into Chroma, opens the store again, and prints
the nearest paragraph and an object extracted from it. With `--live`, Vertex AI answers; the embeddings come from a
server on this machine in both cases. It needs `pip install "vertex-compat-integrations[examples]"`.
"""

import tempfile
from pathlib import Path

from chromadb import PersistentClient, Settings
from langchain_chroma import Chroma
from langchain_core.documents import Document
from place import serve_embeddings, start
from pydantic import BaseModel

from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings

FILES = sorted(Path(__file__).parent.glob("documents/*.txt"))
QUESTION = "In which year and city was the son of the foreigner from Bremen born?"


class Birth(BaseModel):
    year: int
    city: str


def open_store(folder: str, embeddings: VertexCompatEmbeddings) -> Chroma:
    client = PersistentClient(folder, Settings(anonymized_telemetry=False))
    return Chroma("documents", embeddings, client=client)


def run() -> None:
    with serve_embeddings() as base_url, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        embeddings = VertexCompatEmbeddings(model="e5-small", base_url=base_url, api_key="none")
        paragraphs = [(file, text) for file in FILES for text in file.read_text(encoding="utf-8").split("\n\n")]
        documents = [Document(text, metadata={"file": file.name}) for file, text in paragraphs]
        print(len(open_store(folder, embeddings).add_documents(documents)), "paragraphs stored")

        found = open_store(folder, embeddings).similarity_search(QUESTION, k=1)[0]
        print(f"{found.metadata['file']}: {found.page_content}")
        reader = ChatVertexCompat(model="google/gemini-3.5-flash").with_structured_output(Birth)
        print(repr(reader.invoke(f"{QUESTION} Answer from this text:\n{found.page_content}")))


if __name__ == "__main__":
    start(run)
