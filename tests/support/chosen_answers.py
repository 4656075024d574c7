"""An endpoint on loopback that gives the answers that a test has chosen, for whatever is asked."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Chosen = tuple[int, str]
"""Status and body."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Callable[[str, dict[str, Any]], Chosen]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, text = type(self).answer(self.path, body)
        data = text.encode()
        self.send_response(status)
        kind = "text/event-stream" if text.startswith("data:") else "application/json"
        for name, value in (("content-type", kind), ("content-length", str(len(data))), ("x-request-id", "req-secret")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def endpoint(answer: Callable[[str, dict[str, Any]], Chosen]) -> Iterator[str]:
    """`host:port` of an endpoint that answers so."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
