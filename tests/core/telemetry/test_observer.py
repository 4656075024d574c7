"""A call's span and measurements, without a client: what is set, and what is left out."""

from types import SimpleNamespace

import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.support.endpoint_bodies import HELLO, MODEL
from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import RateLimitError
from vertex_compat_integrations.core.telemetry import observer as observer_module
from vertex_compat_integrations.core.telemetry.observer import CAPTURE_VARIABLE, Observer, resolve_capture

ALWAYS = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "gcp.vertex_ai",
    "server.address": "host.example",
    "server.port": 443,
    "gen_ai.request.model": MODEL,
}


class Recording:
    """Spans and metrics of one test, by providers that nobody else uses."""

    def __init__(self):
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])

    def span(self):
        (span,) = self._exporter.get_finished_spans()
        return span

    def points(self, name):
        (resource,) = self._reader.get_metrics_data().resource_metrics
        metrics = [metric for scope in resource.scope_metrics for metric in scope.metrics if metric.name == name]
        return [point for metric in metrics for point in metric.data.data_points]


@pytest.fixture
def recording(monkeypatch):
    recording = Recording()
    meter = recording.meters.get_meter("test")
    names = ("gen_ai.client.operation.duration", "first_chunk", "tokens")
    instruments = SimpleNamespace(
        tracer=recording.tracers.get_tracer("test"),
        **dict(zip(("duration", "first_chunk", "tokens"), map(meter.create_histogram, names), strict=True)),
    )
    monkeypatch.setattr(observer_module, "_instruments", lambda: instruments)
    return recording


def observe(body=None, *, origin="https://host.example"):
    request = SimpleNamespace(body={"model": MODEL, "messages": HELLO, **(body or {})})
    call = SimpleNamespace(path=wire.CHAT_PATH, place=None, request=request, operation=None, media=None)
    seconds = iter([10.0, 12.5])
    observer = Observer(lambda _: origin, lambda: next(seconds))
    return observer, observer.watch(call)


@pytest.mark.parametrize(
    ("value", "captures"),
    [
        ("true", True),
        (" SPAN_ONLY ", True),
        ("span_and_event", True),
        ("event_only", False),
        ("", False),
        (None, False),
    ],
)
def test_the_conversation_is_captured_only_where_the_variable_asks_for_it(value, captures):
    assert resolve_capture({} if value is None else {CAPTURE_VARIABLE: value}) is captures


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ({}, {}),
        ({"n": 1}, {}),
        ({"n": 2}, {"gen_ai.request.choice.count": 2}),
        ({"stop": "END"}, {"gen_ai.request.stop_sequences": ("END",)}),
        ({"stop": ["A", "B\ud800"]}, {"gen_ai.request.stop_sequences": ("A", "B?")}),
        ({"temperature": 1}, {"gen_ai.request.temperature": 1.0}),
        ({"temperature": "hot", "n": "two", "stop": 5}, {}),
        ({"modalities": ["text", "image"]}, {"gen_ai.output.type": "image"}),
        ({"response_format": {"type": "json_schema"}}, {"gen_ai.output.type": "json"}),
        ({"response_format": {"type": "text"}}, {"gen_ai.output.type": "text"}),
        ({"stream": True}, {"gen_ai.request.stream": True}),
    ],
)
def test_the_span_has_the_settings_of_the_body(recording, body, attributes):
    _, observation = observe(body)
    with observation:
        pass
    span = recording.span()
    assert span.name == f"chat {MODEL}"
    assert dict(span.attributes) == ALWAYS | attributes


def test_a_server_without_a_port_in_its_url_has_the_port_of_its_scheme(recording):
    _, observation = observe(origin="http://127.0.0.1")
    with observation:
        pass
    assert recording.span().attributes["server.port"] == 80


def test_the_call_is_measured_by_the_clock(recording):
    _, observation = observe()
    with observation:
        pass
    (point,) = recording.points("gen_ai.client.operation.duration")
    assert point.sum == 2.5


def test_a_failed_call_has_its_error_and_no_word_of_its_message(recording):
    _, observation = observe()
    with pytest.raises(RateLimitError), observation:
        raise RateLimitError("Project p has no quota.", code=429)
    span = recording.span()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "RateLimitError"
    assert span.attributes["http.response.status_code"] == 429
    assert "no quota" not in span.to_json()


def test_a_stream_that_its_caller_leaves_is_abandoned_and_no_error(recording):
    _, observation = observe()
    with pytest.raises(GeneratorExit), observation:
        raise GeneratorExit
    span = recording.span()
    assert span.attributes["vertex_compat.abandoned"] is True
    assert span.status.status_code is StatusCode.UNSET


def test_an_attempt_that_failed_is_an_event_of_the_current_span(recording):
    observer, observation = observe()
    with observation, observation.current():
        observer.retried(RateLimitError("No.", code=429), 1.5)
    (event,) = recording.span().events
    assert (event.name, event.attributes["vertex_compat.retry.delay"]) == ("vertex_compat.retry", 1.5)
