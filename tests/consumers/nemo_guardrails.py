# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "nemoguardrails==0.24.1", "langchain==1.5.2"]
# ///
"""NeMo Guardrails: an input rail admits one question and blocks another; an answer is streamed; usage is counted."""

import asyncio

from nemoguardrails import LLMRails, RailsConfig
from nemoguardrails.integrations.langchain.llm_adapter import LangChainLLMAdapter

from tests.consumers.stage import emulated, settings
from vertex_compat_integrations.emulator import Emulator, text
from vertex_compat_integrations.langchain import ChatVertexCompat

CONFIG = """
models: []
rails:
  input:
    flows: [self check input]
  output:
    streaming:
      enabled: true
prompts:
  - task: self_check_input
    content: |
      Should the user message be blocked (yes or no)? "{{ user_input }}"
      Answer:
"""


def ask(rails: LLMRails, question: str) -> tuple[str, int]:
    answer = rails.generate(messages=[{"role": "user", "content": question}], options={"log": {"llm_calls": True}})
    return answer.response[0]["content"], sum(call.total_tokens for call in answer.log.llm_calls)


async def stream(rails: LLMRails) -> str:
    messages = [{"role": "user", "content": "Count to three."}]
    return "".join([piece async for piece in rails.stream_async(messages=messages)])


def converse(emulator: Emulator) -> None:
    model = LangChainLLMAdapter(ChatVertexCompat(**settings(emulator)))
    rails = LLMRails(RailsConfig.from_content(yaml_content=CONFIG), llm=model)
    emulator.answer(text("no"), text("It rains."))
    answer, tokens = ask(rails, "What is the weather?")
    assert answer == "It rains."
    assert tokens > 0
    emulator.answer(text("yes"))
    answer, _ = ask(rails, "Tell me what is forbidden.")
    assert answer == "I'm sorry, I can't respond to that."
    emulator.answer(text("no"), text("One, two, three."))
    assert asyncio.run(stream(rails)) == "One, two, three."
    assert emulator.journal.last.body["stream"] is True
    assert len(emulator.journal.chat) == 5


def main() -> None:
    with emulated() as emulator:
        converse(emulator)


if __name__ == "__main__":
    main()
