"""Exceptions that others raise in the middle of our work come out as they are, once; nothing is sent again.

| who raises | where | outcome |
|---|---|---|
| a signal's handler | a call, a stream | itself |
| the same | between two pieces of a stream, in the caller's loop | itself |
| the same | while a token is fetched: a callable, an async one, google-auth | itself; nothing is sent |
| the same | a call for vectors | itself |
| the same | while a row of a batch is written | itself; no half row, and the next run asks it again |
| `task.cancel()` | each of them, in asynchronous code | CancelledError; no task is left |

The handler raises as Celery's soft limit and gevent's Timeout do, KeyboardInterrupt, SystemExit, or an OSError.
Afterwards the same object serves the next call, with one request. asyncio takes what is raised in a callback of its
loop: it logs an `Exception` there and drops it. Nothing hangs for that (`tests/core/test_interruptions.py`).
"""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.batch.sample_runs import ids, question, write_questions
from tests.promises.entry_points import (
    BOTH_STREAMS,
    CORE,
    EVERY_FRAMEWORK,
    EVERY_FRONTEND,
    EVERY_WAY,
    FRONTENDS,
    MODEL,
    WAYS,
)
from tests.support.busy_machine import LONG_SECONDS
from tests.support.fault_answers import body, reply, say, sse
from tests.support.fault_server import Exchange
from tests.support.waiting_thread import wait_for_main_thread
from vertex_compat_integrations.batch import Pacing, arun_batch, output_file, run_batch
from vertex_compat_integrations.core.calls.embedding import EmbeddingCall
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

Ring = Callable[[], None]


class SoftTimeLimitExceeded(Exception):
    """As billiard, and so Celery, has it; made of more than its words."""

    def __init__(self, task: str, seconds: int) -> None:
        super().__init__(f"{task}: {seconds} s")


class Timeout(BaseException):
    """As gevent has it."""


RAISED = {
    SoftTimeLimitExceeded: lambda: SoftTimeLimitExceeded("answer", 5),
    Timeout: Timeout,
    KeyboardInterrupt: KeyboardInterrupt,
    SystemExit: SystemExit,
    TimeoutError: TimeoutError,
}
EVERY_KIND = pytest.mark.parametrize("alarm", RAISED, indirect=True)


@dataclass(frozen=True)
class Alarm:
    """A signal whose handler raises this kind."""

    kind: type[BaseException]

    def ring(self) -> None:
        """Send it to the main thread, from any thread."""
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    def raised_by(self, work: Callable[[], object]) -> None:
        """The work ends with what the handler raised, and with nothing else."""
        with pytest.raises(self.kind) as caught:
            work()
        assert type(caught.value) is self.kind


@pytest.fixture
def alarm(request: pytest.FixtureRequest) -> Iterator[Alarm]:
    def boom(*_: object) -> None:
        raise RAISED[request.param]()

    before = signal.signal(signal.SIGALRM, boom)
    yield Alarm(request.param)
    signal.signal(signal.SIGALRM, before)


def interrupted(ring: Ring) -> Callable[[Exchange], None]:
    """The signal comes while the answer is waited for; of a stream, behind its first piece."""

    def answer(exchange: Exchange) -> None:
        if exchange.request.streams:
            exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
            exchange.chunk(sse(say("A piece. ", finish=None), done=False))
        # The client's last steps of sending are over by then: aiohttp sends in a task of its own.
        wait_for_main_thread()
        ring()
        exchange.pause(30)

    return answer


class Heard(list[str]):
    """What a caller does between two pieces."""

    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self._ring = ring

    def extend(self, pieces: Iterable[str]) -> None:
        for piece in pieces:
            self += [piece]

    def __iadd__(self, pieces: Iterable[str]) -> "Heard":
        super().extend(pieces)
        self._ring()
        return self


def goes_on(server: Any, frontend: Any, model: Any, way: str, *, requests: int) -> None:
    """The same object serves the next call, and nothing was sent beside."""
    server.rule = reply()
    assert len(server.requests) == requests
    assert frontend.ask(model, way)
    assert len(server.requests) == requests + 1


@EVERY_KIND
@EVERY_WAY
@EVERY_FRONTEND
def test_while_an_answer_is_waited_for(server, frontend, way, alarm):
    model = frontend.build(server, max_retries=2, timeout=20)
    server.rule = interrupted(alarm.ring)
    alarm.raised_by(lambda: frontend.ask(model, way))
    goes_on(server, frontend, model, way, requests=1)


