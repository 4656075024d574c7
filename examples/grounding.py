"""How do I get an answer from Google Search, with its sources?

`python examples/grounding.py` prints an answer and the source of each sentence, in LangChain and in LlamaIndex.
With `--live`, Vertex AI searches (which costs extra).
"""

from llama_index.core.base.llms.types import CitationBlock
from llama_index.core.llms import ChatMessage
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
QUESTION = "Who won the last World Cup?"


def run() -> None:
    reply = ChatVertexCompat(model=MODEL).bind_tools([{"google_search": {}}]).invoke(QUESTION)
    print("LangChain:", reply.text)
    for block in reply.content_blocks:
        for citation in block.get("annotations", ()):
            print(f"  {citation['cited_text']} <- {citation['url']}")

    message = VertexCompat(model=MODEL, web_search_options={}).chat([ChatMessage(QUESTION)]).message
    print("LlamaIndex:", message.content)
    for block in message.blocks:
        if isinstance(block, CitationBlock):
            print(f"  {block.cited_content.text} <- {block.source}")


if __name__ == "__main__":
    start(run)
