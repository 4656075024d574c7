"""A relay on loopback: passes bytes on as they are, and notes what went through each connection."""

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

_STATUS_LINE = re.compile(rb"(?:^|\r\n)HTTP/1\.1 (\d{3})")
_REQUEST_LINE = re.compile(rb"(?:^|\r\n\r\n|})POST (\S+) HTTP/1\.1")


@dataclass
class Connection:
    """One connection of a client's.

    Attributes:
        sent: What the client sent.
        answered: What the server sent.
        closed_by: Who ended it first.
    """

    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)
    closed_by: str | None = None

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in _STATUS_LINE.findall(bytes(self.answered))]

    @property
    def paths(self) -> list[str]:
        return [path.decode() for path in _REQUEST_LINE.findall(bytes(self.sent))]


class Relay:
    """Listens on a port of its own, and connects to a server's for each connection that it takes."""

    def __init__(self, port: int) -> None:
        self.connections: list[Connection] = []
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def statuses(self) -> list[int]:
        """The statuses of all answers, connection by connection."""
        return [status for connection in self.connections for status in connection.statuses]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        noted = Connection()
        self.connections.append(noted)
        with client:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                noted.closed_by = "server"
                return
            with server:
                back = threading.Thread(target=_pass_on, args=(server, client, noted.answered, noted, "server"))
                back.start()
                _pass_on(client, server, noted.sent, noted, "client")
                back.join()


def _pass_on(source: socket.socket, sink: socket.socket, log: bytearray, noted: Connection, name: str) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            log += data
            sink.sendall(data)
    if noted.closed_by is None:
        noted.closed_by = name
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
