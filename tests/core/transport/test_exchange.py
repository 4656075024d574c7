"""Exchanges that are left where the garbage collector runs, or in a forked child: nothing hangs, nothing is printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fault_answers import reply, say, sse
from tests.support.fault_server import FaultServer
from vertex_compat_integrations.core.transport.exchange import LEFT, THREAD, Exchange, end_left
from vertex_compat_integrations.core.transport.pool import _POOL

CHILDREN = Path(__file__).parent / "children"
ROUNDS = 50
ROUNDS_AT_NIGHT = 1000


def endless(exchange):
    """A stream that goes on until the client leaves; whole answers to plain calls."""
    if not exchange.request.streams:
        reply()(exchange)
        return
    exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
    while True:
        exchange.chunk(sse(say("A piece. ", finish=None), done=False))
        if not exchange.pause(0.05):
            return


def run(program: str, rounds: int) -> tuple[int, str]:
    """How a program ends, and what it prints."""
    with FaultServer(endless) as server:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILDREN / f"{program}.py", server.base_url, str(rounds)],
            capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])},
        )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


PROGRAMS = pytest.mark.parametrize("program", ["collected", "forked"])


@PROGRAMS
def test_nothing_hangs_where_streams_are_left(program):
    assert run(program, ROUNDS) == (0, "")


@pytest.mark.nightly
@PROGRAMS
def test_nothing_hangs_at_night(program):
    assert run(program, ROUNDS_AT_NIGHT) == (0, "")


class Shared:
    busy = 1


class Failing:
    """A response that cannot be closed at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tries = 0

    def close(self) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise ConnectionResetError


def exchange_of(response: Failing) -> tuple[Exchange, Shared, list[str]]:
    ends: list[str] = []
    exchange, shared = Exchange(1, _POOL.lock, lambda: ends.append("end")), Shared()
    exchange.shared, exchange._response = shared, response
    return exchange, shared, ends


def test_inside_code_that_holds_locks_nothing_is_ended():
    exchange, shared, ends = exchange_of(Failing(0))
    THREAD.depth += 1
    try:
        with _POOL.lock:
            exchange.leave()
        assert (shared.busy, ends, list(LEFT)) == (1, [], [exchange])
    finally:
        THREAD.depth -= 1
    end_left()
    assert (shared.busy, ends, list(LEFT)) == (0, ["end"], [])


@pytest.mark.parametrize(("failures", "tries"), [(1, 2), (9, 3)])
def test_what_cannot_be_closed_is_tried_again_by_later_calls_but_not_for_ever(failures, tries):
    response = Failing(failures)
    exchange, shared, _ = exchange_of(response)
    with pytest.raises(ConnectionResetError):
        exchange.leave()
    for _ in range(5):
        end_left()
    assert (response.tries, shared.busy, len(LEFT)) == (tries, 0, 0)
