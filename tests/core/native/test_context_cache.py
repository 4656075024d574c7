"""A marked prefix is cached once, named in the requests, extended while it is used, and never a reason to fail."""

import asyncio
import math
import threading
import time
import warnings

import pytest

from tests.support.busy_machine import calmest
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import (
    DeadlineExceededError,
    RateLimitError,
    ServerError,
    SettingsError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.native.cache_plan import CALLED
from vertex_compat_integrations.core.native.context_cache import OpenedCache
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import delay, hang, http_error

pytest_plugins = ["tests.core.client_fixtures"]

MODEL = "google/gemini-3.5-flash"
OPTIONS = Options(model=MODEL)
SYSTEM = {"role": "system", "content": "Be brief."}
DOCUMENT = {"role": "user", "content": "The harbour of Kobe is deep. " * 1000}
QUESTION = {"role": "user", "content": "How deep is it?"}
TOOL = {"type": "function", "function": {"name": "depth", "parameters": {"type": "object", "properties": {}}}}


def marked(*rest, ttl=3600.0):
    return MarkedMessages([SYSTEM, DOCUMENT], rest or [QUESTION], ttl)


def methods(emulator):
    """The requests so far, by method and, for those of chats, whether a cache is named."""
    told = []
    for entry in emulator.journal.entries:
        if entry.is_cache:
            told.append(entry.method)
        elif entry.is_chat:
            told.append("cached" if "cached_content" in str(entry.body.get("extra_body")) else "plain")
    return told


def tell(client, way, messages, options=OPTIONS):
    """The cached tokens of an answer, in one of four ways."""
    if way == "chat":
        ending = client.chat(messages, options)[0].ending
    elif way == "achat":
        ending = asyncio.run(client.achat(messages, options))[0].ending
    elif way == "stream":
        ending = list(client.stream(messages, options))[-1].ending
    else:

        async def read():
            return [delta async for delta in client.astream(messages, options)]

        ending = asyncio.run(read())[-1].ending
    return ending.usage.cached


WAYS = ["chat", "achat", "stream", "astream"]


@pytest.mark.parametrize("way", WAYS)
def test_the_prefix_is_cached_once(way, build, emulator):
    client = build()
    assert tell(client, way, marked()) > 4096
    assert tell(client, way, marked({"role": "user", "content": "And Cork?"})) > 4096
    assert methods(emulator) == ["GET", "POST", "cached", "cached"]
    (_, created, first, _) = emulator.journal.entries
    assert created.body["displayName"].startswith(CALLED)
    assert created.body["ttl"] == "3600s"
    assert created.body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert first.body["messages"] == [QUESTION]


def test_tools_and_the_choice_move_into_the_cache(build, emulator):
    options = OPTIONS.model_copy(update={"tools": [TOOL], "tool_choice": "required"})
    build().chat(marked(), options)
    _, created, asked = emulator.journal.entries
    assert created.body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    assert created.body["tools"][0]["functionDeclarations"][0]["name"] == "depth"
    assert not {"tools", "tool_choice"} & set(asked.body)


def test_other_processes_find_it_by_its_name(build, emulator):
    build().chat(marked(), OPTIONS)
    build().chat(marked(), OPTIONS)
    assert methods(emulator) == ["GET", "POST", "cached", "GET", "cached"]


def test_threads_wait_for_the_first(build, emulator):
    client = build()
    threads = [threading.Thread(target=client.chat, args=(marked(), OPTIONS)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(methods(emulator)) == ["GET", "POST", *["cached"] * 5]


def test_tasks_wait_for_the_first(build, emulator):
    client = build()

    async def ask():
        await asyncio.gather(*(client.achat(marked(), OPTIONS) for _ in range(5)))

    asyncio.run(ask())
    assert sorted(methods(emulator)) == ["GET", "POST", *["cached"] * 5]


def test_its_life_is_extended_while_it_is_used(emulator):
    now = [0.0]
    connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), retry_budget=False)
    client = VertexCompatClient(connection, timing=Timing(clock=lambda: now[0]))
    client.chat(marked(), OPTIONS)
    now[0] = 1700.0
    client.chat(marked(), OPTIONS)
    now[0] = 1900.0
    client.chat(marked(), OPTIONS)
    assert methods(emulator) == ["GET", "POST", "cached", "cached", "PATCH", "cached"]
    now[0] = 3900.0
    emulator.caches.clear()
    client.chat(marked(), OPTIONS)
    assert methods(emulator)[6:] == ["PATCH", "GET", "POST", "cached"]


@pytest.mark.parametrize("way", WAYS)
def test_a_cache_that_is_gone_is_created_again(way, build, emulator):
    client = build()
    tell(client, way, marked())
    emulator.caches.clear()
    assert tell(client, way, marked()) > 4096
    assert methods(emulator) == ["GET", "POST", "cached", "cached", "GET", "POST", "cached"]


@pytest.mark.parametrize("way", WAYS)
def test_a_cache_that_is_always_gone_is_left_out(way, build, emulator):
    refusal = http_error(404, "Not found: cached content metadata for 7 (CachedContent).")
    emulator.rule(refusal, when=lambda body: "extra_body" in body)
    with pytest.warns(VertexCompatWarning, match="whole prompt is sent"):
        assert not tell(build(), way, marked())
    assert methods(emulator)[-1] == "plain"


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_sends_the_whole_prompt_with_one_warning(way, build, emulator):
    emulator.rule(http_error(403), route="caches")
    client = build()
    with pytest.warns(VertexCompatWarning, match="whole prompt is sent"):
        assert not tell(client, way, marked())
    assert not tell(client, way, marked())
    assert methods(emulator)[-1] == "plain"


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_who_waited_for_a_failed_attempt_does_not_repeat_it(way, build, emulator):
    emulator.rule(delay(0.3, then=http_error(503)), route="caches")
    client = build(max_retries=0)
    with pytest.warns(VertexCompatWarning, match="whole prompt is sent") as warned:
        at_once(client, way)
    assert len(warned) == 1
    assert sorted(methods(emulator)) == ["GET", *["plain"] * 5]


def at_once(client, way):
    """Five calls at the same time."""

    async def gather():
        await asyncio.gather(*(client.achat(marked(), OPTIONS) for _ in range(5)))

    if way == "tasks":
        asyncio.run(gather())
        return
    threads = [threading.Thread(target=client.chat, args=(marked(), OPTIONS)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_statements_that_waited_for_a_failed_attempt_raise_its_error(build, emulator):
    """Each a copy; the next statement attempts it again."""
    emulator.answer(delay(0.3, then=http_error(503)), route="caches")
    client, errors = build(max_retries=0), []

    def use():
        try:
            OpenedCache(client.context_caches, marked(), OPTIONS).open()
        except ServerError as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(error) for error in errors}) == 3
    assert {error.code for error in errors} == {503}
    assert methods(emulator) == ["GET"]
    OpenedCache(client.context_caches, marked(), OPTIONS).open()
    assert methods(emulator) == ["GET", "GET", "POST"]


def test_the_warning_says_what_to_do(build, emulator):
    emulator.rule(http_error(403), route="caches")
    with pytest.warns(VertexCompatWarning, match=r"does not have permission\. Grant roles/aiplatform\.user"):
        build().chat(marked(), OPTIONS)


def test_what_is_refused_once_is_not_attempted_again(build, emulator):
    emulator.rule(http_error(400), route="caches")
    client = build()
    with pytest.warns(VertexCompatWarning):
        client.chat(marked(), OPTIONS)
    client.chat(marked(), OPTIONS)
    assert methods(emulator) == ["GET", "plain", "plain"]


def test_another_failure_is_attempted_again_after_a_minute(emulator):
    now = [0.0]
    connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), retry_budget=False)
    client = VertexCompatClient(connection, timing=Timing(clock=lambda: now[0]))
    emulator.answer(http_error(403), route="caches")
    with pytest.warns(VertexCompatWarning):
        client.chat(marked(), OPTIONS)
    client.chat(marked(), OPTIONS)
    now[0] = 61.0
    client.chat(marked(), OPTIONS)
    assert methods(emulator) == ["GET", "plain", "plain", "GET", "POST", "cached"]


