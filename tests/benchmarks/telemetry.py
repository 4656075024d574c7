"""What telemetry adds to a call and to a chunk: CPU time of this process, off, on without a provider, on with an SDK.

`python -m tests.benchmarks.telemetry`; the SDK keeps spans in memory, exporting is not measured.
"""

import statistics
from collections.abc import Callable

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.benchmarks.measuring import ROUNDS, cpu_seconds, stub_server
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

HELLO = [{"role": "user", "content": "Hi"}]
OPTIONS = Options(model="google/gemini-3.5-flash", temperature=0.5)
CHUNKS, CALLS, STREAMS = 1600, 100, 2


def _client(url: str, *, telemetry: bool) -> VertexCompatClient:
    return VertexCompatClient(Connection(base_url=f"{url}/v1", api_key="x", telemetry=telemetry))


def _call(server: str, *, telemetry: bool) -> Callable[[], object]:
    client = _client(f"{server}/reply1024", telemetry=telemetry)
    return lambda: client.chat(HELLO, OPTIONS)


def _stream(server: str, *, telemetry: bool) -> Callable[[], object]:
    client = _client(f"{server}/stream{CHUNKS}", telemetry=telemetry)
    return lambda: [None for _ in client.stream(HELLO, OPTIONS)]


def _compare(name: str, off: Callable[[], object], on: Callable[[], object], times: int, per: int) -> None:
    for work in (off, on):
        cpu_seconds(work, times)
    pairs = [(cpu_seconds(off, times), cpu_seconds(on, times)) for _ in range(ROUNDS)]
    base = statistics.median(pair[0] for pair in pairs) / per * 1e6
    added = statistics.median(on - off for off, on in pairs) / per * 1e6
    print(f"{name}: {base:.1f} us off, {added:+.1f} us on ({added / base:+.1%})")  # noqa: T201 - a program's output


def _measure(label: str, server: str) -> None:
    calls = (_call(server, telemetry=telemetry) for telemetry in (False, True))
    streams = (_stream(server, telemetry=telemetry) for telemetry in (False, True))
    _compare(f"a call, {label}", *calls, CALLS, 1)
    _compare(f"a chunk, {label}", *streams, STREAMS, CHUNKS)


def _main() -> None:
    with stub_server() as server:
        _measure("no provider", server)
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))
        _measure("SDK", server)


if __name__ == "__main__":
    _main()
