"""With telemetry on, OpenTelemetry is told of each call in the words of its GenAI conventions."""

import json
import time

import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

from llama_index.core.llms import ChatMessage
from opentelemetry.trace import SpanKind, StatusCode

from tests.observability.telemetry_recording import WAYS, ask, everything_in
from vertex_compat_integrations import VertexCompatError
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.telemetry.observer import Observer
from vertex_compat_integrations.emulator import cut, error_in_stream, http_error, text, tool_call
from vertex_compat_integrations.langchain import ChatVertexCompat, VertexCompatEmbeddings
from vertex_compat_integrations.llama_index import VertexCompat, VertexCompatEmbedding
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

pytest_plugins = ("tests.observability.telemetry_fixtures",)

EVERY_WAY = pytest.mark.parametrize("way", WAYS)
MODEL = "google/gemini-3.5-flash"
E5 = "intfloat/multilingual-e5-small-maas"
HELLO = [{"role": "user", "content": "Swordfish?"}]
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 10,
    "total_tokens": 140,
    "completion_tokens_details": {"reasoning_tokens": 30},
    "prompt_tokens_details": {"cached_tokens": 60},
}


@EVERY_WAY
async def test_a_call_is_a_span(emulator, build, recording, way):
    emulator.answer(text("Yes.", usage=USAGE))
    settings = {"temperature": 0, "top_p": 0.5, "max_tokens": 99, "seed": 7, "stop": "END"}
    assert await ask(build(), way, HELLO, **settings) == "Yes."
    span = recording.span()
    assert (span.name, span.kind, span.status.status_code) == (f"chat {MODEL}", SpanKind.CLIENT, StatusCode.UNSET)
    told = dict(span.attributes)
    assert told.pop("gen_ai.response.id")
    if "stream" in way:
        assert told.pop("gen_ai.request.stream") is True
        assert 0 < told.pop("gen_ai.response.time_to_first_chunk") < 5
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": MODEL,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.reasoning.output_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "server.address": "127.0.0.1",
        "server.port": int(emulator.url.rpartition(":")[2]),
    }
    assert span.instrumentation_scope.name == "vertex_compat_integrations"


@EVERY_WAY
async def test_the_cost_is_on_the_span_if_it_is_known(emulator, build, recording, way):
    """40 tokens at 10 dollars a million, 60 cached ones at 1, and 40 at 20."""
    pytest.importorskip("genai_prices", reason="needs genai-prices")
    from tests.support.price_list import listed

    emulator.rule(text("Yes.", usage=USAGE))
    with listed():
        await ask(build(cost=True), way, HELLO)
    assert recording.span().attributes["vertex_compat.cost.usd"] == 0.00126


async def test_an_unknown_cost_is_not_on_the_span(build, recording):
    pytest.importorskip("genai_prices", reason="needs genai-prices")
    await ask(build(cost=True), "chat", HELLO, request_type="dedicated")
    assert "vertex_compat.cost.usd" not in recording.span().attributes


@pytest.mark.parametrize(
    ("options", "output_type"),
    [
        ({}, None),
        ({"response_format": {"type": "json_object"}}, "json"),
        ({"response_format": {"type": "text"}}, "text"),
        ({"modalities": ["text", "image"], "model": "google/gemini-3-pro-image-preview"}, "image"),
    ],
)
async def test_the_kind_of_answer_asked_for_is_told(build, recording, options, output_type):
    await ask(build(), "chat", HELLO, **options)
    assert recording.span().attributes.get("gen_ai.output.type") == output_type


@EVERY_WAY
async def test_each_attempt_that_failed_is_an_event(emulator, build, recording, way):
    emulator.answer(http_error(401), http_error(429), http_error(503))
    await ask(build(api_key=None, credentials=emulator.identity.issue), way, HELLO)
    span = recording.span()
    assert span.status.status_code is StatusCode.UNSET
    events = [
        (event.name, event.attributes["error.type"], event.attributes["http.response.status_code"])
        for event in span.events
    ]
    assert events == [
        ("vertex_compat.retry", "AuthenticationError", 401),
        ("vertex_compat.retry", "RateLimitError", 429),
        ("vertex_compat.retry", "ServerError", 503),
    ]
    assert [event.attributes["vertex_compat.retry.delay"] > 0 for event in span.events] == [False, True, True]


