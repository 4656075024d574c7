"""How do I ask questions about a few documents with LlamaIndex?

`python examples/rag.py` embeds three notes and prints one answer as text and one as an object, each from the nearest
note. With `--live`, Vertex AI answers. The embeddings are computed in this process; rag_llama_index.py uses a server
for them and a store on disk. It needs `pip install "vertex-compat-integrations[examples]"`.
"""

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from local_embedding import LocalEmbedding
from place import start
from pydantic import BaseModel

from vertex_compat_integrations.llama_index import VertexCompat

NOTES = {
    "tower": "The lighthouse tower is 41 metres high. It was built in the year 1887, of granite.",
    "garden": "The garden has nine apple trees. The keeper planted them beside the wall.",
    "cellar": "The cellar key hangs behind the kitchen clock. The cellar floods in spring.",
}


class Tower(BaseModel):
    year: int
    metres: int


def run() -> None:
    llm = VertexCompat(model="google/gemini-3.5-flash")
    nodes = [TextNode(text=text, metadata={"about": name}) for name, text in NOTES.items()]
    index = VectorStoreIndex(nodes, embed_model=LocalEmbedding())

    words = index.as_query_engine(llm=llm, similarity_top_k=1).query("Where hangs the key of the cellar?")
    print(f"From the note on the {words.source_nodes[0].metadata['about']}: {words}")

    engine = index.as_query_engine(llm=llm, similarity_top_k=1, output_cls=Tower)
    print(repr(engine.query("In which year was the tower built, and how many metres high is it?").response))


if __name__ == "__main__":
    start(run)
