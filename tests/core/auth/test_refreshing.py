"""Tokens are fetched once for all who wait, in time, within bounds, and never on an event loop."""

import asyncio
import contextlib
import copy
import itertools
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.busy_machine import acalmest, eventually
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import CredentialsError

LIFE = 3600
FETCH_SECONDS = 0.2


def is_accepted(server, headers) -> bool:
    return server.identity.check(headers["Authorization"]) is None


def let_fetches_land() -> None:
    """Wait for the fetches that are under way in the background."""
    for thread in threading.enumerate():
        if thread.name == "vertex-compat-token":
            thread.join(10)


@contextlib.asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """The gaps between beats that were meant to come every 5 ms."""
    gaps: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - began)

    task = asyncio.create_task(beat())
    await asyncio.sleep(0.02)
    yield gaps
    task.cancel()


@pytest.fixture
def server(clocked_server):
    return clocked_server


@pytest.fixture
def source(server, write_adc, clock):
    """A service account of the machine, whose first token is there; imports are paid for."""
    write_adc(server.identity.service_account_info(server.url))
    made = token_source(clock=clock)
    made.headers(server.url, 5)
    return made


@pytest.fixture
def subject(tmp_path):
    """The file of a subject token, for workload identity federation."""
    path = tmp_path / "subject"
    path.write_text("subject-token")
    return path


@pytest.fixture
def black_hole():
    """An address that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_500_tasks_and_64_threads_at_expiry_make_one_token_request(server, source, clock):
    """The calmest of up to twenty storms tells gap and wait, since other programs share the machine.

    What a loop shows on this machine with as many tasks and threads that only sleep is not the source's doing.
    """
    gaps, waits = [], []
    for storm in range(1, 21):
        bare_gap, bare_wait = await storm_of_sleepers()
        clock.now += LIFE + 1
        gap, wait = await storm_at_expiry(server, source)
        assert server.count() == 1 + storm
        gaps.append(gap - bare_gap)
        waits.append(wait - (bare_wait - FETCH_SECONDS))
        if gaps[-1] <= 0.05 and waits[-1] <= FETCH_SECONDS + 0.3:
            break
    assert min(gaps) <= 0.05
    assert min(waits) <= FETCH_SECONDS + 0.3


async def storm_at_expiry(server, source) -> tuple[float, float]:
    """The event loop's longest gap, and the wait, while 500 tasks and 64 threads want the same token."""
    server.identity.fault("delay", seconds=FETCH_SECONDS)
    from_threads, from_tasks, longest_gap, wait = await storm(
        lambda: source.headers(server.url, 5), lambda: source.aheaders(server.url, 5)
    )
    assert len({headers["Authorization"] for headers in [*from_threads, *from_tasks]}) == 1
    assert is_accepted(server, from_tasks[0])
    return longest_gap, wait


async def storm_of_sleepers() -> tuple[float, float]:
    """The same of tasks and threads that only sleep as long as a fetch takes."""
    *_, longest_gap, wait = await storm(lambda: time.sleep(FETCH_SECONDS), lambda: asyncio.sleep(FETCH_SECONDS))
    return longest_gap, wait


async def storm(ask, aask) -> tuple[list[Any], list[Any], float, float]:
    """What 64 threads and 500 tasks get that ask together, the event loop's longest gap, and the wait."""
    start = threading.Event()
    found: list[Any] = []

    def ask_at_start() -> None:
        start.wait()
        found.append(ask())

    threads = [threading.Thread(target=ask_at_start) for _ in range(64)]
    for thread in threads:
        thread.start()
    async with heartbeat() as gaps:
        began = time.perf_counter()
        start.set()
        from_tasks = await asyncio.gather(*(aask() for _ in range(500)))
        elapsed = time.perf_counter() - began
    for thread in threads:
        thread.join()
    assert len(found) == 64
    return found, from_tasks, max(gaps), elapsed


