"""How do I set how much the model thinks, and how do I see its thoughts?

`python examples/thinking.py` prints the thoughts, separate from the answer, and their token count, in LangChain and
LlamaIndex; then it asks the same question without thinking. With `--live`, Vertex AI answers.
"""

from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.llms import ChatMessage
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
QUESTION = "Is 91 a prime number?"


def run() -> None:
    reply = ChatVertexCompat(model=MODEL, thinking="low", include_thoughts=True).invoke(QUESTION)
    for block in reply.content_blocks:
        print(f"{block['type']}: {block.get('reasoning') or block.get('text')}")
    print("thought tokens:", reply.usage_metadata["output_token_details"]["reasoning"])

    response = VertexCompat(model=MODEL, thinking="low", include_thoughts=True).chat([ChatMessage(QUESTION)])
    thoughts = [block.content for block in response.message.blocks if isinstance(block, ThinkingBlock)]
    print(f"LlamaIndex: {thoughts[0]}\n{response.message.content}")

    reply = ChatVertexCompat(model=MODEL, thinking=False).invoke(QUESTION)
    print("without thinking:", reply.text)


if __name__ == "__main__":
    start(run)
