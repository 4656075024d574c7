"""Exceptions of others, raised by a signal's handler in the middle of a call: they reach the program as they are."""

import asyncio
import dis
import functools
import itertools
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any

import openai
import pytest

from tests.support.busy_machine import LONG_SECONDS
from tests.support.fault_answers import reply, say, sse
from tests.support.fault_server import FaultServer
from tests.support.waiting_thread import wait_for_main_thread
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.interruptions import interruption_in, is_from_signal
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport.http_library import LIBRARY

MESSAGES = [{"role": "user", "content": "Hello"}]
OPTIONS = Options(model="google/gemini-3.5-flash")


class SoftTimeLimitExceeded(Exception):
    """As billiard, and so Celery, has it."""


class Timeout(BaseException):
    """As gevent has it."""


KINDS = [SoftTimeLimitExceeded, Timeout, KeyboardInterrupt, SystemExit, TimeoutError, ConnectionResetError, ValueError]


def ring() -> None:
    """Send the signal to the main thread, once it waits."""
    wait_for_main_thread()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)


def interrupted(exchange):
    """The signal comes while the answer is waited for; of a stream, behind its first piece."""
    if exchange.request.streams:
        exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
        exchange.chunk(sse(say("A piece. ", finish=None), done=False))
    ring()
    if exchange.pause(10):
        reply()(exchange)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(reply()) as running:
        # The SDK is loaded by the first call.
        VertexCompatClient(Connection(base_url=running.base_url, api_key="t")).chat(MESSAGES, OPTIONS)
        running.requests.clear()
        running.rule = interrupted
        yield running


@pytest.fixture
def alarm() -> Iterator[Callable[[type[BaseException]], None]]:
    """Has the signal's handler raise this kind."""
    before = signal.getsignal(signal.SIGALRM)

    def will_raise(kind: type[BaseException]) -> None:
        def boom(*_: object) -> None:
            raise kind

        signal.signal(signal.SIGALRM, boom)

    yield will_raise
    signal.signal(signal.SIGALRM, before)


def interrupted_fetch() -> tuple[str, float]:
    """A token that takes two seconds; the signal comes meanwhile."""
    ring()
    time.sleep(2)
    return "token", time.time() + 100