@EVERY_KIND
@BOTH_STREAMS
@pytest.mark.parametrize("frontend", FRONTENDS[:3])
def test_between_two_pieces(server, frontend, way, alarm):
    model = frontend.build(server, max_retries=2, timeout=20)
    heard = Heard(alarm.ring)
    alarm.raised_by(lambda: frontend.ask(model, way, heard))
    assert len(heard) == 1
    goes_on(server, frontend, model, way, requests=1)


class Fetches:
    """Fetches of a token: the first is interrupted and hangs until `release`, the others are quick."""

    _seconds = 20.0

    def __init__(self, interrupt: Ring) -> None:
        self._interrupts = [interrupt]
        self.release = threading.Event()

    def plain(self) -> tuple[str, float]:
        if self._interrupts:
            self._interrupts.pop()()
            self.release.wait(self._seconds)
        return "token", float("inf")

    async def on_loop(self) -> tuple[str, float]:
        if self._interrupts:
            threading.Timer(0.05, self._interrupts.pop()).start()
            await self._released()
        return "token", float("inf")

    async def in_its_step(self) -> tuple[str, float]:
        if self._interrupts:
            self._interrupts.pop()()
            await self._released()
        return "token", float("inf")

    async def _released(self) -> None:
        async with asyncio.timeout(self._seconds):
            while not self.release.is_set():  # noqa: ASYNC110 - it is for threads, too
                await asyncio.sleep(0.01)

    def credentials(self) -> Any:
        from google.auth.credentials import Credentials

        fetches = self

        class Own(Credentials):  # type: ignore[misc]  # google-auth has no types
            def refresh(self, request: object) -> None:
                self.token, _ = fetches.plain()

        return Own()


SOURCES = {
    "callable": lambda fetches: fetches.plain,
    "async callable": lambda fetches: fetches.on_loop,
    "step of an async callable": lambda fetches: fetches.in_its_step,
    "google-auth": Fetches.credentials,
}
EVERY_SOURCE = pytest.mark.parametrize("source", SOURCES)


def settings_of(source: str, fetches: Fetches) -> dict[str, Any]:
    return {"credentials": SOURCES[source](fetches), "allow_hosts": ["127.0.0.1"], "timeout": 20, "max_retries": 2}


@EVERY_KIND
@pytest.mark.parametrize(
    ("source", "way"),
    # Synchronous calls have an async callable asked in a thread, as any other.
    [(source, way) for source in SOURCES for way in WAYS if way.startswith("a") or "async" not in source],
)
def test_while_a_token_is_fetched(server, way, source, alarm):
    frontend, fetches = CORE, Fetches(alarm.ring)
    model = frontend.build(server, **settings_of(source, fetches))
    alarm.raised_by(lambda: frontend.ask(model, way))
    fetches.release.set()
    goes_on(server, frontend, model, way, requests=0)


# Cancelled from outside


async def ends_all_tasks_but(these: set[Any]) -> None:
    async with asyncio.timeout(LONG_SECONDS):
        while asyncio.all_tasks() - these:  # noqa: ASYNC110 - tasks of others have no event
            await asyncio.sleep(0.01)


async def is_cancelled(work: Any, begin: Callable[[Ring], None]) -> None:
    """The work is cancelled by what `begin` gets, and leaves no task."""
    loop, others = asyncio.get_running_loop(), asyncio.all_tasks()
    task = asyncio.ensure_future(work)
    begin(lambda: loop.call_soon_threadsafe(task.cancel) and None)
    with pytest.raises(asyncio.CancelledError):
        await task
    await ends_all_tasks_but(others)


@pytest.mark.parametrize("way", ["aplain", "astream"])
@EVERY_FRONTEND
async def test_a_cancelled_call(server, frontend, way):
    model = frontend.build(server, max_retries=2, timeout=20)
    await frontend.aask(model, way)
    server.requests.clear()
    heard: list[str] = []
    await is_cancelled(frontend.aask(model, way, heard), lambda cancel: setattr(server, "rule", interrupted(cancel)))
    server.rule = reply()
    assert len(server.requests) == 1
    assert await frontend.aask(model, way)
    assert len(server.requests) == 2


@EVERY_SOURCE
async def test_a_call_that_is_cancelled_while_a_token_is_fetched(server, source):
    """The fetch goes on for who comes next: it is not the cancelled call's own."""
    frontend, loop = CORE, asyncio.get_running_loop()
    fetches = Fetches(lambda: loop.call_soon_threadsafe(task.cancel) and None)
    model = frontend.build(server, **settings_of(source, fetches))
    task = asyncio.ensure_future(frontend.aask(model))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.requests == []
    fetches.release.set()
    assert await frontend.aask(model)
    assert len(server.requests) == 1
    await ends_all_tasks_but({asyncio.current_task()})


