"""Context caches with odd answers of the server, slow ones, and several users of one cache."""

import asyncio
import datetime
import os
import threading

import openai
import pytest

from tests.core.native.test_context_cache import MODEL, OPTIONS, QUESTION, TOOL, WAYS, marked, methods, tell
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import DeadlineExceededError, UnexpectedReplyError, VertexCompatWarning
from vertex_compat_integrations.core.native.cache_calls import name_in
from vertex_compat_integrations.core.native.cache_steps import MOST_PAGES
from vertex_compat_integrations.core.native.context_cache import OpenedCache
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import Emulator, http_error

pytest_plugins = ["tests.core.client_fixtures"]

NAME = "projects/p/locations/global/cachedContents/7"
OTHER = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def clocked(emulator):
    """A client whose clock stands still, and the clock."""
    now = [0.0]
    connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), timeout=60.0)
    return VertexCompatClient(connection, timing=Timing(clock=lambda: now[0])), now


def answered(client, monkeypatch, answers):
    """Let a client's requests about caches be answered by a function of method and path; return those requests."""
    seen = []

    def native(call):
        seen.append(call.method)
        answer = answers(call)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def anative(call):
        return native(call)

    monkeypatch.setattr(client, "_native", native)
    monkeypatch.setattr(client, "_anative", anative)
    return seen


def later(seconds):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).isoformat()


def test_a_statement_may_last_longer_than_a_call(clocked, emulator):
    client, now = clocked
    opened = OpenedCache(client.context_caches, marked(), OPTIONS)
    now[0] += 100.0
    opened.open()
    now[0] += 1000.0
    opened.delete()
    assert methods(emulator) == ["GET", "POST", "DELETE"]


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize(("timeout", "most"), [(600.0, 30.0), (10.0, 10.0)])
def test_a_statement_does_not_wait_long_for_the_deletion(way, timeout, most, emulator, monkeypatch):
    connection = Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), timeout=timeout)
    client, calls = VertexCompatClient(connection, timing=Timing(clock=lambda: 0.0)), []

    def answer(call):
        calls.append((call.method, call.remaining))
        return {"name": NAME}

    answered(client, monkeypatch, answer)
    opened = OpenedCache(client.context_caches, marked(), OPTIONS)
    opened.open()
    delete(opened, way)
    assert calls[-1] == ("delete", most)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_all_requests_for_a_cache_take_half_of_the_time(way, clocked, monkeypatch):
    client, now = clocked

    def slow(call):
        now[0] += 14.0
        return {"nextPageToken": str(now[0])}

    seen = answered(client, monkeypatch, slow)
    plan = client.context_caches.plan(marked(), OPTIONS)
    with pytest.raises(openai.APITimeoutError) as refused:
        _ = client.context_caches.ensure(plan) if way == "sync" else asyncio.run(client.context_caches.aensure(plan))
    assert isinstance(refused.value, DeadlineExceededError)
    assert now[0] < 60.0
    assert len(seen) == 3


def test_a_list_without_an_end_is_left(clocked, monkeypatch):
    client, _ = clocked
    seen = answered(client, monkeypatch, lambda call: {"nextPageToken": "7", "name": NAME})
    assert client.context_caches.ensure(client.context_caches.plan(marked(), OPTIONS)) == NAME
    assert seen == [*["get"] * MOST_PAGES, "post"]


@pytest.mark.parametrize("code", [400, 403, 429, 500, 503])
@pytest.mark.parametrize("way", WAYS)
def test_a_cache_that_cannot_be_extended_is_used_to_its_end(way, code, build, emulator):
    client = build(max_retries=0)
    tell(client, way, marked())
    (entry,) = client._known_caches.values()
    entry.ends -= 2000.0
    emulator.rule(http_error(code), when=lambda body: bool(body) and "model" not in body, route="caches")
    assert tell(client, way, marked()) > 4096
    assert tell(client, way, marked()) > 4096
    assert methods(emulator) == ["GET", "POST", "cached", "PATCH", "cached", "cached"]


@pytest.mark.parametrize("name", [None, "", 5, "None", "../../x", "projects/p/locations/l/cachedContents/a/b", "a\n"])
def test_a_cache_without_a_name_is_none(name, build, clocked, monkeypatch):
    assert name_in({"name": name}) is None
    client, _ = clocked
    answered(client, monkeypatch, lambda call: {"name": name})
    with pytest.raises(openai.APIError, match="no name") as refused:
        client.context_caches.ensure(client.context_caches.plan(marked(), OPTIONS))
    assert isinstance(refused.value, UnexpectedReplyError)


@pytest.mark.parametrize("name", [None, "", "x"])
def test_a_listed_cache_without_a_name_is_not_used(name, clocked, monkeypatch):
    client, _ = clocked
    plan = client.context_caches.plan(marked(), OPTIONS)
    listed = {"displayName": plan.body["displayName"], "expireTime": later(3000), "name": name}

    def answer(call):
        return {"cachedContents": [listed]} if call.method == "get" else {"name": NAME}

    seen = answered(client, monkeypatch, answer)
    assert client.context_caches.ensure(plan) == NAME
    assert seen == ["get", "post"]


@pytest.mark.parametrize(
    ("ttl", "text"), [(3600.0, "3600s"), (1_209_600.0, "1209600s"), (90.5, "90.5s"), (1e9 + 0.25, "1000000000.25s")]
)
def test_the_life_has_no_exponent(ttl, text, build, emulator):
    build().chat(marked(ttl=ttl), OPTIONS)
    assert emulator.journal.caches[1].body["ttl"] == text


