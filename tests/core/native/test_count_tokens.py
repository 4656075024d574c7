"""The service counts the prompt that a call would send: on the same host, with the same credential and retries."""

import asyncio
import warnings
from typing import Any

import pytest

from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineExceededError,
    NotFoundError,
    RateLimitError,
    SettingsError,
    UnexpectedReplyError,
    UnsupportedContentError,
)
from vertex_compat_integrations.core.request.tool_message import build_tool_message
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, hang, http_error, raw
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

pytest_plugins = ["tests.core.client_fixtures"]

MODEL = "google/gemini-3.5-flash"
HELLO = [{"role": "user", "content": "How deep is the harbour of Kobe?"}]
TOOL = {"type": "function", "function": {"name": "depth", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "depth", "arguments": '{"port": "Kobe"}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
PDF = {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0="}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA" * 9, "format": "audio/wav"}}

PROMPTS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "plain": (HELLO, {}),
    "system": ([{"role": "system", "content": "Be brief."}, *HELLO], {}),
    "tools": (HELLO, {"tools": [TOOL]}),
    "calls": (
        [
            *HELLO,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "12 m"},
        ],
        {"tools": [TOOL]},
    ),
    "object": (
        [
            *HELLO,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"metres": 12, "at": ["low", "tide"]}'},
        ],
        {},
    ),
    "media": ([{"role": "user", "content": [IMAGE, PDF, SOUND, {"type": "text", "text": "What?"}]}], {}),
    "media of a tool": (
        [
            *HELLO,
            {"role": "assistant", "tool_calls": [CALL]},
            build_tool_message("c1", [{"type": "text", "text": "The chart."}, IMAGE, SOUND]),
        ],
        {},
    ),
    "other language": ([{"role": "user", "content": "神戸港の水深は?"}], {}),
}


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("name", PROMPTS)
def test_the_count_is_that_of_the_call(name, way, build, emulator):
    messages, settings = PROMPTS[name]
    client, options = build(), Options(model=MODEL, **settings)
    if way == "sync":
        count = client.count_tokens(messages, options)
    else:
        count = asyncio.run(client.acount_tokens(messages, options))
    (reply,) = client.chat(messages, options)
    assert count == reply.ending.usage.input
    assert len(emulator.journal.counts) == 1


def test_the_request_is_native_and_has_nothing_of_the_sampling(build, emulator):
    options = Options(model=MODEL, temperature=0.5, max_tokens=9, tools=[TOOL], request_type="shared")
    build().count_tokens(HELLO, options.model_copy(update={"default_headers": {"X-Mine": "a"}}))
    (entry,) = emulator.journal.counts
    assert entry.path == f"/v1/projects/demo/locations/global/publishers/{MODEL.replace('/', '/models/')}:countTokens"
    assert set(entry.body) == {"contents", "tools"}
    assert entry.headers["x-mine"] == "a"
    assert not [name for name in entry.headers if "request-type" in name]


