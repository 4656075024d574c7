"""The core against llama.cpp's own server with a real model, at the URL of a self-deployed endpoint, without a model's
name: what the real server does, and what becomes of it.
"""

import itertools
import json
import re
import urllib.error
import urllib.request

import pytest

from tests.real_servers.llama_server import RESOURCE, LlamaServer
from tests.real_servers.relay import Relay
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import (
    ContextOverflowError,
    InvalidRequestError,
    NotFoundError,
    ServerError,
    StreamInterruptedError,
)
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
SHORT = Options(temperature=0, max_tokens=12)
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 1}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
BEGUN_CALL = [
    {"role": "user", "content": "What is the weather in Paris?"},
    {"role": "assistant", "content": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "'},
]
"""The model does not choose tools by itself; with its answer begun for it, it writes the city and ends the call."""


def client_for(port: int, **settings) -> VertexCompatClient:
    timing = settings.pop("timing", None)
    connection = Connection(base_url=f"http://127.0.0.1:{port}{RESOURCE}", api_key="no-key", **settings)
    return VertexCompatClient(connection, timing=timing)


@pytest.fixture
def client(server) -> VertexCompatClient:
    """It may retry, as by default: the server drops a connection after a stream, and that can cross a request."""
    return client_for(server.port)


@pytest.fixture
def relayed(relay) -> VertexCompatClient:
    return client_for(relay.port, max_retries=0)


def events(connection) -> list[dict]:
    lines = re.findall(rb"data: (\{.*\})", bytes(connection.answered))
    return [json.loads(line) for line in lines]


def test_a_model_without_name_answers_at_the_endpoint_s_path(relayed, relay):
    (reply,) = relayed.chat(CAPITAL, SHORT)
    assert "Paris" in reply.text
    assert reply.ending.finish_reason == "stop"
    assert relay.connections[0].paths == [RESOURCE + "/chat/completions"]
    assert reply.ending.usage.total == reply.ending.usage.input + reply.ending.usage.output > 20


def test_the_same_url_with_another_id_is_not_found(server):
    stranger = VertexCompatClient(Connection(base_url=server.base_url.replace("1234567890", "987"), api_key="no-key"))
    with pytest.raises(NotFoundError, match="File Not Found"):
        stranger.chat(CAPITAL, SHORT)


async def test_a_stream_says_what_the_plain_answer_says(client):
    plain = client.chat(CAPITAL, SHORT)[0].text
    assert "".join(delta.text for delta in client.stream(CAPITAL, SHORT)) == plain
    assert (await client.achat(CAPITAL, SHORT))[0].text == plain
    assert "".join([delta.text async for delta in client.astream(CAPITAL, SHORT)]) == plain


def test_the_usage_comes_in_a_trailing_chunk_without_choices(relayed, relay):
    deltas = list(relayed.stream(CAPITAL, SHORT))
    told = events(relay.connections[0])
    assert told[-1]["choices"] == []
    assert [chunk for chunk in told[:-1] if chunk.get("usage")] == []
    usage = deltas[-1].ending.usage
    assert (usage.input, usage.output) == (
        told[-1]["usage"]["prompt_tokens"],
        told[-1]["usage"]["completion_tokens"],
    )
    assert [delta.ending for delta in deltas[:-1]] == [None] * (len(deltas) - 1)


def test_a_first_delta_with_null_content_is_no_piece(relayed, relay):
    deltas = list(relayed.stream(CAPITAL, SHORT))
    first = events(relay.connections[0])[0]["choices"][0]["delta"]
    assert first == {"role": "assistant", "content": None}
    assert deltas[0].text


def test_a_connection_that_the_server_drops_after_each_stream_is_nothing_to_the_next(relay):
    """The drop can cross the next request on its way; that one is sent again, within the retries of any call."""
    client = client_for(relay.port)
    answers = ["".join(delta.text for delta in client.stream(CAPITAL, SHORT)) for _ in range(6)]
    assert len(set(answers)) == 1
    assert relay.statuses == [200] * 6
    assert {connection.closed_by for connection in relay.connections[:5]} == {"server"}


def test_a_json_schema_goes_out_untouched_and_binds_the_model(relayed, relay):
    asked = {"type": "json_schema", "json_schema": {"name": "Person", "schema": PERSON, "strict": True}}
    options = Options(temperature=0, max_tokens=60, response_format=asked)
    (reply,) = relayed.chat([{"role": "user", "content": "Ada is 36 years old."}], options)
    person = json.loads(reply.text)
    assert person.keys() == {"name", "age"}
    assert isinstance(person["age"], int)
    body = bytes(relay.connections[0].sent).partition(b"\r\n\r\n")[2]
    assert json.loads(body)["response_format"] == asked


def test_a_server_s_own_parameter_goes_through_extra_body(client):
    """llama.cpp calls it `json_schema`, vLLM `guided_json`: what the server knows of itself stands at the top."""
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    (reply,) = client.chat(CAPITAL, Options(max_tokens=20, temperature=0, extra_body={"json_schema": schema}))
    assert isinstance(json.loads(reply.text)["ok"], bool)


def test_the_server_s_parser_gives_a_tool_call(client):
    options = Options(temperature=0, max_tokens=30, tools=[WEATHER_TOOL])
    (reply,) = client.chat(BEGUN_CALL, options)
    (call,) = reply.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert reply.ending.finish_reason == "tool_calls"


async def test_a_streamed_tool_call_comes_in_pieces(client):
    """The server streams what the model wrote itself: the end of the call that was begun for it, which is no JSON."""
    options = Options(temperature=0, max_tokens=30, tools=[WEATHER_TOOL])
    client = VertexCompatClient(client._calls.connection.model_copy(update={"on_empty": "return"}))
    for deltas in (
        list(client.stream(BEGUN_CALL, options)),
        [delta async for delta in client.astream(BEGUN_CALL, options)],
    ):
        calls = [call for delta in deltas for call in delta.tool_calls]
        assert [call.name for call in calls if call.name] == ["get_weather"]
        assert {call.index for call in calls} == {0}
        assert "".join(call.arguments for call in calls) == 'Paris"}'
        assert deltas[-1].ending.finish_reason == "tool_calls"


def test_an_error_in_mid_stream_is_raised_with_what_came(client):
    """The model makes no call of what was begun as one, and the server says so in the stream's last event."""
    begun = [BEGUN_CALL[0], {"role": "assistant", "content": "<tool_call>\n"}]
    with pytest.raises(ServerError, match="does not match the expected") as caught:
        client.chat(begun, Options(temperature=0, max_tokens=10, tools=[WEATHER_TOOL]))
    assert caught.value.code == 500
    with pytest.raises((ServerError, StreamInterruptedError), match="does not match the expected"):
        list(client.stream(begun, Options(temperature=0, max_tokens=10, tools=[WEATHER_TOOL])))


def test_a_tool_s_result_is_taken(client):
    call = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    history = [
        BEGUN_CALL[0],
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "It rains."},
    ]
    (reply,) = client.chat(history, Options(temperature=0, max_tokens=10, tools=[WEATHER_TOOL]))
    assert reply.text


