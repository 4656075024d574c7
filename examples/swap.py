"""How do I swap the model or the provider without changing code?

`python examples/swap.py` calls the model in models.yaml, in LangChain and in LlamaIndex, and prints which model
answered; `LLM_MODEL=google/gemini-3.1-flash-lite python examples/swap.py` calls another one. With `--live`, Vertex AI
answers, or OpenAI with `LLM_MODEL=openai:gpt-5` (this needs OPENAI_API_KEY, and the framework's package for OpenAI).
"""

from pathlib import Path

from place import start

from vertex_compat_integrations.langchain import load_chat_model
from vertex_compat_integrations.llama_index import load_llm

FILE = Path(__file__).with_name("models.yaml")
QUESTION = "Why is the sky blue?"


def run() -> None:
    model = load_chat_model(FILE, section="chat")
    reply = model.invoke(QUESTION)
    print(f"{type(model).__name__}, {reply.response_metadata['model_name']}: {reply.text}")

    llm = load_llm(FILE, section="chat")
    print(f"{type(llm).__name__}, {llm.metadata.model_name}: {llm.complete(QUESTION)}")


if __name__ == "__main__":
    start(run)
