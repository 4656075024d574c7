"""Questions to documents in LlamaIndex: only the model is another, the vectors come from elsewhere."""

import os

from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex

from vertex_compat_integrations.emulator import Emulator, text
from vertex_compat_integrations.llama_index import VertexCompat

Settings.llm = VertexCompat(model="google/gemini-3.5-flash")
Settings.embed_model = MockEmbedding(embed_dim=8)

with Emulator() as emulator:
    os.environ["VERTEX_COMPAT_EMULATOR_HOST"] = emulator.host
    emulator.answer(text("Behind the clock."))
    index = VectorStoreIndex.from_documents([Document(text="The cellar key hangs behind the kitchen clock.")])
    print(index.as_query_engine().query("Where hangs the key?"))
    (entry,) = emulator.journal.chat
    assert "behind the kitchen clock" in str(entry.body["messages"])