@EVERY_WAY
async def test_a_failure_ends_the_span_with_its_class_and_status(emulator, build, recording, way):
    emulator.rule(http_error(503))
    with pytest.raises(VertexCompatError):
        await ask(build(max_retries=1), way, HELLO)
    span = recording.span()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.attributes["error.type"] == "ServerError"
    assert span.attributes["http.response.status_code"] == 503
    assert [event.name for event in span.events] == ["vertex_compat.retry"]
    (point,) = recording.points()["gen_ai.client.operation.duration"]
    assert point.attributes["error.type"] == "ServerError"


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("fault", [cut(1), error_in_stream(1)])
async def test_a_stream_that_breaks_off_is_an_error(emulator, build, recording, way, fault):
    emulator.answer(fault)
    with pytest.raises(VertexCompatError):
        await ask(build(), way, HELLO)
    span = recording.span()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "StreamInterruptedError"
    assert span.attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert "vertex_compat.abandoned" not in span.attributes


async def test_what_is_refused_before_it_is_sent_is_no_span(build, recording):
    for way in WAYS:
        with pytest.raises(VertexCompatError):
            await ask(build(), way, HELLO, model="")
    assert recording.spans() == []


@EVERY_WAY
@pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")
async def test_of_several_locations_the_one_that_answered_is_told(emulator, recording, monkeypatch, way):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    emulator.rule(http_error(429), location="us")
    client = VertexCompatClient(Connection(locations=["us", "eu"], telemetry=True))
    # The emulator serves all locations on one host, so the test gives each a name of its own.
    client._observer = Observer(lambda place: f"https://{place.location}.example:443", time.monotonic)
    await ask(client, way, HELLO)
    assert recording.span().attributes["server.address"] == "eu.example"
    durations = recording.points()["gen_ai.client.operation.duration"]
    assert [point.attributes["server.address"] for point in durations] == ["eu.example"]


@EVERY_WAY
async def test_metrics(emulator, build, recording, way):
    emulator.answer(text("Yes.", usage=USAGE))
    await ask(build(), way, HELLO)
    points = recording.points()
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.vertex_ai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": int(emulator.url.rpartition(":")[2]),
    }
    (duration,) = points.pop("gen_ai.client.operation.duration")
    assert duration.attributes == common
    assert 0 < duration.sum < 60
    assert (duration.explicit_bounds[0], duration.explicit_bounds[-1]) == (0.01, 81.92)
    tokens = {point.attributes["gen_ai.token.type"]: point for point in points.pop("gen_ai.client.token.usage")}
    assert {kind: point.sum for kind, point in tokens.items()} == {"input": 100, "output": 40}
    assert tokens["input"].attributes == {**common, "gen_ai.token.type": "input"}
    assert (tokens["input"].explicit_bounds[0], tokens["input"].explicit_bounds[-1]) == (1, 67_108_864)
    if "stream" in way:
        (first,) = points.pop("gen_ai.client.operation.time_to_first_chunk")
        assert first.attributes == common
        assert 0 < first.sum <= duration.sum
    assert points == {}


async def test_embeddings_are_a_span_for_each_request(emulator, build, recording):
    client = build(base_url=emulator.base_url(location="us-central1"))
    options = EmbeddingOptions(model=E5, batch_size=2, dimensions=64)
    assert len(client.embed(["a", "b", "c"], options, "text").vectors) == 3
    assert len((await client.aembed(["a", "b", "c"], options, "text")).vectors) == 3
    spans = recording.spans()
    assert [span.name for span in spans] == [f"embeddings {E5}"] * 4
    assert spans[0].attributes["gen_ai.operation.name"] == "embeddings"
    assert spans[0].attributes["gen_ai.embeddings.dimension.count"] == 64
    assert spans[0].attributes["gen_ai.request.encoding_formats"] == ("float",)
    assert spans[0].attributes["gen_ai.usage.input_tokens"] > 0
    assert {point.attributes["gen_ai.token.type"] for point in recording.points()["gen_ai.client.token.usage"]} == {
        "input"
    }


