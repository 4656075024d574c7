"""A user's program that listens to a call by OpenTelemetry, and prints the names that its dashboards know."""

import json

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vertex_compat_integrations.langchain import ChatVertexCompat

exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider([reader]))

ChatVertexCompat(model="google/gemini-3.5-flash", project="stored-project", telemetry=True).invoke("Hello")

(span,) = exporter.get_finished_spans()
scopes = [scope for resource in reader.get_metrics_data().resource_metrics for scope in resource.scope_metrics]
told = {
    "tracer": span.instrumentation_scope.name,
    "span": span.name,
    "attributes": sorted(span.attributes),
    "meters": sorted(scope.scope.name for scope in scopes),
    "metrics": sorted(metric.name for scope in scopes for metric in scope.metrics),
}
print(json.dumps(told, indent=1))  # noqa: T201 - a program of its own