def seconds_of(emulator, ask):
    """Of a call that has two: the calmest of several tries, since other programs may take the rest of the time."""

    def seconds():
        emulator.reset()
        connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), timeout=2.0)
        begun = time.monotonic()
        try:
            ask(VertexCompatClient(connection))
        except DeadlineExceededError:
            return math.inf
        return time.monotonic() - begun

    return calmest(seconds, 2.0)


@pytest.mark.parametrize("way", WAYS)
def test_a_cache_that_hangs_takes_half_of_the_time(way, emulator):
    def ask(client):
        emulator.rule(hang(), route="caches")
        with pytest.warns(VertexCompatWarning, match="whole prompt is sent"):
            assert not tell(client, way, marked())
        assert methods(emulator) == ["GET", "plain"]

    assert 0.9 < seconds_of(emulator, ask) < 2.0


@pytest.mark.parametrize("way", ["chat", "achat"])
def test_who_waits_for_another_waits_half_of_the_time(way, emulator):
    def ask(client):
        plan = client.context_caches.plan(marked(), OPTIONS)

        async def ahold():
            async with plan.entry.async_lock():
                return await client.achat(marked(), OPTIONS)

        def hold():
            with plan.entry.lock:
                return client.chat(marked(), OPTIONS)

        with pytest.warns(VertexCompatWarning, match="in time"):
            _ = hold() if way == "chat" else asyncio.run(ahold())
        assert methods(emulator) == ["plain"]

    assert 0.9 < seconds_of(emulator, ask) < 2.0


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
def test_each_http_library_has_the_methods(backend, build, emulator):
    client = build(http_backend=backend)
    opened = OpenedCache(client.context_caches, marked(ttl=7200.0), OPTIONS)

    async def use():
        await opened.aopen()
        opened._plan.entry.ends -= 7000.0
        await opened.aopen()
        await opened.adelete()

    asyncio.run(use())
    assert methods(emulator) == ["GET", "POST", "PATCH", "DELETE"]