async def test_every_door_of_the_frameworks_is_one_span(settings, recording):
    model = ChatVertexCompat(model=MODEL, **settings)
    llm = VertexCompat(model=MODEL, **settings)
    said = [ChatMessage(content="Hello")]
    model.invoke("Hello")
    list(model.stream("Hello"))
    await model.ainvoke("Hello")
    _ = [chunk async for chunk in model.astream("Hello")]
    llm.chat(said)
    list(llm.stream_chat(said))
    await llm.achat(said)
    _ = [response async for response in await llm.astream_chat(said)]
    await model.aclose()
    await llm.aclose()
    assert [span.name for span in recording.spans()] == [f"chat {MODEL}"] * 8


async def test_both_embeddings_classes_are_watched(emulator, settings, recording):
    there = settings | {"base_url": emulator.base_url(location="us-central1")}
    VertexCompatEmbeddings(model=E5, **there).embed_query("Hello")
    VertexCompatEmbedding(model=E5, **there).get_query_embedding("Hello")
    assert [span.name for span in recording.spans()] == [f"embeddings {E5}"] * 2


# What is not told


@pytest.fixture
def captures(request, monkeypatch):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", request.param)


@pytest.mark.usefixtures("captures")
@pytest.mark.parametrize("captures", ["", "NO_CONTENT", "EVENT_ONLY", "false"], indirect=True)
@EVERY_WAY
async def test_neither_what_is_said_nor_project_nor_token(emulator, settings, build, recording, way):
    client = build(base_url=emulator.base_url(project="treasure-1"), max_retries=1)
    emulator.answer(text("Marlin!"))
    await ask(client, way, HELLO)
    emulator.rule(http_error(429, "Quota of treasure-1 exceeded by 'Swordfish?'."))
    with pytest.raises(VertexCompatError, match="treasure-1"):
        await ask(client, way, HELLO)
    spans, points = recording.spans(), recording.points()
    assert [len(spans), len(points["gen_ai.client.operation.duration"])] == [2, 2]
    told = everything_in(spans, points)
    assert MODEL in told
    for secret in ("Swordfish", "Marlin", "treasure-1", "Bearer", settings["api_key"]):
        assert secret not in told


@pytest.mark.usefixtures("captures")
@pytest.mark.parametrize("captures", ["true", "SPAN_ONLY", "span_and_event"], indirect=True)
@EVERY_WAY
async def test_what_is_said_is_told_where_the_variable_asks_for_it(emulator, build, recording, way):
    emulator.answer(tool_call("look", {"at": "fish"}, extra={"google": {"thought_signature": "c2lnbmVk"}}))
    declared = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    await ask(build(), way, HELLO, tools=[declared])
    span = recording.span()
    asked, answered = (json.loads(span.attributes[f"gen_ai.{side}.messages"]) for side in ("input", "output"))
    assert asked == [{"role": "user", "parts": [{"type": "text", "content": "Swordfish?"}]}]
    (message,) = answered
    assert (message["role"], message["finish_reason"]) == ("assistant", "tool_calls")
    (part,) = message["parts"]
    assert part.pop("id")
    assert part == {"type": "tool_call", "name": "look", "arguments": {"at": "fish"}}
    assert "c2lnbmVk" not in span.to_json()


def test_the_names_are_those_of_the_conventions(build, recording):
    """As OpenTelemetry's own package of names has them, where it is of a late enough version."""
    names = pytest.importorskip("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    metrics = pytest.importorskip("opentelemetry.semconv._incubating.metrics.gen_ai_metrics")
    if not hasattr(names, "GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK"):
        pytest.skip("opentelemetry-semantic-conventions is older than the names used")
    known = {value for name, value in vars(names).items() if name.startswith("GEN_AI") and isinstance(value, str)}
    measured = {value for name, value in vars(metrics).items() if name.startswith("GEN_AI") and isinstance(value, str)}
    list(build().stream(HELLO, Options(model=MODEL, temperature=1, response_format={"type": "json_object"})))
    told = {name for name in recording.span().attributes if name.startswith("gen_ai.")}
    assert len(told) >= 10
    assert told <= known
    assert set(recording.points()) <= measured
    assert names.GenAiProviderNameValues.GCP_VERTEX_AI.value == "gcp.vertex_ai"