WAYS = {
    "call": lambda client: client.chat(MESSAGES, OPTIONS),
    "stream": lambda client: list(client.stream(MESSAGES, OPTIONS)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_in_a_request_or_a_stream(server, alarm, way, kind):
    client = VertexCompatClient(Connection(base_url=server.base_url, api_key="t", timeout=20, max_retries=2))
    alarm(kind)
    with pytest.raises(kind) as caught:
        WAYS[way](client)
    assert type(caught.value) is kind
    assert len(server.requests) == 1, "nothing is tried again"
    frames = [entry.frame.f_globals["__name__"].partition(".")[0] for entry in caught.traceback]
    if issubclass(kind, Exception):
        assert not {"openai", LIBRARY.__name__} & set(frames), "their locals hold the request"
    server.rule = reply()
    assert client.chat(MESSAGES, OPTIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_while_a_token_is_fetched(server, alarm, kind):
    connection = Connection(base_url=server.base_url, credentials=functools.partial(interrupted_fetch), timeout=20)
    alarm(kind)
    with pytest.raises(kind):
        VertexCompatClient(connection).chat(MESSAGES, OPTIONS)
    assert server.requests == []


def test_while_an_old_token_would_still_serve(server, alarm):
    """Its last moments: the fetch is waited for, and the token serves if the fetch fails, but not now."""
    tokens = iter([("old", time.time() + 3600)])

    def provide() -> tuple[str, float]:
        return next(tokens, None) or interrupted_fetch()

    server.rule = reply()
    client = VertexCompatClient(Connection(base_url=server.base_url, credentials=provide, timeout=20))
    client.chat(MESSAGES, OPTIONS)
    _, source = client._access.resolve()
    source._clock = lambda: time.time() + 3590
    alarm(SoftTimeLimitExceeded)
    with pytest.raises(SoftTimeLimitExceeded):
        client.chat(MESSAGES, OPTIONS)


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the error itself is given
        raise error from cause
    return caught.value


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (SoftTimeLimitExceeded(), True),
        (MemoryError(), True),
        (RecursionError(), True),
        (RuntimeError(), False),
        (LIBRARY.ConnectError("x"), False),
        (type("Theirs", (OSError,), {"__module__": "python_socks"})(), False),
        (SettingsError("ours", hint="x"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_of_others_is_told_by_its_class(error, passes):
    assert (interruption_in(raised(error)) is error) == passes
    wrapped = raised(openai.APIConnectionError(request=LIBRARY.Request("POST", "http://x")), raised(error))
    assert (interruption_in(wrapped) is error) == passes


class Handler:
    def __call__(self, number: int, frame: object) -> None:
        raise TimeoutError

    def method(self, number: int, frame: object) -> None:
        self(number, frame)


def plain(number: int, frame: object, *, kind: type[Exception] = TimeoutError) -> None:
    raise kind


@pytest.mark.parametrize(
    "handler",
    [plain, Handler(), Handler().method, functools.partial(plain, kind=OSError)],
    ids=["function", "object", "method", "partial"],
)
def test_a_handler_is_known_in_any_form(handler, alarm):
    alarm(ValueError)
    signal.signal(signal.SIGALRM, handler)
    with pytest.raises(OSError, match=r"^$") as caught:
        signal.raise_signal(signal.SIGALRM)
    assert is_from_signal(caught.value)
    assert interruption_in(raised(RuntimeError(), caught.value)) is caught.value
    assert not is_from_signal(raised(TimeoutError()))


# Wherever it comes

STRIDE = 11
"""Steps between two moments that are tried; all of them were, by hand."""


class Moment:
    """The so many-th moment of this package's steps at which Python looks for signals: then one comes.

    It looks where a function begins or goes on behind a `yield`, and behind each call into C; not where an `await`
    goes on.
    """

    def __init__(self, number: int) -> None:
        self._number, self._steps = number, itertools.count(1)
        self.is_over = False

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if self.is_over or event not in ("call", "c_return") or "vertex_compat_integrations" not in code.co_filename:
            return
        step = code.co_code[frame.f_lasti : frame.f_lasti + 2] if event == "call" else b""
        if step and (dis.opname[step[0]] != "RESUME" or step[1] & 3 > 1):
            return
        if next(self._steps) == self._number:
            self.is_over = True
            signal.raise_signal(signal.SIGALRM)


async def lasting_for_one_call() -> str:
    await asyncio.sleep(0)
    return "token"


async def whole_answer(client: VertexCompatClient, text: str) -> None:
    await client.achat([{"role": "user", "content": text}], OPTIONS)


async def whole_stream(client: VertexCompatClient, text: str) -> None:
    async for _ in client.astream([{"role": "user", "content": text}], OPTIONS):
        pass


ASYNC_WAYS = {"call": whole_answer, "stream": whole_stream}


def outcome_of(work: Coroutine[Any, Any, object], moment: Moment) -> tuple[str, list[str]]:
    """What the program gets, and what asyncio's loop dropped and logged."""
    dropped: list[str] = []

    async def watched() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: dropped.append(type(context.get("exception")).__name__))
        sys.setprofile(moment)
        try:
            await work
        finally:
            sys.setprofile(None)

    try:
        asyncio.run(watched())
    except BaseException as error:  # noqa: BLE001 - looked at by the caller
        return type(error).__name__, dropped
    finally:
        sys.setprofile(None)
    return "answered", dropped


# What Python remarks where the exception comes between the making of a coroutine and its first step.
@pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning")
# And aiohttp, where it comes before a connection is handed over; its finalizer then closes it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("credential", ["token", "async callable"])
@pytest.mark.parametrize("kind", [TimeoutError, SystemExit])
@pytest.mark.parametrize("way", ASYNC_WAYS)
@pytest.mark.parametrize("backend", ["aiohttp", "httpx"])
def test_at_any_moment_of_asynchronous_code(server, alarm, backend, way, kind, credential):  # noqa: PLR0917 - a table
    """It comes out as itself, nothing is sent again, and the next call is served; at worst asyncio drops it."""
    server.rule = reply()
    settings = {"api_key": "t"} if credential == "token" else {"credentials": functools.partial(lasting_for_one_call)}
    client = VertexCompatClient(
        Connection(base_url=server.base_url, timeout=9, max_retries=2, http_backend=backend, **settings)
    )
    asyncio.run(ASYNC_WAYS[way](client, "Hello"))
    alarm(kind)
    outcomes = []
    for number in itertools.count(1, STRIDE):
        moment = Moment(number)
        outcome, dropped = outcome_of(ASYNC_WAYS[way](client, f"Moment {number}."), moment)
        if not moment.is_over:
            break
        outcomes.append(outcome if outcome != "answered" or not dropped else f"dropped {kind.__name__}")
        asyncio.run(asyncio.wait_for(ASYNC_WAYS[way](client, "Again"), LONG_SECONDS))
    # A request may have been on its way when the call was over; it counts for its own moment.
    asked = Counter(request.json["messages"][0]["content"] for request in server.requests)
    assert asked.pop("Again") == len(outcomes) > 30
    assert max(asked.values()) == 1
    assert set(outcomes) <= {kind.__name__, f"dropped {kind.__name__}"}
    assert outcomes.count(kind.__name__) >= 0.9 * len(outcomes)
