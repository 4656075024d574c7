"""Item 9: no call lasts for ever; a total deadline and one between bytes, in every way of asking."""

import math
import time

import pytest

from tests.promises.entry_points import CORE, EVERY_FRONTEND, EVERY_WAY, STREAMS, Waits, core_model
from tests.support.fault_answers import TEXT, comments, drip, dripped_head, error, events, reply, say, silence, sse
from tests.support.fault_server import ConnectProxy
from vertex_compat_integrations.core.errors import DeadlineExceededError, ServerError, VertexCompatError
from vertex_compat_integrations.core.settings.connection import Connection

SECONDS = 0.25
ENDLESS = {"drip": drip(), "comments": comments(), "dripped error": drip(status=503), "silence": silence}


def expires(call, partial_text=None):
    """How a call ends: in our error, within a second of its deadline; other programs may spoil some of ten tries."""
    for _ in range(10):
        began = time.monotonic()
        with pytest.raises(VertexCompatError) as caught:
            call()
        took = time.monotonic() - began
        if took < SECONDS + 1 and partial_text in (None, getattr(caught.value, "partial_text", "")):
            break
    assert SECONDS * 0.8 < took < SECONDS + 1
    return caught.value


@EVERY_FRONTEND
@EVERY_WAY
@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_ended_at_the_deadline(server, frontend, way, answer):
    server.rule = answer
    error_told = expires(lambda: frontend.ask(frontend.build(server, timeout=SECONDS, max_retries=3), way))
    assert "timeout=" in error_told.hint or getattr(error_told, "partial_text", "")
    assert error_told.attempts == 1, "there is no time for another one"


@EVERY_FRONTEND
@pytest.mark.parametrize("way", ["aplain", "astream"])
def test_a_head_that_drips_is_ended_at_the_deadline_in_async_code(server, frontend, way):
    server.rule = dripped_head
    assert isinstance(
        expires(lambda: frontend.ask(frontend.build(server, timeout=SECONDS), way)), DeadlineExceededError
    )


@EVERY_FRONTEND
@EVERY_WAY
def test_silence_ends_after_the_gap(server, frontend, way):
    server.rule = silence
    assert isinstance(
        expires(lambda: frontend.ask(frontend.build(server, gap_timeout=SECONDS), way)), DeadlineExceededError
    )


@EVERY_FRONTEND
@pytest.mark.parametrize("way", STREAMS)
def test_silence_in_mid_stream_ends_after_the_gap(server, frontend, way):
    def pausing(exchange):
        exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
        exchange.chunk(sse(say("One ", finish=None), done=False))
        exchange.pause(5)

    server.rule = pausing
    told = expires(lambda: frontend.ask(frontend.build(server, gap_timeout=SECONDS, max_retries=2), way), "One ")
    assert told.partial_text == "One "


@EVERY_WAY
@pytest.mark.parametrize("answer", [drip(), drip(status=503)], ids=["answer", "error"])
@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
def test_the_same_holds_behind_tls(tls_server, authority, way, answer, proxied):
    tls_server.rule = answer
    with ConnectProxy(tls_server) as proxy:
        model = CORE.build(tls_server, timeout=SECONDS, ca_bundle=authority.path, proxy=proxy.url if proxied else None)
        expires(lambda: CORE.ask(model, way))
        assert bool(proxy.asked) is proxied


@EVERY_FRONTEND
@EVERY_WAY
def test_a_slow_answer_within_the_deadline_is_an_answer(server, frontend, way):
    def slow(exchange):
        exchange.pause(0.05)
        reply()(exchange)

    server.rule = slow
    assert frontend.ask(frontend.build(server, timeout=30), way) == TEXT


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_with_comments_between_its_events_is_an_answer(server, way):
    data = b"".join(b": keep-alive\n\n" + sse([chunk], done=False) for chunk in say("One ", "two ", "three."))
    server.answer(events(data))
    assert CORE.ask(CORE.build(server), way) == TEXT


@EVERY_FRONTEND
def test_by_default_no_call_lasts_longer_than_ten_minutes(frontend):
    model = frontend.build(base_url="https://h.example/v1", api_key="t")
    settings = model.client._calls.connection if hasattr(model, "client") else model
    assert (settings.timeout, settings.gap_timeout) == (600, 120)


@EVERY_FRONTEND
@pytest.mark.parametrize("name", ["timeout", "gap_timeout"])
def test_none_in_a_file_is_the_default(frontend, name):
    model = frontend.build(base_url="https://h.example/v1", api_key="t", **{name: None})
    settings = model.client._calls.connection if hasattr(model, "client") else model
    assert getattr(settings, name) == Connection.model_fields[name].default


@EVERY_WAY
def test_the_deadline_bounds_all_attempts_together(server, way):
    server.rule = error(503)
    waits = Waits()
    with pytest.raises(ServerError) as caught:
        CORE.ask(core_model(server, waits, timeout=5, max_retries=50), way)
    assert sum(waits) < 5
    assert caught.value.attempts == len(server.requests) == 4


@EVERY_WAY
@pytest.mark.parametrize("seconds", [math.inf, 1e10])
def test_a_call_may_be_given_all_the_time_there_is(server, way, seconds):
    """No clock of the operating system's takes so much."""
    server.rule = reply()
    assert CORE.ask(CORE.build(server, timeout=seconds, gap_timeout=seconds), way) == TEXT
