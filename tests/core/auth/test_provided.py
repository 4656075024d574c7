"""Static tokens and callables: what is accepted, how often a callable is asked, and where it runs."""

import asyncio
import functools
import pickle
import threading
import time

import pytest

from vertex_compat_integrations.core.auth.source import Account
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.errors import CredentialsError

URL = "https://aiplatform.googleapis.com/v1"


class Provider:
    """A callable that counts, and notes the threads it ran in; while its gate is cleared, it does not return."""

    def __init__(self, clock=time.time, life=None, delay=0.0) -> None:
        self.clock = clock
        self.life = life
        self.delay = delay
        self.gate = threading.Event()
        self.gate.set()
        self.threads: list[threading.Thread] = []

    @property
    def count(self) -> int:
        return len(self.threads)

    def __call__(self):
        self.threads.append(threading.current_thread())
        token = f"token-{self.count}"
        self.gate.wait(30)
        return token if self.life is None else (token, self.clock() + self.life)

    async def later(self):
        delay = self.delay
        self.threads.append(threading.current_thread())
        token = f"token-{self.count}"
        await asyncio.sleep(delay)
        while not self.gate.is_set():  # noqa: ASYNC110 - it is for threads, too
            await asyncio.sleep(0.005)
        return token if self.life is None else (token, self.clock() + self.life)


def module_level_provider() -> tuple[str, float]:
    return "token-of-the-module", time.time() + 3600


async def test_a_static_token_is_sent_as_it_is():
    source = token_source(token="ya29.static", quota_project="payer")
    headers = source.headers(URL, 5)
    assert dict(headers) == {"Authorization": "Bearer ya29.static", "x-goog-user-project": "payer"}
    source.invalidate(headers)
    assert await source.aheaders(URL, 5) is headers
    assert await source.aaccount(5) == Account(None, "payer", "googleapis.com")


async def test_a_callable_is_asked_again_for_each_request():
    provider = Provider()
    source = token_source(credentials=provider)
    assert source.headers(URL, 5)["Authorization"] == "Bearer token-1"
    assert source.headers(URL, 5)["Authorization"] == "Bearer token-2"
    assert (await source.aheaders(URL, 5))["Authorization"] == "Bearer token-3"


async def test_requests_at_the_same_moment_share_one_call():
    provider = Provider()
    source = token_source(credentials=provider)
    provider.gate.clear()
    asking = [asyncio.create_task(source.aheaders(URL, 5)) for _ in range(50)]
    await asyncio.sleep(0)
    provider.gate.set()
    together = await asyncio.gather(*asking)
    assert {headers["Authorization"] for headers in together} == {"Bearer token-1"}
    assert provider.count == 1


async def test_a_callable_does_not_run_on_the_event_loop():
    provider = Provider()
    await token_source(credentials=provider).aheaders(URL, 5)
    assert provider.threads != [threading.main_thread()]


async def test_a_coroutine_function_runs_on_the_callers_loop_and_once_for_all():
    provider = Provider(delay=0.05)
    source = token_source(credentials=provider.later)
    together = await asyncio.gather(*(source.aheaders(URL, 5) for _ in range(50)))
    assert {headers["Authorization"] for headers in together} == {"Bearer token-1"}
    assert provider.threads == [threading.main_thread()]


def test_a_coroutine_function_serves_synchronous_code_too():
    provider = Provider()
    source = token_source(credentials=provider.later)
    assert source.headers(URL, 5)["Authorization"] == "Bearer token-1"
    assert provider.threads != [threading.main_thread()]


def test_a_wrapped_coroutine_function_serves_too():
    provider = Provider()
    source = token_source(credentials=functools.partial(provider.later))
    assert asyncio.run(source.aheaders(URL, 5))["Authorization"] == "Bearer token-1"


async def test_cancelling_the_leader_of_a_coroutine_function_leaves_the_others_their_token():
    provider = Provider()
    source = token_source(credentials=provider.later)
    provider.gate.clear()
    leader = asyncio.create_task(source.aheaders(URL, 5))
    await asyncio.sleep(0.02)
    other = asyncio.create_task(source.aheaders(URL, 5))
    await asyncio.sleep(0.02)
    leader.cancel()
    provider.gate.set()
    assert (await other)["Authorization"] == "Bearer token-1"
    assert provider.count == 1


def test_a_loop_that_ends_in_the_middle_of_a_coroutine_function_leaves_nobody_waiting():
    provider = Provider(delay=60)
    source = token_source(credentials=provider.later)

    async def give_up() -> None:
        asyncio.get_running_loop().create_task(source.aheaders(URL, 5))
        await asyncio.sleep(0.05)

    thread = threading.Thread(target=asyncio.run, args=(give_up(),))
    thread.start()
    while not provider.count:
        time.sleep(0.001)
    provider.delay = 0.0
    assert source.headers(URL, 5)["Authorization"] == "Bearer token-2"
    thread.join()


def test_a_tuple_is_kept_until_shortly_before_its_expiry(clock):
    provider = Provider(clock, life=3600)
    source = token_source(credentials=provider, clock=clock)
    for _ in range(300):
        clock.now += 10
        assert source.headers(URL, 5)["Authorization"] == "Bearer token-1"
    assert provider.count == 1
    clock.now += 590
    assert source.headers(URL, 5)["Authorization"] == "Bearer token-2"
    assert provider.count == 2


