"""A server that goes wrong on purpose: raw sockets in threads, so that no library repairs what a test breaks."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeAlias

REASONS = {200: "OK", 307: "Temporary Redirect", 401: "Unauthorized", 429: "Too Many Requests", 503: "Unavailable"}
OPENAPI_PATH = "/v1/projects/p/locations/global/endpoints/openapi"


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def streams(self) -> bool:
        return bool(self.body) and bool(self.json.get("stream"))

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Exchange:
    """One request and the socket that its answer goes to; an answer writes what it likes."""

    request: Request
    connection: socket.socket
    stopping: threading.Event
    keeps: bool = True

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: int = 200, **headers: str | int) -> None:
        """The status line and headers; underscores in their names are hyphens."""
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Fault')}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        """One chunk of the chunked encoding; an empty one ends the body."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def pause(self, seconds: float) -> bool:
        """Wait; True if the server is still to go on."""
        return not self.stopping.wait(seconds)

    def close(self) -> None:
        """End the connection, in order."""
        self.keeps = False
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection off."""
        self.keeps = False
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Answer: TypeAlias = Callable[[Exchange], None]


@dataclass
class FaultServer:
    """Plays answers: the queued ones in turn, then the rule."""

    rule: Answer
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0

    def __post_init__(self) -> None:
        self._queue: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._is_closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return self.origin + OPENAPI_PATH

    @property
    def tokens(self) -> list[str]:
        return [request.token for request in self.requests]

    def answer(self, *answers: Answer) -> None:
        """Play these to the next requests, before the rule."""
        self._queue.extend(answers)

    def reset(self, rule: Answer) -> None:
        """Forget what was; answers that are still under way end."""
        with self._lock:
            self._stopping.set()
            self._stopping = threading.Event()
            self._queue.clear()
            self.requests.clear()
            self.rule = rule

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept, name="fault-server", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._sockets)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with self._lock:
            self._sockets.add(connection)
            self.open_connections += 1
        try:
            # A client that leaves, or that TLS does not let in, is no fault of the server's.
            with contextlib.suppress(OSError, ValueError):
                if self.tls is None:
                    self._converse(connection, number)
                else:
                    with self.tls.wrap_socket(connection, server_side=True) as wrapped:
                        self._converse(wrapped, number)
        finally:
            with self._lock:
                self._sockets.discard(connection)
                self.open_connections -= 1
            connection.close()

    def _converse(self, connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as reader:
            while (request := read_request(reader, number)) is not None:
                with self._lock:
                    self.requests.append(request)
                    answer = self._queue.popleft() if self._queue else self.rule
                exchange = Exchange(request, connection, self._stopping)
                answer(exchange)
                if not exchange.keeps:
                    return


def read_request(reader: Any, number: int) -> Request | None:
    """The next request of a connection; None at its end."""
    line = reader.readline()
    if not line:
        return None
    method, target, _ = line.decode().split()
    headers: dict[str, str] = {}
    while (line := reader.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, reader.read(int(headers.get("content-length", 0))), number)


class ConnectProxy:
    """An HTTP proxy that leads every CONNECT to one server, and remembers for whom it was asked."""

    def __init__(self, server: FaultServer) -> None:
        self.asked: list[str] = []
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept, name="connect-proxy", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(connection,), daemon=True).start()

    def _lead(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            self.asked.append(head.split()[1].decode())
            with socket.create_connection(("127.0.0.1", self._server.port)) as there:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(there, connection), daemon=True)
                back.start()
                _pump(connection, there)
                back.join(2)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
