"""How do I get an answer from Gemini, in LangChain and in LlamaIndex, and how many tokens does it cost?

`python examples/basic.py` prints each framework's answer and its token counts. With `--live`, Vertex AI answers.
"""

from llama_index.core.llms import ChatMessage
from place import start

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
QUESTION = "Why is the sky blue?"


def run() -> None:
    reply = ChatVertexCompat(model=MODEL).invoke([("system", "Answer in one sentence."), ("user", QUESTION)])
    print(f"LangChain: {reply.text}")
    print(f"  {reply.usage_metadata['input_tokens']} tokens in, {reply.usage_metadata['output_tokens']} out")

    messages = [ChatMessage("Answer in one sentence.", role="system"), ChatMessage(QUESTION)]
    response = VertexCompat(model=MODEL).chat(messages)
    print(f"LlamaIndex: {response.message.content}")
    print(f"  {response.raw['usage']['prompt_tokens']} tokens in, {response.raw['usage']['completion_tokens']} out")


if __name__ == "__main__":
    start(run)