def test_an_expiry_that_does_not_move_is_not_asked_for_at_each_call(clock):
    """As a callable does that has a cache of its own."""
    expires, asked = clock.now + 3600, []

    def provide() -> tuple[str, float]:
        asked.append(clock.now)
        return "cached", expires

    source = token_source(credentials=provide, clock=clock)
    while clock.now < expires - 1:
        source.headers(URL, 5)
        for thread in threading.enumerate():
            if thread.name == "vertex-compat-token":
                thread.join(30)
        clock.now += 1
    assert len(asked) <= 3


def test_a_401_asks_the_callable_again(clock):
    provider = Provider(clock, life=3600)
    source = token_source(credentials=provider, clock=clock)
    source.invalidate(source.headers(URL, 5))
    assert source.headers(URL, 5)["Authorization"] == "Bearer token-2"


@pytest.mark.parametrize("provided", [None, 5, b"bytes", ("token",), ("token", "soon")])
def test_another_answer_of_a_callable_is_an_error_that_names_its_type(provided):
    with pytest.raises(CredentialsError, match=f"returned {type(provided).__name__}"):
        token_source(credentials=lambda: provided).headers(URL, 5)


@pytest.mark.parametrize("provided", ["", "AIzaSyCanary", "line\nbreak", ("tokén", 9e9)])
def test_a_token_that_cannot_be_one_is_an_error_of_credentials(provided):
    with pytest.raises(CredentialsError, match="The credentials callable: "):
        token_source(credentials=lambda: provided).headers(URL, 5)


@pytest.mark.parametrize("expires", [0, -1, float("nan"), float("-inf")])
def test_a_token_that_is_past_its_expiry_is_an_error(expires):
    with pytest.raises(CredentialsError, match="already expired"):
        token_source(credentials=lambda: ("token", expires)).headers(URL, 5)


def test_a_token_without_an_end_is_kept():
    asked = []

    def provide() -> tuple[str, float]:
        asked.append(1)
        return "token", float("inf")

    source = token_source(credentials=provide)
    assert source.headers(URL, 5) is source.headers(URL, 5)
    assert len(asked) == 1


async def test_a_callable_that_raises_is_an_error_without_its_words():
    def provide() -> str:
        raise RuntimeError("the token is ya29.canary")

    async def provide_later() -> str:
        raise RuntimeError("the token is ya29.canary")

    for source in (token_source(credentials=provide), token_source(credentials=provide_later)):
        with pytest.raises(CredentialsError, match="raised RuntimeError") as raised:
            await source.aheaders(URL, 5)
        assert "canary" not in str(raised.value)
        with pytest.raises(CredentialsError, match="raised RuntimeError"):
            source.headers(URL, 5)


def test_a_callable_that_hangs_is_an_error_in_time():
    release = threading.Event()
    source = token_source(credentials=lambda: "token" if release.wait(30) else "late")
    began = time.perf_counter()
    with pytest.raises(CredentialsError, match=r"within 0\.2 s"):
        source.headers(URL, 0.2)
    with pytest.raises(CredentialsError, match=r"within 0\.1 s"):
        asyncio.run(source.aheaders(URL, 0.1))
    assert time.perf_counter() - began < 5
    release.set()
    assert source.headers(URL, 5)["Authorization"] == "Bearer token"


def test_a_callable_survives_a_pickle_if_it_can_be_pickled():
    source = token_source(credentials=module_level_provider, quota_project="payer")
    source.headers(URL, 5)
    again = pickle.loads(pickle.dumps(source))
    assert dict(again.headers(URL, 5)) == dict(source.headers(URL, 5))
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(token_source(credentials=lambda: "token"))


async def test_a_coroutine_function_that_ends_in_a_cancellation_is_asked_once():
    """As one does that awaits a shared task, which somebody cancelled."""
    asked = []

    async def provide() -> str:
        asked.append("token")
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        return await lost

    with pytest.raises(CredentialsError, match="raised CancelledError"):
        await token_source(credentials=provide).aheaders(URL, 2)
    assert asked == ["token"]


async def test_a_coroutine_function_that_cancels_its_own_task_is_not_asked_without_end():
    asked = []

    async def provide() -> str:
        asked.append("token")
        asyncio.current_task().cancel()
        await asyncio.sleep(0)
        return "never"

    with pytest.raises(CredentialsError):
        await token_source(credentials=provide).aheaders(URL, 2)
    assert len(asked) <= 10


class Odd(BaseException):
    """Neither an error nor an end of the program."""


@pytest.mark.parametrize("kind", [Odd, asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit])
def test_a_callable_that_raises_what_is_no_exception_leaves_nobody_waiting(kind, capfd):
    """The end of the program reaches the caller, others are errors of ours; nothing is printed."""

    def provide() -> str:
        raise kind("ya29.Canary")

    ends = kind if kind in (KeyboardInterrupt, SystemExit) else CredentialsError
    began = time.monotonic()
    with pytest.raises(ends) as caught:
        token_source(credentials=provide).headers(URL, 20)
    assert time.monotonic() - began < 5
    assert ends is kind or "Canary" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_where_no_thread_can_be_had_the_error_is_ours(monkeypatch):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(CredentialsError, match="RuntimeError"):
        token_source(credentials=lambda: "token").headers(URL, 2)