def test_another_error_of_the_call_is_the_calls(build, emulator):
    emulator.rule(http_error(429))
    with pytest.raises(RateLimitError):
        build(max_retries=0).chat(marked(), OPTIONS)


def test_a_short_prefix_is_sent_without_a_word(build, emulator):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build().chat(MarkedMessages([SYSTEM], [QUESTION]), OPTIONS)
    assert methods(emulator) == ["plain"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(model="google/gemini-4-argon"), "no explicit context cache"),
        (Options(model="openai/gpt-oss-120b-maas"), "not a Gemini"),
        (OPTIONS.model_copy(update={"tools": [{**TOOL, "function": {**TOOL["function"], "name": "a b"}}]}), "names"),
    ],
)
def test_where_there_is_no_cache_the_whole_prompt_is_sent(options, words, build, emulator):
    client = build()
    with pytest.warns(VertexCompatWarning, match=words):
        client.chat(marked(), options)
    assert methods(emulator) == ["plain"]
    with pytest.raises(SettingsError, match=words):
        OpenedCache(client.context_caches, marked(), options)


@pytest.mark.filterwarnings("ignore:VERTEX_COMPAT_EMULATOR_HOST")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("several", [{"projects": ["proj-a", "proj-b"]}, {"locations": ["us", "eu"], "project": "p"}])
def test_a_mark_with_several_places_sends_the_whole_prompt(emulator, monkeypatch, way, several):
    monkeypatch.setenv("VERTEX_COMPAT_EMULATOR_HOST", emulator.host)
    client = VertexCompatClient(Connection(**several))
    with pytest.warns(VertexCompatWarning, match="The marked prefix is not cached: A context cache is stored in one"):
        assert tell(client, way, marked()) == 0
    assert methods(emulator) == ["plain"]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_an_opened_cache_is_deleted_if_it_is_our_own(way, build, emulator):
    def use(client):
        opened = OpenedCache(client.context_caches, marked(), OPTIONS)
        if way == "sync":
            opened.open()
            return opened.delete

        async def both():
            await opened.aopen()
            return lambda: asyncio.run(opened.adelete())

        return asyncio.run(both())

    first, second = use(build()), use(build())
    second()
    first()
    assert methods(emulator) == ["GET", "POST", "GET", "DELETE"]


def test_a_failed_deletion_is_a_warning(build, emulator):
    opened = OpenedCache(build().context_caches, marked(), OPTIONS)
    opened.open()
    emulator.rule(http_error(500), route="caches")
    with pytest.warns(VertexCompatWarning, match="expires by itself"):
        opened.delete()
