"""Where a call's span stands among others, and how it ends when its caller leaves."""

import asyncio
import gc
import logging
import time

import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

import openai
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from tests.observability.telemetry_recording import WAYS, ask
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, drip, hang, http_error, text

pytest_plugins = ("tests.observability.telemetry_fixtures",)

EVERY_WAY = pytest.mark.parametrize("way", WAYS)
HELLO = [{"role": "user", "content": "Hello"}]
OPTIONS = Options(model="google/gemini-3.5-flash")
WORDS = text("One two three four five six.")


@pytest.fixture
def tracer(recording):
    return trace.get_tracer("test")


@pytest.fixture(autouse=True)
def contexts_are_left_as_they_were(caplog):
    """OpenTelemetry logs an error where a span is taken from a context that it was not put in."""
    caplog.set_level(logging.WARNING, "opentelemetry")
    yield
    assert [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")] == []
    assert trace.get_current_span() is trace.INVALID_SPAN


@EVERY_WAY
async def test_the_parent_is_the_span_that_is_current(tracer, build, recording, way):
    with tracer.start_as_current_span("parent") as parent:
        await ask(build(), way, HELLO)
    ours, _ = recording.spans()
    assert ours.parent.span_id == parent.get_span_context().span_id


@EVERY_WAY
async def test_each_attempt_is_sent_beneath_the_span(emulator, tracer, build, recording, way):
    """So that spans of an instrumented HTTP library stand beneath it."""

    def send(_: object) -> None:
        with tracer.start_as_current_span("send"):
            pass

    async def asend(request: object) -> None:
        send(request)

    emulator.answer(http_error(429))
    clients = {
        "http_client": openai.DefaultHttpxClient(event_hooks={"request": [send]}),
        "http_async_client": openai.DefaultAsyncHttpxClient(event_hooks={"request": [asend]}),
    }
    await ask(build(**clients), way, HELLO)
    *sent, ours = recording.spans()
    assert [span.parent.span_id for span in sent] == [ours.context.span_id] * 2
    clients["http_client"].close()
    await clients["http_async_client"].aclose()


def test_between_the_pieces_the_callers_span_is_current(emulator, tracer, build, recording):
    emulator.answer(WORDS)
    with tracer.start_as_current_span("parent") as parent:
        current = {trace.get_current_span() for _ in build().stream(HELLO, OPTIONS)}
    assert current == {parent}


async def test_streams_that_take_turns_keep_their_parents(emulator, tracer, build, recording):
    emulator.rule(WORDS)
    client = build()

    async def watch(name: str) -> set[object]:
        with tracer.start_as_current_span(name) as parent:
            seen = set()
            async for _ in client.astream(HELLO, OPTIONS):
                seen.add(trace.get_current_span())
                await asyncio.sleep(0)
            assert seen == {parent}

    await asyncio.gather(*(watch(f"parent {number}") for number in range(5)))
    spans = recording.spans()
    parents = {span.context.span_id for span in spans if span.name.startswith("parent")}
    assert {span.parent.span_id for span in spans if span.name.startswith("chat")} == parents
    assert len(parents) == 5


async def test_a_stream_may_go_on_in_another_task(emulator, build, recording):
    """As web frameworks do, whose answers are sent by a task of their own."""
    emulator.answer(WORDS)
    deltas = build().astream(HELLO, OPTIONS)
    said = [await asyncio.create_task(anext(deltas)) for _ in range(2)]
    said += [delta async for delta in deltas]
    assert "".join(delta.text for delta in said) == "One two three four five six."
    assert recording.span().status.status_code is StatusCode.UNSET


def assert_abandoned(span):
    assert span.attributes["vertex_compat.abandoned"] is True
    assert span.status.status_code is StatusCode.UNSET
    assert "error.type" not in span.attributes
    assert "gen_ai.usage.input_tokens" not in span.attributes


def test_leaving_a_stream_ends_its_span_without_an_error(emulator, build, recording):
    emulator.answer(WORDS)
    for _ in build().stream(HELLO, OPTIONS):
        break
    gc.collect()
    assert_abandoned(recording.span())


async def test_leaving_an_asynchronous_stream_ends_its_span(emulator, build, recording):
    emulator.rule(WORDS)
    client = build()
    closed = client.astream(HELLO, OPTIONS)
    await anext(closed)
    await closed.aclose()
    assert_abandoned(recording.span())
    async for _ in client.astream(HELLO, OPTIONS):
        break
    gc.collect()
    for _ in range(3000):  # the event loop closes it in a task of its own
        await asyncio.sleep(0.01)
        if spans := recording.spans():
            break
    (span,) = spans
    assert_abandoned(span)


def test_leaving_after_the_last_piece_is_no_abandoning(emulator, build, recording):
    emulator.answer(WORDS)
    for delta in build().stream(HELLO, OPTIONS):
        if delta.ending is not None:
            break
    gc.collect()
    span = recording.span()
    assert "vertex_compat.abandoned" not in span.attributes
    assert span.attributes["gen_ai.usage.output_tokens"] > 0


def test_a_stream_that_is_never_begun_is_no_span(build, recording):
    build().stream(HELLO, OPTIONS)
    gc.collect()
    assert recording.spans() == []


def arrived(emulator: Emulator) -> None:
    """Wait until a request has come."""
    while not emulator.journal.chat:
        time.sleep(0.01)


@pytest.mark.parametrize("way", ["achat", "astream"])
@pytest.mark.parametrize("fault", [hang(), drip(30.0, WORDS)], ids=["before", "within"])
async def test_a_cancelled_call_ends_with_its_error(emulator, build, recording, way, fault):
    emulator.answer(fault)
    task = asyncio.create_task(ask(build(), way, HELLO))
    await asyncio.to_thread(arrived, emulator)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    span = recording.span()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "CancelledError"
    (point,) = recording.points()["gen_ai.client.operation.duration"]
    assert point.attributes["error.type"] == "CancelledError"
