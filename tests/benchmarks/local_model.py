"""What a real model behind the emulator takes: `python -m tests.benchmarks.local_model` (extras local and emulator).

Medians of five rounds, with the model's server asked directly and through the emulator in turn, so that other work of
the machine burdens both. Each round asks its own question: the server keeps what it has read of the one before.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, LocalModel

ROUNDS = 5
WARM_UP = 99
TOKENS = 64
SCHEMA = {
    "type": "object",
    "properties": {"guest": {"type": "string"}, "city": {"type": "string"}, "nights": {"type": "integer"}},
    "required": ["guest", "city", "nights"],
}
STORY = Options(temperature=0, max_tokens=TOKENS)
BOOKING = Options(
    temperature=0,
    max_tokens=TOKENS,
    response_format={"type": "json_schema", "json_schema": {"name": "Booking", "schema": SCHEMA}},
)


def stream(client: VertexCompatClient, number: int) -> dict[str, float]:
    """Seconds to the first piece, and pieces a second after it."""
    started = time.perf_counter()
    asked = [{"role": "user", "content": f"Story {number}: what did the cat do in the garden?"}]
    moments = [time.perf_counter() - started for delta in client.stream(asked, STORY) if delta.text]
    return {
        "first piece (s)": moments[0],
        "pieces a second": (len(moments) - 1) / (moments[-1] - moments[0]),
    }


def extract(client: VertexCompatClient, number: int) -> dict[str, float]:
    """Seconds to an object of a schema."""
    text = f'Extract the booking: guest "Ada Lovelace" stays in the city of London for {number + 2} nights.'
    started = time.perf_counter()
    (reply,) = client.chat([{"role": "user", "content": text}], BOOKING)
    seconds = time.perf_counter() - started
    if json.loads(reply.text).keys() != SCHEMA["properties"].keys():
        raise ValueError(f"That is no booking: {reply.text}")
    return {"object of a schema (s)": seconds}


def rows(clients: dict[str, VertexCompatClient]) -> Iterator[tuple[str, str, float]]:
    """Figure, way and median."""
    measures: tuple[Callable[[VertexCompatClient, int], dict[str, float]], ...] = (stream, extract)
    for measure in measures:
        found: dict[tuple[str, str], list[float]] = {}
        for client in clients.values():
            measure(client, WARM_UP)
        for number in range(ROUNDS):
            for turn, (way, client) in enumerate(clients.items()):
                for name, value in measure(client, len(clients) * number + turn).items():
                    found.setdefault((name, way), []).append(value)
        yield from ((name, way, statistics.median(values)) for (name, way), values in found.items())


def processor() -> str:
    """What `/proc/cpuinfo` calls the processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def resident_megabytes(process_id: int) -> float:
    """What a process holds in memory."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def show(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what the program is for


def main() -> None:
    started = time.perf_counter()
    with LocalModel() as local, Emulator(upstream=local.upstream) as emulator:
        show(f"{processor()}, one thread; model loaded in {time.perf_counter() - started:.1f} s")
        token = emulator.identity.issue()
        deployed = emulator.base_url(location="us-central1", endpoint="1234567890")
        clients = {
            "directly": VertexCompatClient(Connection(base_url=local.url, api_key="no-key")),
            "through the emulator": VertexCompatClient(Connection(base_url=deployed, api_key=token)),
        }
        for name, way, value in rows(clients):
            show(f"{name:24} {way:22} {value:.2f}")
        show(f"memory of the child      {resident_megabytes(local.process_id):.0f} MB")


if __name__ == "__main__":
    main()
