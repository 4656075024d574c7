"""LlamaIndex's own evaluators, and judges with structured output, read the score that was scripted."""

import pytest
from llama_index.core.evaluation import (
    AnswerRelevancyEvaluator,
    ContextRelevancyEvaluator,
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)
from pydantic import BaseModel, Field

from vertex_compat_integrations.emulator import Emulator, judge
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

MODEL = "google/gemini-3.5-flash"
CASE = {"query": "Is it warm?", "response": "Yes, it is 25 degrees.", "contexts": ["It is 25 degrees today."]}


@pytest.fixture
def place(emulator: Emulator) -> dict[str, str]:
    return {"model": MODEL, "base_url": emulator.base_url(), "api_key": emulator.identity.issue()}


@pytest.mark.parametrize(("score", "passes"), [(0.0, False), (1.0, True)])
@pytest.mark.parametrize(
    "kind",
    [
        AnswerRelevancyEvaluator,
        ContextRelevancyEvaluator,
        CorrectnessEvaluator,
        FaithfulnessEvaluator,
        GuidelineEvaluator,
        RelevancyEvaluator,
    ],
)
async def test_an_evaluator_passes_what_the_score_passes(emulator, place, kind, score, passes):
    emulator.rule(judge(score, "So it was judged."))
    case = CASE if "Relevancy" not in kind.__name__ else {key: CASE[key] for key in _asked_of(kind)}
    result = await kind(llm=VertexCompat(**place)).aevaluate(**case)
    if kind in (AnswerRelevancyEvaluator, ContextRelevancyEvaluator):
        assert result.score == score
    else:
        assert result.passing is passes
    assert not result.invalid_result


def _asked_of(kind: type) -> list[str]:
    return {
        AnswerRelevancyEvaluator: ["query", "response"],
        ContextRelevancyEvaluator: ["query", "contexts"],
        RelevancyEvaluator: ["query", "response", "contexts"],
    }[kind]


async def test_half_a_score_is_in_the_middle_of_the_range(emulator, place):
    emulator.rule(judge(0.5))
    llm = VertexCompat(**place)
    assert (await CorrectnessEvaluator(llm=llm).aevaluate(query="A?", response="B", reference="C")).score == 3.0
    result = await ContextRelevancyEvaluator(llm=llm).aevaluate(query="A?", contexts=["B"])
    assert result.score == 0.5


async def test_the_better_answer_wins(emulator, place):
    emulator.rule(judge(0.9))
    evaluator = PairwiseComparisonEvaluator(llm=VertexCompat(**place), enforce_consensus=False)
    result = await evaluator.aevaluate(query="A?", response="B", second_response="C")
    assert result.score == 1.0


class Grade(BaseModel):
    """How good an answer is."""

    reasoning: str
    score: int = Field(ge=0, le=10)
    correct: bool


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_judge_with_structured_output_gets_the_score_in_its_range(emulator, place, method):
    emulator.rule(judge(0.7, "Fair."))
    grade = ChatVertexCompat(**place).with_structured_output(Grade, method=method).invoke("Grade this: 2 + 2 = 4")
    assert grade == Grade(reasoning="Fair.", score=7, correct=True)
