"""A small OpenAI-compatible server on loopback that says what a test tells it to, and notes what it was asked."""

import http.server
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Say = Callable[["Handler", Any], None]

KEY = "sk-swordfish-of-the-upstream"
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"city": "Oslo"}'}}
TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the server's `say`."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        with suppress(OSError):
            self.server.say(self, body)

    def reply(self, body: Any, status: int = 200, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(raw)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def event(self, data: Any) -> None:
        self.piece(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode())

    def piece(self, raw: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def break_off(self) -> None:
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reset()

    def reset(self) -> None:
        """Forget what was asked, and say `Hi.` to everything."""
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.say: Say = lambda handler, _: handler.reply(completion("Hi."))

    def handle_error(self, *_: Any) -> None:
        """Clients go when they like."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def last(self) -> Any:
        """The body of the last request."""
        return self.asked[-1][2]

    def stream(self, events: Iterable[Any]) -> None:
        """Answer with these events."""

        def say(handler: Handler, _: Any) -> None:
            handler.begin_stream()
            for event in events:
                handler.event(event)
            handler.end_stream()

        self.say = say


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def completion(text: str | None, **message: Any) -> dict[str, Any]:
    finish = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    return {
        "id": "upstream-1",
        "object": "chat.completion",
        "created": 5,
        "model": "/secret/path.gguf",
        "system_fingerprint": "b0",
        "choices": [choice],
        "usage": USAGE,
        "timings": {"predicted_ms": 1},
    }


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    told = {"id": "upstream-1", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": choices}
    return {**told, **more}


HELLO = [
    chunk({"role": "assistant", "content": None}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
    chunk(usage=USAGE),
    "[DONE]",
]
"""A stream in llama.cpp's and OpenAI's form: null content first, usage in a chunk without choices."""