def test_three_event_loops_in_three_threads_make_one_token_request(server, source, clock):
    clock.now += LIFE + 1
    server.identity.fault("delay", seconds=0.1)
    barrier = threading.Barrier(3)
    found: list[str] = []

    async def ask_together() -> None:
        barrier.wait()
        together = await asyncio.gather(*(source.aheaders(server.url, 5) for _ in range(20)))
        found.extend(headers["Authorization"] for headers in together)

    threads = [threading.Thread(target=asyncio.run, args=(ask_together(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (60, 1)
    assert server.count() == 2


async def test_a_cold_start_does_not_block_the_event_loop(server, write_adc, subject):
    """Discovery, google-auth's own request and 200 waiting tasks.

    Not with a service account's file: checking its RSA key keeps the interpreter's lock some 50 ms, once in a process.
    """
    write_adc(server.identity.external_account_info(server.url, subject))
    starts = itertools.count(1)

    async def longest_gap() -> float:
        start = next(starts)
        server.identity.fault("delay", seconds=FETCH_SECONDS)
        cold = token_source(quota_project=f"payer-{start}")
        async with heartbeat() as gaps:
            together = await asyncio.gather(*(cold.aheaders(server.url, 5) for _ in range(200)))
        assert is_accepted(server, together[0])
        assert server.count() == start
        return max(gaps)

    assert await acalmest(longest_gap, FETCH_SECONDS / 2) < FETCH_SECONDS / 2


def test_a_fresh_token_costs_one_look_at_the_clock(server, source):
    calls: list[str] = []

    def note(_: object, event: str, what: object) -> None:
        if event in {"call", "c_call"}:
            calls.append(event)

    sys.setprofile(note)
    try:
        source.headers(server.url, 5)
    finally:
        sys.setprofile(None)
    # headers(), the clock (here a Python object), and setprofile itself.
    assert len(calls) <= 3


async def test_a_fresh_token_is_there_without_a_turn_of_the_event_loop(server, source):
    turns: list[str] = []
    asyncio.get_running_loop().call_soon(turns.append, "turn")
    await source.aheaders(server.url, 5)
    assert turns == []


@pytest.mark.parametrize("waits_for_background", [True, False])
def test_24_hours_take_two_token_requests_a_life_at_most_and_send_no_expired_token(
    server, source, clock, waits_for_background
):
    """From the object, its copies and pickles, sync and async, asked every 20 seconds."""
    relatives = [source, copy.copy(source), copy.deepcopy(source), token_source(clock=clock)]
    runner = asyncio.Runner()
    with runner:
        for step in range(24 * 180):
            clock.now += 20
            relative = relatives[step % len(relatives)]
            is_sync = step % 3
            headers = relative.headers(server.url, 5) if is_sync else runner.run(relative.aheaders(server.url, 5))
            assert is_accepted(server, headers)
            if waits_for_background:
                let_fetches_land()
    assert server.count() <= 2 * 24 + 2
    if waits_for_background:
        assert server.count() <= 24 * 3600 / (LIFE - 225 - 20) + 2


@pytest.mark.parametrize("life", [1, 2, 20, 200])
def test_short_lives_need_no_request_a_call(serve_identity, write_adc, clock, life):
    server = serve_identity(token_life_seconds=life, clock=clock)
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(clock=clock)
    for _ in range(400):
        clock.now += life / 40
        assert is_accepted(server, source.headers(server.url, 5))
        let_fetches_land()
    assert server.count() <= 2 * 10 + 2


def test_the_advisory_window_serves_the_old_token_and_fetches_the_next(server, source, clock):
    first = source.headers(server.url, 5)
    clock.now += LIFE - 200
    server.gate.clear()
    began = time.perf_counter()
    assert all(source.headers(server.url, 5) is first for _ in range(100))
    assert time.perf_counter() - began < 4.5, "who waits does so for the timeout"
    server.gate.set()
    let_fetches_land()
    assert source.headers(server.url, 5) != first
    assert server.count() == 2


def test_a_failed_early_refresh_serves_the_valid_token_and_backs_off(server, source, clock):
    first = source.headers(server.url, 5)
    clock.now += LIFE - 200
    server.identity.fault("reset")
    for _ in range(50):
        assert source.headers(server.url, 5) is first
        let_fetches_land()
        clock.now += 0.1
    assert server.count() == 2
    clock.now += 50
    assert source.headers(server.url, 5) is first
    let_fetches_land()
    assert is_accepted(server, source.headers(server.url, 5))
    assert source.headers(server.url, 5) != first
    assert server.count() == 3


def test_a_failure_in_the_last_moments_serves_the_token_that_still_lives(server, source, clock):
    first = source.headers(server.url, 5)
    clock.now += LIFE - 20
    server.identity.fault("reset")
    assert [source.headers(server.url, 5) for _ in range(20)] == [first] * 20
    assert server.count() == 2
    clock.now += 20
    assert is_accepted(server, source.headers(server.url, 5))


def test_after_expiry_a_failure_is_an_error_and_the_next_call_tries_again(server, source, clock):
    clock.now += LIFE + 1
    server.identity.fault("reset")
    with pytest.raises(CredentialsError, match="TransportError"):
        source.headers(server.url, 5)
    assert is_accepted(server, source.headers(server.url, 5))


def test_the_same_token_again_does_not_cause_a_request_a_call(server, source, clock):
    """As a metadata server does that is asked before its own cache lets go."""
    first = source.headers(server.url, 5)
    clock.now += LIFE - 220
    server.identity.fault("same_token")
    for _ in range(180):
        assert source.headers(server.url, 5) == first
        let_fetches_land()
        clock.now += 1
    assert server.count() == 2
    clock.now += 20
    assert source.headers(server.url, 5) != first
    assert server.count() == 3


def test_a_401_makes_one_forced_refresh_for_all_who_met_it(server, source):
    refused = source.headers(server.url, 5)
    server.identity.revoke_all()
    assert not is_accepted(server, refused)
    for _ in range(100):
        source.invalidate(refused)
    fresh = source.headers(server.url, 5)
    assert is_accepted(server, fresh)
    source.invalidate(refused)
    assert source.headers(server.url, 5) is fresh
    assert server.count() == 2


async def test_a_401_during_a_refresh_does_not_lose_the_newer_token(server, source, clock):
    old = source.headers(server.url, 5)
    clock.now += LIFE - 200
    server.identity.fault("delay", seconds=0.1)
    assert source.headers(server.url, 5) is old
    source.invalidate(old)
    fresh = await source.aheaders(server.url, 5)
    assert is_accepted(server, fresh)
    assert fresh != old
    assert server.count() == 2


def test_new_credentials_on_disk_are_picked_up_after_a_refused_grant(server, write_adc, clock):
    write_adc(server.identity.authorized_user_info(server.url, quota_project_id="first"))
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle, clock=clock)
    assert source.headers(server.url, 5)["x-goog-user-project"] == "first"
    server.identity.revoke_refresh_tokens()
    write_adc(server.identity.authorized_user_info(server.url, quota_project_id="second"))
    clock.now += LIFE + 1
    headers = source.headers(server.url, 5)
    assert headers["x-goog-user-project"] == "second"
    assert is_accepted(server, headers)
    assert server.count() == 3


def test_a_grant_that_stays_refused_is_asked_for_twice_a_call(server, write_adc):
    write_adc(server.identity.authorized_user_info(server.url, quota_project_id="payer"))
    server.identity.revoke_refresh_tokens()
    source = token_source(proxy=server.proxy, ca_bundle=server.ca_bundle)
    with pytest.raises(CredentialsError, match="invalid_grant"):
        source.headers(server.url, 5)
    assert server.count() == 2


def test_a_token_endpoint_that_never_answers_is_an_error_in_time(server, write_adc, black_hole):
    write_adc(server.identity.service_account_info(black_hole))
    source = token_source()
    began = time.perf_counter()
    with pytest.raises(CredentialsError, match=r"within 0\.3 s"):
        source.headers(server.url, 0.3)
    assert time.perf_counter() - began < 5


async def test_the_same_holds_in_a_task_and_the_event_loop_goes_on(server, write_adc, black_hole, subject):
    write_adc(server.identity.external_account_info(black_hole, subject))

    async def longest_gap() -> float:
        began = time.perf_counter()
        async with heartbeat() as gaps:
            with pytest.raises(CredentialsError, match=r"within 0\.3 s"):
                await token_source().aheaders(server.url, 0.3)
        assert time.perf_counter() - began < 5
        return max(gaps)

    assert await acalmest(longest_gap, FETCH_SECONDS / 2) < FETCH_SECONDS / 2


def test_a_metadata_server_that_never_answers_is_an_error_in_time(server, monkeypatch, black_hole):
    monkeypatch.setenv("GCE_METADATA_IP", black_hole.removeprefix("http://"))
    for ask in (token_source().headers, lambda url, timeout: asyncio.run(token_source().aheaders(url, timeout))):
        began = time.perf_counter()
        with pytest.raises(CredentialsError, match=r"within 0\.3 s"):
            ask(server.url, 0.3)
        assert time.perf_counter() - began < 5
    with pytest.raises(CredentialsError, match=r"within 0\.1 s"):
        token_source().account(0.1)


async def test_cancelling_who_came_first_leaves_the_others_waiting_for_their_token(server, source, clock):
    clock.now += LIFE + 1
    server.gate.clear()
    leader = asyncio.create_task(source.aheaders(server.url, 5))
    others = [asyncio.create_task(source.aheaders(server.url, 5)) for _ in range(20)]
    await asyncio.sleep(0.05)
    leader.cancel()
    others[3].cancel()
    server.gate.set()
    results = await asyncio.gather(leader, *others, return_exceptions=True)
    cancelled = [result for result in results if isinstance(result, asyncio.CancelledError)]
    assert len(cancelled) == 2
    assert all(is_accepted(server, result) for result in results if result not in cancelled)
    assert server.count() == 2


def test_an_event_loop_that_ends_while_it_waits_leaves_no_trace(server, source, clock):
    clock.now += LIFE + 1
    server.gate.clear()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(source.aheaders(server.url, 5), 0.05)

    asyncio.run(give_up())
    server.gate.set()
    assert is_accepted(server, source.headers(server.url, 5))
    assert server.count() == 2


def test_one_source_serves_five_event_loops_after_another(server, source, clock):
    for _ in range(5):
        clock.now += LIFE + 1
        assert is_accepted(server, asyncio.run(source.aheaders(server.url, 5)))
    assert server.count() == 6


def test_each_waiter_gets_an_error_of_its_own(server, source, clock):
    """The caller notes model and attempts on it."""
    clock.now += LIFE + 1

    async def ask_together() -> list[BaseException]:
        server.identity.fault("invalid_grant", times=2)
        return await asyncio.gather(*(source.aheaders(server.url, 5) for _ in range(10)), return_exceptions=True)

    errors = asyncio.run(ask_together())
    assert {type(error) for error in errors} == {CredentialsError}
    assert len({id(error) for error in errors}) == 10
    # One fetch, which looked for new credentials once.
    assert server.count() == 3


FORKING_WHILE_FETCHING = """
import json, os, sys, threading
import google.auth.transport.requests, google.oauth2.service_account
from vertex_compat_integrations.core.auth.token_source import token_source

source, url = token_source(), sys.argv[1]


def fork():
    child = os.fork()
    if not child:
        os._exit(0 if source.headers(url, 10)["Authorization"] else 1)
    return child


thread = threading.Thread(target=source.headers, args=(url, 10))
thread.start()
sys.stdin.readline()
children = [fork() for _ in range(3)]
statuses = [os.waitpid(child, 0)[1] for child in children]
thread.join()
print(json.dumps([*statuses, os.waitpid(fork(), 0)[1]]))
"""


def test_a_forked_child_gets_its_token_though_its_parent_was_fetching(server, write_adc):
    """In a process of its own, since a fork copies every thread's locks; it forks when its request has arrived."""
    adc = write_adc(server.identity.service_account_info(server.url))
    server.gate.clear()
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", FORKING_WHILE_FETCHING, server.url],
        env=variables | {"GOOGLE_APPLICATION_CREDENTIALS": str(adc), "GOOGLE_CLOUD_PROJECT": "p"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert eventually(server.count)
        print("it has arrived", file=parent.stdin, flush=True)
        eventually(lambda: server.count() == 4)
        server.gate.set()
        output, _ = parent.communicate(timeout=60)
    assert json.loads(output) == [0, 0, 0, 0]
    # The parent's and one for each child that was forked before it had a token; the warm child has the parent's.
    assert server.count() == 4


def test_a_pickle_finds_the_same_source_again(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    source = token_source(quota_project="payer")
    source.headers(server.url, 5)
    assert pickle.loads(pickle.dumps(source)) is source
    assert server.count() == 1


def test_a_token_that_has_expired_on_arrival_is_an_error_not_a_loop(serve_identity, write_adc, clock):
    server = serve_identity(token_life_seconds=-5, clock=clock)
    write_adc(server.identity.service_account_info(server.url))
    with pytest.raises(CredentialsError, match="already expired") as raised:
        token_source(clock=clock).headers(server.url, 5)
    assert "clock" in raised.value.hint
    assert server.count() == 1


def test_a_redirect_of_a_token_request_is_not_followed(server, write_adc):
    """Its body is a signed assertion or a refresh token."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {server.url}/token\r\nContent-Length: 0\r\n\r\n"
                connection.sendall(head.encode())

        thread = threading.Thread(target=answer)
        thread.start()
        write_adc(server.identity.service_account_info(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        with pytest.raises(CredentialsError):
            token_source().headers(server.url, 5)
        thread.join()
    assert server.identity.requests == []
