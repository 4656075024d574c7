# /// script
# requires-python = ">=3.11"
# dependencies = ["vertex-compat-integrations[langchain,emulator]", "deepeval==4.3.1"]
# ///
"""deepeval judges an answer with a custom model, in both modes: its schemas come back as objects."""

import os
import tempfile

os.environ |= {"DEEPEVAL_TELEMETRY_OPT_OUT": "YES", "DEEPEVAL_RESULTS_FOLDER": tempfile.mkdtemp()}

from deepeval.metrics import GEval
from deepeval.models import DeepEvalBaseLLM
from deepeval.test_case import LLMTestCase, SingleTurnParams
from pydantic import BaseModel

from tests.consumers.stage import MODEL, emulated, settings
from vertex_compat_integrations.emulator import text
from vertex_compat_integrations.langchain import ChatVertexCompat


class Judge(DeepEvalBaseLLM):
    """What deepeval's page "Using custom LLMs" asks for."""

    def __init__(self, chat: ChatVertexCompat) -> None:
        self._chat = chat
        super().__init__(MODEL)

    def load_model(self) -> ChatVertexCompat:
        return self._chat

    def generate(self, prompt: str, schema: type[BaseModel] | None = None) -> BaseModel | str:
        return self._chat.with_structured_output(schema).invoke(prompt) if schema else self._chat.invoke(prompt).text

    async def a_generate(self, prompt: str, schema: type[BaseModel] | None = None) -> BaseModel | str:
        if schema is None:
            return (await self._chat.ainvoke(prompt)).text
        return await self._chat.with_structured_output(schema).ainvoke(prompt)

    def get_model_name(self) -> str:
        return MODEL


def judge(chat: ChatVertexCompat, *, is_async: bool) -> GEval:
    metric = GEval(
        "Rain",
        criteria="Does the answer speak of rain?",
        evaluation_params=[SingleTurnParams.INPUT, SingleTurnParams.ACTUAL_OUTPUT],
        model=Judge(chat),
        async_mode=is_async,
    )
    metric.measure(LLMTestCase(input="Paris?", actual_output="It rains in Paris."), _show_indicator=False)
    return metric


def main() -> None:
    answers = [text('{"steps": ["Look for rain."]}'), text('{"score": 9, "reason": "It speaks of rain."}')]
    with emulated(*answers, *answers) as emulator:
        for is_async in (False, True):
            metric = judge(ChatVertexCompat(**settings(emulator)), is_async=is_async)
            assert metric.score == 0.9
            assert metric.reason == "It speaks of rain."
        assert len(emulator.journal.chat) == 4
        assert all(entry.body["response_format"]["type"] == "json_schema" for entry in emulator.journal.chat)


if __name__ == "__main__":
    main()
