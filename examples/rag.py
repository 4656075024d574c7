"""Questions to a few documents with LlamaIndex: embeddings, a vector store, an answer in words and one as an object.

`python examples/rag.py` runs offline against the emulator. With `--live` it asks Vertex AI as your Application Default
Credentials say (project from GOOGLE_CLOUD_PROJECT), or the emulator that VERTEX_COMPAT_EMULATOR_HOST names. The
embedding model is served in us-central1 and europe-west4 only, and reported to be retired on 2026-10-21 (unverified).
"""

import sys
from collections.abc import Mapping
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from pydantic import BaseModel

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding

NOTES = {
    "tower": "The lighthouse tower is 41 metres high. It was built in the year 1887, of granite.",
    "garden": "The garden has nine apple trees. The keeper planted them beside the wall.",
    "cellar": "The cellar key hangs behind the kitchen clock. The cellar floods in spring.",
}
EMBEDDING_LOCATION = "us-central1"


class Tower(BaseModel):
    year: int
    metres: int


def run(place: Mapping[str, Any], embedding_place: Mapping[str, Any]) -> None:
    embedding = VertexCompatEmbedding(model="intfloat/multilingual-e5-small-maas", **embedding_place)
    llm = VertexCompat(model="google/gemini-3.5-flash", **place)
    nodes = [TextNode(text=text, metadata={"about": name}) for name, text in NOTES.items()]
    index = VectorStoreIndex(nodes, embed_model=embedding)

    words = index.as_query_engine(llm=llm, similarity_top_k=1).query("Where hangs the key of the cellar?")
    print(f"From the note on the {words.source_nodes[0].metadata['about']}: {words}")

    engine = index.as_query_engine(llm=llm, similarity_top_k=1, output_cls=Tower)
    print(repr(engine.query("In which year was the tower built, and how many metres high is it?").response))


if __name__ == "__main__":
    if "--live" in sys.argv:
        run({}, {"location": EMBEDDING_LOCATION})
    else:
        with Emulator() as emulator:
            token = emulator.identity.issue()
            run(
                {"base_url": emulator.base_url(), "api_key": token},
                {"base_url": emulator.base_url(location=EMBEDDING_LOCATION), "api_key": token},
            )