def test_a_prompt_that_is_too_long_is_a_context_overflow(client):
    with pytest.raises(ContextOverflowError, match="exceeds the available context size") as caught:
        client.chat([{"role": "user", "content": "word " * 3000}], SHORT)
    assert caught.value.code == 400


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_in_openai_s_shape_is_read(client, stream):
    options = Options(n=2, max_tokens=2) if not stream else Options(extra_body={"temperature": "hot"})
    with pytest.raises(InvalidRequestError, match=r"Field '(n|temperature)'") as caught:
        _answer(client, options, stream=stream)
    assert caught.value.code == 400


def _answer(client: VertexCompatClient, options: Options, *, stream: bool) -> None:
    if stream:
        list(client.stream(CAPITAL, options))
    else:
        client.chat(CAPITAL, options)


@pytest.mark.usefixtures("_installed")
def test_a_server_that_is_loading_is_asked_again_until_it_answers():
    """Other programs may take the moments in which it loads; then another server is started."""
    for _ in range(5):
        with LlamaServer() as server, Relay(server.port) as relay:
            refusal = _refusal_by(server.port, client_for(relay.port, max_retries=0))
            refused = len(relay.statuses)
            patient = client_for(relay.port, max_retries=400, retry_budget=False, timing=_quarter_seconds())
            assert "Paris" in patient.chat(CAPITAL, SHORT)[0].text
            assert relay.statuses[-1] == 200
            assert set(relay.statuses[refused:-1]) <= {503}
        if refusal is not None:
            break
    assert "Loading model" in str(refusal)
    assert refusal.code == 503


def _refusal_by(port: int, client: VertexCompatClient) -> ServerError | None:
    """What comes of one call, made as soon as the server's port is open."""
    for _ in itertools.count():
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
        except urllib.error.HTTPError:
            break
        except OSError:
            continue
    try:
        client.chat(CAPITAL, SHORT)
    except ServerError as error:
        return error
    return None


def _quarter_seconds() -> Timing:
    """Real waits of a quarter of a second, whatever the retries' number."""
    real = Timing()
    return Timing(sleep=lambda _: real.sleep(0.25), chance=lambda: 0.5)
