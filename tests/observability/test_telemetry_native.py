"""Token counts, context caches and uploads in OpenTelemetry: spans and events of their own, without the project."""

import asyncio

import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

import openai
from opentelemetry.trace import SpanKind, StatusCode

from tests.observability.telemetry_recording import WAYS, ask, everything_in
from tests.support.large_media import BUCKET, PICTURE, SMALL, picture, user
from vertex_compat_integrations import VertexCompatError
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.media.uploads import _MEMORY
from vertex_compat_integrations.core.native.marked import MarkedMessages
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import http_error

pytest_plugins = ("tests.observability.telemetry_fixtures",)

MODEL = "google/gemini-3.5-flash"
OPTIONS = Options(model=MODEL)
HELLO = [{"role": "user", "content": "Swordfish?"}]


def marked() -> MarkedMessages:
    return MarkedMessages([{"role": "system", "content": "The harbour of Kobe is deep. " * 1000}], HELLO)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_token_count_is_a_span(emulator, build, recording, is_async):
    client = build()
    count = asyncio.run(client.acount_tokens(HELLO, OPTIONS)) if is_async else client.count_tokens(HELLO, OPTIONS)
    span = recording.span()
    assert (span.name, span.kind, span.status.status_code) == (
        f"count_tokens {MODEL}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "count_tokens",
        "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.request.model": MODEL,
        "vertex_compat.token_count": count,
        "server.address": "127.0.0.1",
        "server.port": int(emulator.url.rpartition(":")[2]),
    }


def test_a_count_that_fails_has_its_error_and_its_retries(emulator, build, recording):
    emulator.answer(http_error(503), http_error(403, "Secret words."), route="count_tokens")
    with pytest.raises(VertexCompatError):
        build().count_tokens(HELLO, OPTIONS)
    span = recording.span()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["http.response.status_code"] == 403
    assert [event.name for event in span.events] == ["vertex_compat.retry"]
    assert "Secret words" not in everything_in([span], recording.points())


@pytest.mark.parametrize("way", WAYS)
async def test_the_requests_of_a_cache_are_spans_next_to_the_calls(build, recording, way):
    await ask(build(), way, marked())
    spans = recording.spans()
    assert [span.name for span in spans] == [f"{name} {MODEL}" for name in ("list_caches", "create_cache", "chat")]
    assert spans[1].attributes["vertex_compat.token_count"] > 4096
    assert spans[2].attributes["gen_ai.usage.cache_read.input_tokens"] > 4096
    assert "projects/" not in everything_in(spans, recording.points())


def test_prompts_are_not_recorded_on_them_either(monkeypatch, build, recording):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    client = build()
    client.chat(marked(), OPTIONS)
    client.count_tokens(HELLO, OPTIONS)
    *_, chat, count = recording.spans()
    assert "gen_ai.input.messages" in chat.attributes
    assert "Swordfish" not in everything_in([count], recording.points())


@pytest.fixture
def storage(emulator, monkeypatch):
    _MEMORY.reset()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("way", WAYS)
async def test_an_upload_is_an_event_of_the_call(build, recording, way):
    client = build(media_bucket=BUCKET)
    await ask(client, way, user(picture(), picture(SMALL)))
    await ask(client, way, user(picture()))
    first, second = recording.spans()
    (event,) = first.events
    attributes = dict(event.attributes)
    assert event.name == "vertex_compat.upload"
    assert first.start_time <= event.timestamp <= first.end_time
    assert 0 < attributes.pop("vertex_compat.upload.duration") < 60
    assert attributes == {
        "vertex_compat.upload.mime_type": "image/png",
        "vertex_compat.upload.size": len(PICTURE),
    }
    assert second.events == ()
    assert "gs://" not in everything_in([first], recording.points())


@pytest.mark.parametrize("way", [*WAYS, "count"])
async def test_a_refused_call_is_the_sdk_s_error_too(build, way):
    client = build()

    async def refused() -> None:
        if way == "count":
            client.count_tokens(HELLO, Options(model="openai/gpt-oss-120b-maas"))
        await ask(client, way, HELLO, model="google/gemini-embedding-001")

    with pytest.raises(openai.OpenAIError) as error:
        await refused()
    assert isinstance(error.value, SettingsError)