def test_the_emulators_host_is_used(emulator, monkeypatch):
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, emulator.host)
    client = VertexCompatClient(Connection(project="p", location="eu", api_version="v1beta1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert client.count_tokens(HELLO, Options(model=MODEL)) > 5
    assert emulator.journal.counts[0].path.startswith("/v1beta1/projects/p/locations/eu/publishers/google/models/")


def test_nothing_is_nothing_and_sends_nothing(build, emulator):
    assert build().count_tokens([], Options(model=MODEL)) == 0
    assert asyncio.run(build().acount_tokens([], Options(model=MODEL))) == 0
    assert not emulator.journal.counts


PARTS_OF_CONVERSATIONS = {
    "an answer at the end": [*HELLO, {"role": "assistant", "content": "Twelve metres."}],
    "an answer alone": [{"role": "assistant", "content": "Twelve metres."}],
    "a call without a result": [*HELLO, {"role": "assistant", "tool_calls": [CALL]}],
    "a result without a call": [{"role": "tool", "tool_call_id": "c1", "content": "12 m"}],
    "instructions": [{"role": "system", "content": "Be brief."}],
}


@pytest.mark.parametrize("name", PARTS_OF_CONVERSATIONS)
def test_a_part_of_a_conversation_is_counted(name, build):
    assert build().count_tokens(PARTS_OF_CONVERSATIONS[name], Options(model="google/gemini-3.8-flash")) > 0


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_shortage_is_retried_as_for_a_call(way, build, emulator, waits):
    emulator.answer(http_error(429), http_error(503), route="count_tokens")
    client = build()
    if way == "sync":
        assert client.count_tokens(HELLO, Options(model=MODEL)) > 5
    else:
        assert asyncio.run(client.acount_tokens(HELLO, Options(model=MODEL))) > 5
    assert len(emulator.journal.counts) == 3
    assert len(waits) == 2


def test_a_shortage_that_stays_is_the_error_of_a_call(build, emulator):
    emulator.rule(http_error(429), route="count_tokens")
    with pytest.raises(RateLimitError) as caught:
        build(max_retries=1).count_tokens(HELLO, Options(model=MODEL))
    assert (caught.value.attempts, caught.value.model) == (2, MODEL)
    assert caught.value.url.endswith(":countTokens")
    emulator.reset()


def test_the_deadline_bounds_a_count(emulator):
    emulator.rule(hang(), route="count_tokens")
    client = VertexCompatClient(
        Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue(), timeout=0.3), timing=Timing()
    )
    with pytest.raises(DeadlineExceededError):
        client.count_tokens(HELLO, Options(model=MODEL))
    with pytest.raises(DeadlineExceededError):
        asyncio.run(client.acount_tokens(HELLO, Options(model=MODEL)))
    emulator.reset()


def test_a_refused_token_and_an_unknown_model_are_the_errors_of_a_call(build):
    with pytest.raises(AuthenticationError) as caught:
        build(api_key="ya29.stale").count_tokens(HELLO, Options(model=MODEL))
    assert "ya29" not in str(caught.value)
    with pytest.raises(NotFoundError):
        build().count_tokens(HELLO, Options(model="google/gemini-3.5-flsh"))


@pytest.mark.parametrize("body", ['{"totalTokens": "many"}', "{}", "[]", '{"totalTokens": true}'])
def test_an_answer_without_a_count_is_none(body, build, emulator):
    emulator.answer(raw(body), route="count_tokens")
    with pytest.raises(UnexpectedReplyError):
        build(max_retries=0).count_tokens(HELLO, Options(model=MODEL))


def test_an_error_with_status_200_is_an_error(build, emulator):
    emulator.answer(raw('{"error": {"code": 429, "message": "no", "status": "X"}}'), route="count_tokens")
    with pytest.raises(RateLimitError):
        build(max_retries=0).count_tokens(HELLO, Options(model=MODEL))


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("openai/gpt-oss-120b-maas", {}),
        ("google/gemma-4-26b-a4b-it-maas", {}),
        (MODEL, {"base_url": "http://127.0.0.1:9/v1"}),
        (MODEL, {"base_url": "http://127.0.0.1:9/mine/endpoints/openapi"}),
    ],
)
def test_where_nothing_native_is_served_the_estimate_is_named(model, settings, build, emulator):
    with pytest.raises(SettingsError, match="estimate"):
        build(**settings).count_tokens(HELLO, Options(model=model))
    assert not emulator.journal.counts


def test_a_self_deployed_endpoint_has_no_count(emulator):
    client = VertexCompatClient(Connection(project="p", location="us-central1", endpoint="123", api_key="ya29.x"))
    with pytest.raises(SettingsError, match="your own server"):
        client.count_tokens(HELLO, Options(model=""))


def test_a_cache_has_no_count(build):
    with pytest.raises(UnsupportedContentError, match="cached_content"):
        build().count_tokens(HELLO, Options(model=MODEL, cached_content="projects/p/locations/l/cachedContents/1"))


def test_a_stopped_emulator_is_no_count():
    with Emulator() as gone:
        client = VertexCompatClient(Connection(base_url=gone.base_url(), api_key=gone.identity.issue(), max_retries=0))
    with pytest.raises(ConnectionFailedError):
        client.count_tokens(HELLO, Options(model=MODEL))


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
@pytest.mark.parametrize("content", ["", [], [{"type": "text", "text": ""}]])
@pytest.mark.parametrize("way", ["count_tokens", "acount_tokens"])
def test_a_message_without_content_has_no_tokens(way, role, content, build, emulator):
    def count(*messages):
        counted = getattr(build(), way)(list(messages), Options(model=MODEL))
        return counted if isinstance(counted, int) else asyncio.run(counted)

    empty = {"role": role, "content": content}
    assert count(empty) == count(empty, empty) == 0
    assert not emulator.journal.entries
    instructions = {"role": "system", "content": "Be brief."}
    assert count(instructions, empty) == count(instructions) > 0
