"""With openinference's instrumentor and telemetry both on, a call is two spans; which stands where."""

import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

from llama_index.core.llms import ChatMessage
from opentelemetry import trace

from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat

pytest_plugins = ("tests.observability.telemetry_fixtures",)

MODEL = "google/gemini-3.5-flash"


@pytest.fixture(params=["openinference.instrumentation.langchain", "openinference.instrumentation.llama_index"])
def instrumented(request, recording):
    module = pytest.importorskip(request.param, reason=f"needs {request.param.replace('.', '-')}")
    name = "LangChainInstrumentor" if "langchain" in request.param else "LlamaIndexInstrumentor"
    instrumentor = getattr(module, name)()
    instrumentor.instrument(tracer_provider=trace.get_tracer_provider(), skip_dep_check=True)
    yield name
    instrumentor.uninstrument()


@pytest.mark.filterwarnings("ignore:The `json` method is deprecated")
@pytest.mark.parametrize("streams", [False, True])
def test_a_call_is_two_spans_nested_where_the_instrumentor_makes_its_own_current(
    instrumented, settings, recording, streams
):
    """LlamaIndex's does for a plain call; a stream is pulled when its span is put away, and LangChain's never does."""
    with trace.get_tracer("test").start_as_current_span("app"):
        if instrumented == "LangChainInstrumentor":
            model = ChatVertexCompat(model=MODEL, **settings)
            list(model.stream("Hello")) if streams else model.invoke("Hello")
        else:
            llm = VertexCompat(model=MODEL, **settings)
            said = [ChatMessage(content="Hello")]
            list(llm.stream_chat(said)) if streams else llm.chat(said)
    ours, theirs, app = recording.spans()
    assert (ours.name, app.name) == (f"chat {MODEL}", "app")
    assert theirs.parent.span_id == app.context.span_id
    nested = instrumented == "LlamaIndexInstrumentor" and not streams
    assert ours.parent.span_id == (theirs if nested else app).context.span_id
