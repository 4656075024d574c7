"""How do I get a picture from a model, and how do I show one to a model?

`python examples/images.py` lets one model paint a picture, prints its type and size, and asks another model what it
shows, in LangChain and in LlamaIndex. With `--live`, Vertex AI answers. Google's pages say that image models are
not served on this endpoint, but its examples show one there: a warning reports this, and the request is sent anyway.
"""

import base64

from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ImageBlock, TextBlock
from llama_index.core.llms import ChatMessage
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

PAINTER = "google/gemini-3.1-flash-image"
MODEL = "google/gemini-3.5-flash"
QUESTION = "What does this picture show?"


def run() -> None:
    painted = ChatVertexCompat(model=PAINTER, modalities=["text", "image"]).invoke("Paint a red square.")
    picture = next(block for block in painted.content_blocks if block["type"] == "image")
    content = base64.b64decode(picture["base64"])
    print(f"{picture['mime_type']}, {len(content)} bytes")

    question = HumanMessage([{"type": "text", "text": QUESTION}, picture])
    print("LangChain:", ChatVertexCompat(model=MODEL).invoke([question]).text)

    blocks = [TextBlock(text=QUESTION), ImageBlock(image=content, image_mimetype=picture["mime_type"])]
    print("LlamaIndex:", VertexCompat(model=MODEL).chat([ChatMessage(blocks=blocks)]).message.content)


if __name__ == "__main__":
    start(run)
