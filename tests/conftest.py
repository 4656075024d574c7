"""What tests of several rooms share."""

import asyncio
import http.server
import inspect
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.same_day import sitecustomize
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

# How long an example takes, and how long it takes to make one, tells of the machine. The examples of two runs are the
# same, so that a run fails by what was changed; `.ci/nightly` tries new ones.
settings.register_profile(
    "shared machine",
    deadline=None,
    derandomize="NEW_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shared machine")

UNKNOWN_NEWER = "google/gemini-9-argon"
"""A Gemini that no list names yet."""

# No test of this project shall fail on the day on which its model retires, nor shall a program that it starts.
sitecustomize.fix_day()
sys.path.insert(0, str(Path(sitecustomize.__file__).parent))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (sys.path[0], os.environ.get("PYTHONPATH"))))
# And the emulator serves the retired models, too, where a test does not say otherwise.
Emulator.__init__.__kwdefaults__["serve_retired"] = True


class _Sink(http.server.BaseHTTPRequestHandler):
    """Reads a body without keeping it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        left, buffer = int(self.headers["content-length"]), memoryview(bytearray(65_536))
        while left:
            left -= self.rfile.readinto(buffer[: min(left, 65_536)])
        message = b'{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(message)))
        self.end_headers()
        self.wfile.write(message)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def sink() -> Iterator[str]:
    """Base URL of a server that reads requests without keeping them, for tests of what they cost."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/projects/p/locations/global/endpoints/openapi"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def loop_for_synchronous_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """LlamaIndex's synchronous doors take the thread's event loop, or make one and leave it open."""
    if inspect.iscoroutinefunction(request.function):
        yield
        return
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="module")
def shared_emulator() -> Iterator[Emulator]:
    with Emulator(models=[UNKNOWN_NEWER]) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Iterator[Emulator]:
    """The emulator, as if it had just started."""
    shared_emulator.reset()
    yield shared_emulator
    shared_emulator.reset()


@pytest.fixture
def hosted(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator as all clients find it, by its variable; location and project are in the path of a request."""
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    return emulator
