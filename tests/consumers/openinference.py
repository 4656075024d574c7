# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "vertex-compat-integrations[langchain,llama-index,emulator]", "openinference-instrumentation-langchain==0.1.80",
#     "openinference-instrumentation-llama-index==4.6.1", "opentelemetry-sdk==1.45.2", "langchain==1.5.2",
# ]
# ///
"""Arize's spans of both frameworks contain the model, the calls and the tokens, streamed or not."""

import asyncio
import json

from langchain.agents import create_agent
from llama_index.core.agent.workflow import FunctionAgent
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.consumers.stage import MODEL, emulated, settings, signatures_sent
from vertex_compat_integrations.emulator import Emulator, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


def watched() -> InMemorySpanExporter:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    LangChainInstrumentor().instrument(tracer_provider=provider)
    LlamaIndexInstrumentor().instrument(tracer_provider=provider)
    return spans


def ask_langchain(emulator: Emulator) -> None:
    agent = create_agent(ChatVertexCompat(**settings(emulator)), [get_weather])
    state = agent.invoke({"messages": [("user", "What is the weather in Paris?")]})
    assert state["messages"][-1].text == "It rains."
    list(ChatVertexCompat(**settings(emulator)).stream("Hello"))


async def ask_llama_index(emulator: Emulator) -> None:
    agent = FunctionAgent(tools=[get_weather], llm=VertexCompat(**settings(emulator)))
    assert str(await agent.run("What is the weather in Paris?")) == "It rains."


def models_asked(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """The spans of calls to a model; LlamaIndex's preparation of a call has one as well."""
    finished = [span for span in spans.get_finished_spans() if "prepare" not in span.name]
    spans.clear()
    return [span for span in finished if span.attributes["openinference.span.kind"] == "LLM"]


def check(asked: list[ReadableSpan], calls: int) -> None:
    told = [dict(span.attributes) for span in asked]
    assert {each["llm.model_name"] for each in told} == {MODEL}, told
    assert all(each["llm.token_count.completion"] > 0 for each in told), told
    arguments = "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments"
    assert [json.loads(each[arguments]) for each in told if arguments in each] == [{"city": "Paris"}] * calls


def main() -> None:
    spans = watched()
    turn = (tool_call("get_weather", {"city": "Paris"}), text("It rains."))
    with emulated(*turn, text("Hello there."), *turn) as emulator:
        ask_langchain(emulator)
        asked = models_asked(spans)
        assert len(asked) == 3
        check(asked, 1)
        asyncio.run(ask_llama_index(emulator))
        asked = models_asked(spans)
        assert len(asked) == 2
        check(asked, 1)
        assert len(signatures_sent(emulator.journal.last)) == 1


if __name__ == "__main__":
    main()
