"""How do I get speech from a model?

`python examples/speech.py` lets a model say a sentence, in LangChain and in LlamaIndex, prints type and size, and plays
what was said to another model. With `--live`, on Vertex AI; whether its speech models answer there is unverified.
"""

import base64

from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import AudioBlock
from llama_index.core.llms import ChatMessage
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

SPEAKER = "google/gemini-3.1-flash-tts-preview"
LISTENER = "google/gemini-3.5-flash"
SENTENCE = "Say: The garden has nine apple trees."


def run() -> None:
    spoken = ChatVertexCompat(model=SPEAKER, modalities=["audio"]).invoke(SENTENCE)
    sound = next(block for block in spoken.content_blocks if block["type"] == "audio")
    print(f"LangChain: {sound['mime_type']}, {len(base64.b64decode(sound['base64']))} bytes")

    reply = VertexCompat(model=SPEAKER, modalities=["audio"]).chat([ChatMessage(SENTENCE)])
    block = next(block for block in reply.message.blocks if isinstance(block, AudioBlock))
    print(f"LlamaIndex: audio/{block.format}, {len(block.resolve_audio().read())} bytes")

    question = HumanMessage([{"type": "text", "text": "What is said here?"}, sound])
    print("Heard:", ChatVertexCompat(model=LISTENER).invoke([question]).text)


if __name__ == "__main__":
    start(run)
