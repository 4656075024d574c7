"""openinference's instrumentors see every call with its token counts, and no credential."""

import json

import pytest

pytest.importorskip("opentelemetry.sdk")

from llama_index.core.llms import ChatMessage
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vertex_compat_integrations import VertexCompatError, openai_client
from vertex_compat_integrations.emulator import http_error, text

# openinference's LlamaIndex handler calls what pydantic has deprecated; as an error, that would lose its spans.
pytestmark = pytest.mark.filterwarnings("ignore:The `json` method is deprecated")

HELLO = [ChatMessage(role="user", content="Hello")]
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 10,
    "total_tokens": 140,
    "completion_tokens_details": {"reasoning_tokens": 30},
    "prompt_tokens_details": {"cached_tokens": 60},
}
COUNTED = {
    "prompt": 100,
    "completion": 40,
    "total": 140,
    "prompt_details.cache_read": 60,
    "completion_details.reasoning": 30,
}
"""Thoughts are part of the completion, so that the counts add up."""


class Spans:
    """What an instrumentor told."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def take(self) -> list:
        spans = list(self._exporter.get_finished_spans())
        self._exporter.clear()
        return spans

    def counts(self) -> list[dict[str, int]]:
        """The token counts of each span of a model since the last look."""
        return [
            {
                name.removeprefix("llm.token_count."): value
                for name, value in span.attributes.items()
                if name.removeprefix("llm.token_count.") in COUNTED
            }
            for span in self.take()
            if span.attributes["openinference.span.kind"] == "LLM"
        ]


def instrumented(module: str, name: str):
    """Spans of an instrumentor that is in force for the time of a test."""
    instrumentor = getattr(pytest.importorskip(module), name)()
    spans = Spans()
    instrumentor.instrument(tracer_provider=spans.provider, skip_dep_check=True)
    yield spans
    instrumentor.uninstrument()


@pytest.fixture
def langchain_spans():
    yield from instrumented("openinference.instrumentation.langchain", "LangChainInstrumentor")


@pytest.fixture
def llama_index_spans():
    yield from instrumented("openinference.instrumentation.llama_index", "LlamaIndexInstrumentor")


@pytest.fixture
def openai_spans():
    yield from instrumented("openinference.instrumentation.openai", "OpenAIInstrumentor")


async def test_langchain(watched, langchain_spans):
    watched.emulator.rule(text("Yes.", usage=USAGE))
    model = watched.chat_model
    model.invoke("Hello")
    list(model.stream("Hello"))
    await model.ainvoke("Hello")
    _ = [chunk async for chunk in model.astream("Hello")]
    await model.aclose()
    assert langchain_spans.counts() == [COUNTED] * 4


async def test_llama_index(watched, llama_index_spans):
    watched.emulator.rule(text("Yes.", usage=USAGE))
    llm = watched.llm
    llm.chat(HELLO)
    list(llm.stream_chat(HELLO))
    await llm.achat(HELLO)
    _ = [response async for response in await llm.astream_chat(HELLO)]
    llm.complete("Hello")
    list(llm.stream_complete("Hello"))
    await llm.acomplete("Hello")
    _ = [response async for response in await llm.astream_complete("Hello")]
    await llm.aclose()
    assert llama_index_spans.counts() == [COUNTED] * 8


def test_the_provider_and_the_model_are_named(watched, langchain_spans, llama_index_spans):
    watched.chat_model.invoke("Hello")
    watched.llm.chat(HELLO)
    spans = [*langchain_spans.take(), *llama_index_spans.take()]
    assert {span.attributes["llm.model_name"] for span in spans} == {"google/gemini-3.5-flash"}
    assert langchain_spans.take() == []


def test_no_span_holds_the_credential(watched, langchain_spans, llama_index_spans, openai_spans):
    """Neither where a call goes well nor where it fails."""
    for fault in (None, http_error(401, "Bad token."), http_error(403, "Denied.")):
        if fault:
            watched.emulator.rule(fault)
        for call in (lambda: watched.chat_model.invoke("Hello"), lambda: watched.llm.chat(HELLO)):
            try:
                call()
            except VertexCompatError:
                assert fault
        watched.emulator.reset()
    spans = [*langchain_spans.take(), *llama_index_spans.take(), *openai_spans.take()]
    assert len(spans) >= 12
    for span in spans:
        assert watched.token not in span.to_json()
        assert "Bearer" not in json.dumps(dict(span.attributes), default=str)


def test_who_wraps_the_sdk_sees_the_stock_client_and_not_what_we_send(watched, openai_spans):
    watched.chat_model.invoke("Swordfish?")
    assert [span.attributes["input.value"] for span in openai_spans.take()] == ["{}"]
    with openai_client(**watched.settings) as client:
        client.chat.completions.create(
            model="google/gemini-3.5-flash", messages=[{"role": "user", "content": "Swordfish?"}]
        )
    (span,) = openai_spans.take()
    assert "Swordfish?" in span.attributes["input.value"]
    assert span.attributes["llm.token_count.prompt"] > 0