def test_the_last_statement_deletes_the_cache(build, emulator):
    client = build()
    first, second = (OpenedCache(client.context_caches, marked(), OPTIONS) for _ in range(2))
    first.open()
    second.open()
    first.delete()
    client.chat(marked(), OPTIONS)
    assert methods(emulator) == ["GET", "POST", "cached"]
    second.delete()
    second.delete()
    assert methods(emulator)[3:] == ["DELETE"]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_caches_with_tools_of_calls_end_with_the_statement(way, build, emulator):
    """Those with other messages do not, nor do any while another statement uses the messages."""
    client = build()
    first, second = (OpenedCache(client.context_caches, marked(), OPTIONS) for _ in range(2))
    first.open()
    second.open()
    another = MarkedMessages([{"role": "user", "content": "The harbour of Cork is deep. " * 1000}], [QUESTION])
    for messages, tools in ((marked(), [TOOL]), (marked(), [OTHER]), (another, None)):
        tell(client, "chat", messages, OPTIONS.model_copy(update={"tools": tools}))
    delete(first, way)
    assert "DELETE" not in methods(emulator)
    delete(second, way)
    assert methods(emulator).count("POST") - methods(emulator).count("DELETE") == 1
    client.chat(marked(), OPTIONS)
    assert methods(emulator)[-3:] == ["GET", "POST", "cached"]


def delete(opened, way):
    _ = opened.delete() if way == "sync" else asyncio.run(opened.adelete())


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_statement_that_did_not_begin_keeps_no_cache(way, build, emulator):
    client = build(max_retries=0)
    first, second = (OpenedCache(client.context_caches, marked(), OPTIONS) for _ in range(2))
    emulator.answer(http_error(500), route="caches")
    with pytest.raises(openai.InternalServerError):
        _ = second.open() if way == "sync" else asyncio.run(second.aopen())
    first.open()
    first.delete()
    assert methods(emulator) == ["GET", "GET", "POST", "DELETE"]


def test_a_cache_that_was_found_again_is_still_our_own(build, emulator):
    client = build()
    opened = OpenedCache(client.context_caches, marked(), OPTIONS)
    opened.open()
    opened._plan.entry.name = None  # as after an error that took it for gone
    client.chat(marked(), OPTIONS)
    opened.delete()
    assert methods(emulator) == ["GET", "POST", "GET", "cached", "DELETE"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_deletes_only_its_own(build, emulator):
    client = build()
    opened = OpenedCache(client.context_caches, marked(), OPTIONS)
    opened.open()
    if not (child := os.fork()):
        client.chat(marked(), OPTIONS)
        opened.delete()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert methods(emulator) == ["GET", "POST", "GET", "cached"]
    opened.delete()
    assert methods(emulator)[4:] == ["DELETE"]


def test_statements_in_threads_share_the_cache(build, emulator):
    client, barrier = build(), threading.Barrier(4)

    def use():
        opened = OpenedCache(client.context_caches, marked(), OPTIONS)
        opened.open()
        barrier.wait()
        client.chat(marked(), OPTIONS)
        barrier.wait()
        opened.delete()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(methods(emulator)) == ["DELETE", "GET", "POST", *["cached"] * 4]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("own", [{"tools": [OTHER]}, {"tools": [TOOL, OTHER]}, {"tool_choice": "required"}])
def test_a_call_with_its_own_tools_is_sent_whole(own, way, build, emulator):
    messages = marked()
    messages.tools = (TOOL,)
    with pytest.warns(VertexCompatWarning, match="other tools than its context cache"):
        assert tell(build(), way, messages, OPTIONS.model_copy(update=own)) == 0
    assert methods(emulator) == ["plain"]
    sent = emulator.journal.last.body
    assert sent["tools"] == own.get("tools", [TOOL])
    assert sent.get("tool_choice") == own.get("tool_choice")


@pytest.mark.parametrize("own", [{}, {"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": "required"}])
def test_a_call_with_the_caches_tools_uses_it(own, build, emulator):
    messages = marked()
    messages.tools, messages.tool_choice = (TOOL,), "required"
    assert tell(build(), "chat", messages, OPTIONS.model_copy(update=own)) > 4096
    assert methods(emulator) == ["GET", "POST", "cached"]
    assert emulator.journal.caches[1].body["model"].endswith(MODEL.removeprefix("google"))
    assert emulator.journal.last.body["messages"] == [QUESTION]


@pytest.mark.parametrize("way", WAYS)
def test_one_whose_time_is_over_is_created_again(way):
    now = [1_800_000_000.0]
    with Emulator(clock=lambda: now[0]) as emulator:
        client = VertexCompatClient(Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue()))
        opened = OpenedCache(client.context_caches, marked(), OPTIONS)
        opened.open()
        now[0] += 5000.0
        emulator.identity.revoke_all()
        client = VertexCompatClient(Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue()))
        client._known_caches[next(iter(opened._caches.entries))] = opened._plan.entry
        assert tell(client, way, marked()) > 4096
        assert methods(emulator) == ["GET", "POST", "cached", "GET", "POST", "cached"]


def test_a_prefix_above_googles_limit_is_sent_whole(build, emulator):
    document = {"role": "user", "content": "The harbour of Kobe is deep. " * 400_000}
    with pytest.warns(VertexCompatWarning, match=r"has 11\.6 MB; a context cache takes at most 10 MB"):
        build().chat(MarkedMessages([document], [QUESTION]), OPTIONS)
    assert "GET" not in methods(emulator)
