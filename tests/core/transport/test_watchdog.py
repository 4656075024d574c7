"""The watchdog's own promises, where no connection can be shut down: responses of a caller's own transport."""

import asyncio
import importlib
import math
import socket
import time

import openai

from vertex_compat_integrations.core.transport.watchdog import Deadline, DeadlineThread, enforce_on_loop

http = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])


class Stream:
    """The network stream of a response, as HTTP libraries hand it out."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self.connection if name == "socket" else None


def test_a_response_without_a_connection_does_not_end_the_watch_over_others():
    watchdog, first, second = DeadlineThread(), Deadline(), Deadline()
    with watchdog.enforce(first, http.Response(200), 0.02):
        time.sleep(0.1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(2)
        with watchdog.enforce(second, http.Response(200, extensions={"network_stream": Stream(ours)}), 0.02):
            assert ours.recv(1) == b"", "shut down"
    assert (first.has_expired, second.has_expired) == (True, True)


def test_a_read_without_an_end_does_not_end_the_watch_over_others():
    watchdog, endless, other = DeadlineThread(), Deadline(), Deadline()
    with watchdog.enforce(endless, http.Response(200), math.inf):
        time.sleep(0.05)
        with watchdog.enforce(other, http.Response(200), 0.02):
            time.sleep(0.1)
    assert (endless.has_expired, other.has_expired) == (False, True)


class Body(http.AsyncByteStream):
    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.is_closed = False

    async def __aiter__(self):
        yield b""

    async def aclose(self) -> None:
        self.is_closed = True
        if self.error is not None:
            raise self.error


async def test_on_a_loop_such_a_response_is_closed():
    """Also one that cannot be, which is no error of its own: the call's is that its time is over."""
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    for error in (None, RuntimeError("asynchronous generator is already running")):
        deadline, body = Deadline(), Body(error)
        with enforce_on_loop(deadline, http.Response(200, stream=body), 0.01):
            await asyncio.sleep(0.05)
        assert deadline.has_expired
        assert body.is_closed
    assert told == []
