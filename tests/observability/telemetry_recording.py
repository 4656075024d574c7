"""What OpenTelemetry was told, kept in memory; and the four ways to ask a client."""

import json
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.options import Options

WAYS = ("chat", "achat", "stream", "astream")


class Recording:
    """Keeps what the global providers are told; a process can have one of them only."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        trace.set_tracer_provider(provider)
        self._reader = InMemoryMetricReader({Histogram: AggregationTemporality.DELTA})
        metrics.set_meter_provider(MeterProvider([self._reader]))

    def spans(self) -> list[Any]:
        """The spans that have ended since the last look, in that order."""
        spans = list(self._exporter.get_finished_spans())
        self._exporter.clear()
        return spans

    def span(self) -> Any:
        """The only one."""
        (span,) = self.spans()
        return span

    def points(self) -> dict[str, list[Any]]:
        """The points of each histogram since the last look."""
        data = self._reader.get_metrics_data()
        found: dict[str, list[Any]] = {}
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found.setdefault(metric.name, []).extend(metric.data.data_points)
        return found

    def clear(self) -> None:
        self.spans()
        self.points()


def everything_in(spans: list[Any], points: dict[str, list[Any]]) -> str:
    """All that was told, as one text."""
    measured = [(name, dict(point.attributes)) for name, found in points.items() for point in found]
    return " ".join(span.to_json() for span in spans) + json.dumps(measured, default=str)


async def ask(client: VertexCompatClient, way: str, messages: list[Any], **options: Any) -> str:
    """The answer's text."""
    asked = Options.model_validate({"model": "google/gemini-3.5-flash", **options})
    match way:
        case "chat":
            return client.chat(messages, asked)[0].text
        case "achat":
            return (await client.achat(messages, asked))[0].text
        case "stream":
            return "".join(delta.text for delta in client.stream(messages, asked))
        case _:
            return "".join([delta.text async for delta in client.astream(messages, asked)])
