"""How do I ask questions to a few documents with LlamaIndex?

`python examples/rag.py` embeds three notes and prints an answer in words and one as an object, each from the nearest
note; with `--live`, Vertex AI's. It serves the embedding model in us-central1 and europe-west4 only, and was reported
to retire it on 2026-10-21 (unverified). With a store on disk: rag_llama_index.py.
"""

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from place import start
from pydantic import BaseModel

from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding

NOTES = {
    "tower": "The lighthouse tower is 41 metres high. It was built in the year 1887, of granite.",
    "garden": "The garden has nine apple trees. The keeper planted them beside the wall.",
    "cellar": "The cellar key hangs behind the kitchen clock. The cellar floods in spring.",
}


class Tower(BaseModel):
    year: int
    metres: int


def run() -> None:
    embedding = VertexCompatEmbedding(model="intfloat/multilingual-e5-small-maas", location="us-central1")
    llm = VertexCompat(model="google/gemini-3.5-flash")
    nodes = [TextNode(text=text, metadata={"about": name}) for name, text in NOTES.items()]
    index = VectorStoreIndex(nodes, embed_model=embedding)

    words = index.as_query_engine(llm=llm, similarity_top_k=1).query("Where hangs the key of the cellar?")
    print(f"From the note on the {words.source_nodes[0].metadata['about']}: {words}")

    engine = index.as_query_engine(llm=llm, similarity_top_k=1, output_cls=Tower)
    print(repr(engine.query("In which year was the tower built, and how many metres high is it?").response))


if __name__ == "__main__":
    start(run)
