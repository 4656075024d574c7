"""The watchdog's promises, with each fault: no thread to be had, a dead one, responses of a caller's own transport."""

import importlib
import math
import socket
import threading
import time
from contextlib import contextmanager

import openai
import pytest

from tests.support.busy_machine import LONG_SECONDS, eventually
from vertex_compat_integrations.core.errors import ConnectionFailedError
from vertex_compat_integrations.core.transport.watchdog import Deadline, DeadlineThread

http = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])


class Stream:
    """The network stream of a response, as HTTP libraries hand it out."""

    def __init__(self, connection: object) -> None:
        self.connection = connection

    def get_extra_info(self, name: str) -> object:
        if isinstance(self.connection, Exception):
            raise self.connection
        return self.connection if name == "socket" else None


class Proxied:
    """A socket that is none by its class, as gevent, eventlet and uvloop have them; its `shutdown` is not for us."""

    def __init__(self, connection: socket.socket) -> None:
        self.fileno = connection.fileno

    def shutdown(self, how: int) -> None:
        raise TypeError("transport sockets do not support shutdown() method")


def response(connection: object = None):
    return http.Response(200, extensions={"network_stream": Stream(connection)} if connection is not None else {})


@contextmanager
def watched(watchdog: DeadlineThread, answer: object, seconds: float):
    deadline = Deadline(seconds)
    watchdog.watch(deadline)
    deadline.begin(answer)
    try:
        yield deadline
    finally:
        deadline.release()


def ends_a_read(watchdog: DeadlineThread, wrap=lambda connection: connection) -> bool:
    """Whether a read that would last for a minute ends when its time is over."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(LONG_SECONDS)
        with watched(watchdog, response(wrap(ours)), 0.02) as deadline:
            return ours.recv(1) == b"" and deadline.has_expired


@pytest.mark.parametrize(
    "odd",
    [
        None,
        RuntimeError("a stream of the caller's own"),
        object(),
        Proxied(socket.socket()),
    ],
    ids=["no stream", "a stream that raises", "no socket", "a closed socket"],
)
def test_an_odd_connection_does_not_end_the_watch_over_others(odd):
    watchdog = DeadlineThread()
    with watched(watchdog, response(odd), 0.02) as deadline:
        assert eventually(lambda: deadline.has_expired)
    assert ends_a_read(watchdog)


def test_a_socket_that_cannot_shut_down_by_itself_is_shut_down_by_its_number():
    assert ends_a_read(DeadlineThread(), Proxied)


def test_a_read_without_an_end_does_not_end_the_watch_over_others():
    watchdog = DeadlineThread()
    with watched(watchdog, response(), math.inf) as endless:
        time.sleep(0.05)
        assert ends_a_read(watchdog)
        assert not endless.has_expired


def test_a_response_that_comes_too_late_is_ended_at_once():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        deadline = Deadline(0)
        deadline.begin(response(ours))
        assert (ours.recv(1), deadline.has_expired) == (b"", True)


@pytest.fixture
def no_threads(monkeypatch):
    """The words of the system, when it gives no thread."""

    def refuse(words):
        def start(thread):
            raise RuntimeError(words)

        monkeypatch.setattr(threading.Thread, "start", start)

    yield refuse
    monkeypatch.undo()


def test_without_a_thread_the_call_fails_and_the_next_is_watched(no_threads, monkeypatch):
    watchdog = DeadlineThread()
    no_threads("can't start new thread")
    with pytest.raises(ConnectionFailedError, match="nothing was sent"):
        watchdog.watch(Deadline(1))
    monkeypatch.undo()
    assert ends_a_read(watchdog)


def test_while_the_interpreter_shuts_down_a_call_needs_no_thread(no_threads):
    no_threads("can't create new thread at interpreter shutdown")
    DeadlineThread().watch(Deadline(1))


def test_a_dead_thread_is_replaced_and_keeps_what_it_was_to_keep():
    watchdog = DeadlineThread()
    threads = []
    for _ in range(3):
        assert ends_a_read(watchdog)
        threads.append(watchdog._thread)
        watchdog._run = lambda: None  # as one that ends by what nobody thought of
        watchdog._thread = threading.Thread(target=watchdog._run)
        watchdog._ring()
        threads[-1].join(LONG_SECONDS)
        assert not threads[-1].is_alive()
        del watchdog._run
    assert len(set(threads)) == 3


def test_deadlines_of_reads_that_are_over_are_let_go():
    watchdog = DeadlineThread()
    for _ in range(5000):
        with watched(watchdog, response(), 600):
            pass
    assert eventually(lambda: len(watchdog._incoming) + len(watchdog._deadlines) <= 200)
