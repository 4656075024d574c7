# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "vertex-compat-integrations[langchain,proxy,emulator]", "ragas==0.4.3", "langchain-community==0.4.1",
# ]
# ///
"""ragas: metrics through its LangChain wrappers (with embeddings) and through its factory."""

import asyncio
import os
import warnings
from typing import Any

os.environ["RAGAS_DO_NOT_TRACK"] = "true"

import openai
from ragas.dataset_schema import SingleTurnSample
from ragas.embeddings import LangchainEmbeddingsWrapper
from ragas.llms import LangchainLLMWrapper, llm_factory
from ragas.metrics._answer_relevance import AnswerRelevancy
from ragas.metrics._faithfulness import Faithfulness
from ragas.metrics.collections import Faithfulness as NewFaithfulness

from tests.consumers.stage import MODEL, access, emulated, proxied, settings
from vertex_compat_integrations.emulator import Emulator, text
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings

EMBEDDER = "intfloat/multilingual-e5-small-maas"
SAMPLE = {
    "user_input": "What is the weather in Paris?",
    "response": "It rains in Paris.",
    "retrieved_contexts": ["It rains in Paris today."],
}
STATEMENTS = '{"statements": ["It rains in Paris."]}'
VERDICTS = '{"statements": [{"statement": "It rains in Paris.", "reason": "It is said.", "verdict": 1}]}'
QUESTION = '{"question": "What is the weather in Paris?", "noncommittal": 0}'


def wrapped(emulator: Emulator) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # ragas's own, about its wrappers
        embeddings = VertexCompatEmbeddings(model=EMBEDDER, **access(emulator))
        return {
            # Gemini 3 gives one answer to a request; without bypass_n=, ragas asks for n=3.
            "llm": LangchainLLMWrapper(ChatVertexCompat(**settings(emulator)), bypass_n=True),
            "embeddings": LangchainEmbeddingsWrapper(embeddings),
        }


async def judge(emulator: Emulator) -> None:
    parts = wrapped(emulator)
    sample = SingleTurnSample(**SAMPLE)
    emulator.answer(text(STATEMENTS), text(VERDICTS))
    assert await Faithfulness(llm=parts["llm"]).single_turn_ascore(sample) == 1.0
    emulator.rule(text(QUESTION))
    assert await AnswerRelevancy(**parts).single_turn_ascore(sample) > 0.9
    assert emulator.journal.embeddings


async def judge_by_factory(emulator: Emulator) -> None:
    emulator.reset()
    emulator.answer(text(STATEMENTS), text(VERDICTS))
    with proxied(emulator) as there:
        async with openai.AsyncOpenAI(**there, max_retries=0) as client:
            result = await NewFaithfulness(llm=llm_factory("gpt-4o", client=client)).ascore(**SAMPLE)
    assert result.value == 1.0
    assert {entry.body["model"] for entry in emulator.journal.chat} == {MODEL}


def main() -> None:
    with emulated(models=(EMBEDDER,)) as emulator:
        asyncio.run(judge(emulator))
        asyncio.run(judge_by_factory(emulator))


if __name__ == "__main__":
    main()
