"""Checks of the way to the endpoint: name resolution, connection, clock."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.doctor.examining import case_for, failed_only, look, run


def test_a_host_name_without_an_address():
    there = "https://nowhere.invalid"
    finding = failed_only(run("--base-url", f"{there}/v1", "--allow-host", there), "host name")
    assert finding["paste"] == "nslookup nowhere.invalid"


def test_a_host_that_does_not_answer(emulator):
    with socket.create_server(("127.0.0.1", 0)) as server:
        origin = f"http://127.0.0.1:{server.getsockname()[1]}"
    finding = failed_only(run("--base-url", f"{origin}/v1", "--allow-host", origin), "connection")
    assert finding["paste"] == f"curl -sv {origin} -o /dev/null"


@contextmanager
def server_with_date(seconds_off: float) -> Iterator[str]:
    """A server whose clock goes wrong, in its `Date` header."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("content-length", "0")
            self.end_headers()

        def date_time_string(self, timestamp=None) -> str:
            return super().date_time_string(time.time() + seconds_off)

        def log_message(self, *_) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("seconds", "side"), [(600, "behind"), (-600, "ahead of")])
def test_a_clock_that_goes_wrong(seconds, side):
    with server_with_date(seconds) as origin:
        findings = look(
            case_for(base_url=f"{origin}/v1", allow_hosts=[origin]),
            *("location", "proxy", "certificate authorities", "host name", "connection", "clock"),
        )
    assert findings["connection"].verdict == "ok"
    assert findings["clock"].verdict == "failed"
    assert side in findings["clock"].text
    assert findings["clock"].paste
