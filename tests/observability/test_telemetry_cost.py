"""What telemetry costs, in calls of this package's functions: nothing where it is off, little where it is on."""

from collections.abc import Iterator

import pytest

pytest.importorskip("opentelemetry.trace", reason="needs opentelemetry-api")

from tests.benchmarks.measuring import stub_server
from tests.test_work import calls_of_ours
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

HELLO = [{"role": "user", "content": "Hi"}]
OPTIONS = Options(model="google/gemini-3.5-flash")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with stub_server() as url:
        yield url


def calls(server: str, route: str, *, telemetry: bool | None) -> int:
    client = VertexCompatClient(Connection(base_url=f"{server}/{route}/v1", api_key="x", telemetry=telemetry))

    def ask() -> None:
        if route.startswith("stream"):
            for _ in client.stream(HELLO, OPTIONS):
                pass
        else:
            client.chat(HELLO, OPTIONS)

    ask()  # the first time loads what is loaded late
    return calls_of_ours(ask)


def test_a_chunk_costs_two_calls_more_and_nothing_where_telemetry_is_off(server):
    per_chunk = {
        telemetry: (calls(server, "stream400", telemetry=telemetry) - calls(server, "stream100", telemetry=telemetry))
        / 300
        for telemetry in (None, False, True)
    }
    # In how many blocks a body comes is up to the network; a block costs some calls, too.
    assert per_chunk[False] == pytest.approx(per_chunk[None], abs=0.5)
    assert per_chunk[True] - per_chunk[None] == pytest.approx(2, abs=0.5)


def test_a_call_costs_few_calls_more(server):
    off, on = (calls(server, "reply1024", telemetry=telemetry) for telemetry in (None, True))
    assert 0 < on - off <= 42
