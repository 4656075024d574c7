"""Item 1: whoever needs a token at the same moment shares one request for it, and nobody's event loop waits.

The source itself is tested in `tests/core/auth/test_refreshing.py`; here real calls go through the frameworks.
"""

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.auth._helpers import utcnow
from google.auth.credentials import Credentials

from tests.promises.entry_points import EVERY_FRONTEND
from tests.support.busy_machine import LONG_SECONDS, acalmest
from tests.support.fault_answers import TEXT

FETCH_SECONDS = 0.2
CROWDS = {"core": (500, 64)}
A_CROWD = (60, 16)
"""Of whole calls through the frameworks, which meet in the same client."""


class Counting(Credentials):
    """Credentials of google-auth's kind whose refresh takes its time and is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.refreshes = 0

    def refresh(self, request) -> None:
        self.refreshes += 1
        time.sleep(FETCH_SECONDS)
        self.token, self.expiry = f"token-{self.refreshes}", utcnow().replace(year=2100)


@contextlib.asynccontextmanager
async def heartbeat():
    """The gaps between beats that were meant to come every 5 ms."""
    gaps = []

    async def beat():
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            gaps.append(now - last - 0.005)
            last = now

    task = asyncio.create_task(beat())
    yield gaps
    task.cancel()


def core_of(model):
    return model.client if hasattr(model, "client") else model._core()


@pytest.fixture
def credentials():
    return Counting()


@pytest.fixture
def model(server, frontend, credentials):
    return frontend.build(server, credentials=credentials, allow_hosts=[server.origin], timeout=60)


@EVERY_FRONTEND
async def test_500_tasks_and_64_threads_without_a_token_make_one_request_for_it(server, frontend, model, credentials):
    """And each of them gets an answer."""
    tasks, threads = CROWDS.get(frontend.door.name, A_CROWD)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))
    calls = [frontend.aask(model) for _ in range(tasks)]
    calls += [asyncio.to_thread(frontend.ask, model, "plain") for _ in range(threads)]
    assert await asyncio.gather(*calls) == [TEXT] * len(calls)
    assert credentials.refreshes == 1
    assert set(server.tokens) == {"token-1"}


@EVERY_FRONTEND
async def test_the_call_that_brings_the_token_waits_for_it_and_little_more(frontend, model, credentials):
    """The calmest of several times tells, since other programs share the machine."""

    async def seconds() -> float:
        began = time.monotonic()
        await asyncio.gather(*(frontend.aask(model) for _ in range(20)))
        return time.monotonic() - began

    await seconds()
    _, source = core_of(model)._access.resolve()

    async def more_seconds() -> float:
        without, refreshes = await seconds(), credentials.refreshes
        source.invalidate({"Authorization": f"Bearer token-{refreshes}"})
        more = await seconds() - without
        assert credentials.refreshes == refreshes + 1
        return more

    assert await acalmest(more_seconds, FETCH_SECONDS + 0.3) < FETCH_SECONDS + 0.3


@EVERY_FRONTEND
async def test_the_event_loop_goes_on_while_a_token_is_fetched(frontend, model, credentials):
    """The calmest of several times tells, since other programs share the machine."""
    await frontend.aask(model)
    _, source = core_of(model)._access.resolve()

    async def longest_gap() -> float:
        refreshes = credentials.refreshes
        source.invalidate({"Authorization": f"Bearer token-{refreshes}"})
        async with heartbeat() as gaps:
            assert await asyncio.gather(*(frontend.aask(model) for _ in range(5))) == [TEXT] * 5
        assert credentials.refreshes == refreshes + 1
        return max(gaps)

    assert await acalmest(longest_gap, FETCH_SECONDS / 2) < FETCH_SECONDS / 2


@EVERY_FRONTEND
def test_three_event_loops_in_three_threads_share_the_request(server, frontend, model, credentials):
    heard = []

    async def many():
        heard.extend(await asyncio.gather(*(frontend.aask(model) for _ in range(20))))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert heard == [TEXT] * 60
    assert credentials.refreshes == 1


@EVERY_FRONTEND
async def test_so_do_all_whose_token_is_refused_at_once(server, frontend, model, credentials):
    """One refresh, and every caller gets an answer."""
    from tests.support.fault_answers import error, reply

    def only_the_second(exchange):
        (reply() if exchange.request.token == "token-2" else error(401))(exchange)

    await frontend.aask(model)
    server.rule = only_the_second
    assert await asyncio.gather(*(frontend.aask(model) for _ in range(50))) == [TEXT] * 50
    assert credentials.refreshes == 2