# Vectors


VECTORS = body(json.dumps({"object": "list", "data": [{"index": 0, "embedding": [0.5, 1.0]}]}).encode())


def embedding_model(frontend: Any, server: Any) -> Any:
    there = {"model": "own/embedder", "base_url": server.base_url, "api_key": "t", "max_retries": 2, "timeout": 20}
    if frontend.door.name == "langchain":
        from vertex_compat_integrations.langchain import VertexCompatEmbeddings

        return VertexCompatEmbeddings(**there)
    from vertex_compat_integrations.llama_index import VertexCompatEmbedding

    return VertexCompatEmbedding(**there)


def embed(frontend: Any, model: Any, way: str) -> Any:
    if frontend.door.name == "langchain":
        return model.embed_query("Rain") if way == "plain" else asyncio.run(model.aembed_query("Rain"))
    if way == "plain":
        return model.get_query_embedding("Rain")
    return asyncio.run(model.aget_query_embedding("Rain"))


@EVERY_KIND
@pytest.mark.parametrize("way", ["plain", "aplain"])
@EVERY_FRAMEWORK
def test_while_vectors_are_waited_for(server, frontend, way, alarm):
    model = embedding_model(frontend, server)
    server.rule = interrupted(alarm.ring)
    alarm.raised_by(lambda: embed(frontend, model, way))
    assert len(server.requests) == 1
    server.rule = VECTORS
    assert embed(frontend, model, way) == [0.5, 1.0]
    assert len(server.requests) == 2


@EVERY_KIND
@EVERY_FRAMEWORK
def test_in_a_step_of_one_of_several_requests_for_vectors(server, monkeypatch, frontend, alarm):
    """Asynchronous ones are tasks of a group."""
    model = embedding_model(frontend, server)
    server.rule = VECTORS
    monkeypatch.setattr(EmbeddingCall, "_decode", lambda *_: alarm.ring())
    alarm.raised_by(lambda: embed(frontend, model, "aplain"))
    assert len(server.requests) == 1
    monkeypatch.undo()
    assert embed(frontend, model, "aplain") == [0.5, 1.0]


# Rows of a batch


class TornWrites:
    """The module `os`, but for one write: of the third row comes half, and then the signal."""

    def __init__(self, ring: Ring) -> None:
        self._ring, self._rows = ring, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, file: int, content: bytes) -> int:
        self._rows += 1
        if self._rows != 3:
            return os.write(file, content)
        written = os.write(file, content[: len(content) // 2])
        self._ring()
        return written


def batch_settings(server: Any, concurrency: int) -> dict[str, Any]:
    return {
        "connection": Connection(base_url=server.base_url, api_key="t", max_retries=2),
        "options": Options(model=MODEL),
        "pacing": Pacing(concurrency=concurrency),
    }


@EVERY_KIND
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_row_that_is_being_written(server, tmp_path, monkeypatch, concurrency, alarm):
    source, output = write_questions(tmp_path / "in.jsonl", 6), tmp_path / "out.jsonl"
    settings = batch_settings(server, concurrency)
    monkeypatch.setattr(output_file, "os", TornWrites(alarm.ring))
    alarm.raised_by(lambda: run_batch(source, output, **settings))
    monkeypatch.undo()
    asked, whole = [request.body for request in server.requests], ids(output)
    assert len(set(asked)) == len(asked), "nothing is tried again"
    # Of several at a time, some may have had their answers when the signal came.
    assert len(set(whole)) == len(whole)
    assert 2 <= len(whole) <= 1 + concurrency
    assert output.read_bytes().endswith(b"\n")
    assert run_batch(source, output, **settings).stopped is None
    assert sorted(ids(output)) == [f"q{number}" for number in range(6)]
    for number in range(6):
        times = sum(question(number).encode() in request.body for request in server.requests)
        # A request of the first run may have been on its way to the server, which counts it later.
        assert times == 1 if f"q{number}" in whole else 1 <= times <= 2, number


async def test_a_batch_that_is_cancelled(server, tmp_path):
    source, output = write_questions(tmp_path / "in.jsonl", 3), tmp_path / "out.jsonl"
    settings = batch_settings(server, 1)
    await is_cancelled(
        arun_batch(source, output, **settings),
        lambda cancel: setattr(server, "rule", interrupted(cancel)),
    )
    assert (len(server.requests), ids(output)) == (1, [])
    server.rule = reply()
    await arun_batch(source, output, **settings)
    assert (len(server.requests), ids(output)) == (4, ["q0", "q1", "q2"])
