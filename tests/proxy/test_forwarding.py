"""What goes on to the endpoint, and what comes back."""

import asyncio
import json
import threading
import time
from contextlib import contextmanager

import openai
import pytest

from tests.proxy.samples import HELLO, MODEL, NAME, TOOL
from tests.support.busy_machine import LONG_SECONDS
from tests.support.fault_answers import say, sse
from tests.support.fault_server import FaultServer
from vertex_compat_integrations.core.errors import VertexCompatWarning
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.emulator import (
    chunks,
    cut,
    error_in_stream,
    html,
    http_error,
    no_finish,
    raw,
    redirect,
    text,
)
from vertex_compat_integrations.proxy import Exchange, Proxy

E5 = "intfloat/multilingual-e5-small-maas"
BODY = {"model": NAME, "messages": HELLO}


def test_an_answer_comes_back_byte_for_byte(emulator, ask):
    told = (
        b'{ "choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"\\u00e9"}}],"x":1e2}'
    )
    emulator.answer(raw(told))
    answer = ask(BODY)
    assert (answer.status, answer.read()) == (200, told)
    assert answer.headers["Content-Type"].startswith("application/json")


def test_what_nothing_is_known_of_goes_on_as_it_came(emulator, ask):
    odd = {
        "model": NAME,
        "messages": [{"role": "oracle", "content": 7}],
        "seed": 3,
        "extra_body": {"google": {"x": []}},
    }
    ask(odd).read()
    assert emulator.journal.last.body == {**odd, "model": MODEL}


def test_only_the_credential_and_vertex_ai_s_own_headers_go_on(emulator, ask):
    ask(
        BODY,
        **{"X-Vertex-AI-LLM-Request-Type": "shared", "OpenAI-Organization": "org", "Cookie": "c=1", "X-Mine": "1"},
    ).read()
    sent = emulator.journal.last.headers
    assert sent["x-vertex-ai-llm-request-type"] == "shared"
    assert not {"openai-organization", "cookie", "x-mine", "origin"} & set(sent)


def test_what_vertex_ai_is_known_to_refuse_is_converted(emulator, client):
    """The emulator refuses each of these in Google's words."""
    parameters = {"type": "object", "properties": {"unit": {"const": "C"}, "days": {"$ref": "#/$defs/days"}}}
    parameters["$defs"] = {"days": {"type": ["integer", "null"], "exclusiveMinimum": 0}}
    tool = {"type": "function", "function": {"name": "look", "parameters": parameters, "strict": True}}
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": ""}}
    schema = {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}}
    client.chat.completions.create(
        model=NAME,
        messages=[
            {"role": "developer", "content": "Be short."},
            *HELLO,
            {"role": "assistant", "content": "", "tool_calls": [call], "refusal": None, "audio": None},
            {"role": "tool", "tool_call_id": "1", "content": ""},
        ],
        tools=[tool, {"google_search": {}}],
        response_format={"type": "json_schema", "json_schema": {"name": "A", "schema": schema, "strict": True}},
    )
    sent = emulator.journal.last
    assert sent.status == 200
    assert sent.messages[0]["role"] == "system"
    assert sent.messages[2].keys() == {"role", "tool_calls"}
    assert sent.body["extra_body"]["google"]["tools"] == [{"google_search": {}}]
    assert "$ref" not in sent.raw.decode()
    assert "oneOf" not in sent.raw.decode()


def declaring(name, parameters):
    return [{"type": "function", "function": {"name": name, "parameters": parameters}}]


def test_a_tool_that_contains_itself_is_cut(emulator, client):
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    with pytest.warns(VertexCompatWarning, match="f: its schema contains itself"):
        client.chat.completions.create(**BODY, tools=declaring("f", node))
    sent = emulator.journal.last.body["tools"][0]["function"]["parameters"]
    assert sent["properties"] == {"next": {"type": "object", "additionalProperties": True}}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("f", {"type": "object", "properties": {"x": None}}),
        ("f", {"type": "object", "properties": {"x": {"$ref": "#/$defs/Gone"}}}),
    ],
    ids=["null property", "lost reference"],
)
def test_a_tool_that_cannot_be_declared_is_named_and_nothing_is_sent(emulator, client, name, parameters):
    before = len(emulator.journal)
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**BODY, tools=declaring(name, parameters))
    assert caught.value.body["message"].startswith(f"{name}: ")
    assert len(emulator.journal) == before


def test_vectors_come_back(emulator, client_of):
    there = Connection(base_url=emulator.base_url(location="us-central1"), api_key=emulator.identity.issue())
    with Proxy(there, {"text-embedding-3-small": E5}) as proxy:
        answer = client_of(proxy).embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert [len(item.embedding) for item in answer.data] == [384, 384]
    assert emulator.journal.embeddings[-1].body["model"] == E5


def test_a_stream_is_not_collected(client_of):
    """The endpoint waits for the program to have the first piece before it sends the next."""
    heard, waited = threading.Event(), []

    def answer(exchange):
        exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
        exchange.chunk(sse(say("one ", finish=None), done=False))
        waited.append(heard.wait(30))
        exchange.chunk(sse(say("two")))
        exchange.chunk(b"")

    with (
        FaultServer(answer) as server,
        Proxy(Connection(base_url=server.base_url, api_key="token"), {NAME: MODEL}) as proxy,
    ):
        stream = client_of(proxy).chat.completions.create(**BODY, stream=True)
        assert next(stream).choices[0].delta.content == "one "
        heard.set()
        assert "".join(piece.choices[0].delta.content or "" for piece in stream) == "two"
    assert waited == [True]


def test_the_events_of_a_stream_are_those_of_the_endpoint(emulator, ask):
    emulator.answer(text("one two"))
    answer = ask({**BODY, "stream": True})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    *events, done, end = answer.read().split(b"\n\n")
    assert (done, end) == (b"data: [DONE]", b"")
    told = [json.loads(event.removeprefix(b"data: ")) for event in events]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in told) == "one two"
    assert all(chunk["system_fingerprint"].startswith("vertex-compat-emulator") for chunk in told)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (http_error(400, "Unable to submit request because x."), (openai.BadRequestError, 400, "INVALID_ARGUMENT")),
        (
            http_error(400, "The input token count (9) exceeds"),
            (openai.BadRequestError, 400, "context_length_exceeded"),
        ),
        (http_error(403, "Permission denied."), (openai.PermissionDeniedError, 403, "PERMISSION_DENIED")),
        (http_error(404, "Publisher Model x was not found."), (openai.NotFoundError, 404, "model_not_found")),
        (http_error(429), (openai.RateLimitError, 429, "rate_limit_exceeded")),
        (http_error(503, "No capacity."), (openai.InternalServerError, 503, "UNAVAILABLE")),
        (html(502), (openai.InternalServerError, 502, None)),
        (html(200), (openai.InternalServerError, 502, None)),
        (redirect("http://127.0.0.1:1/"), (openai.InternalServerError, 502, None)),
        (
            raw(b'[{"error": {"code": 429, "message": "In a 200."}}]'),
            (openai.RateLimitError, 429, "rate_limit_exceeded"),
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_googles_errors_reach_the_program_in_openais_form(emulator, client, fault, expected, stream):
    """Nothing is tried again: that is for the program's own SDK."""
    emulator.answer(fault)
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**BODY, stream=stream)
    assert (type(caught.value), caught.value.status_code, caught.value.code) == expected
    assert MODEL in caught.value.message
    assert len(emulator.journal.chat) == 1


def test_how_long_to_wait_is_passed_on(emulator, ask):
    emulator.answer(http_error(429, headers={"Retry-After": "7"}))
    assert ask(BODY).headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    "fault",
    [
        cut(2, "close"),
        cut(2, "reset"),
        cut(2, "chunk"),
        cut(2, "clean"),
        no_finish(),
        error_in_stream(2, "bare_list"),
    ],
    ids=["close", "reset", "chunk", "clean", "no finish", "bare error"],
)
def test_a_stream_that_breaks_off_is_an_error_in_the_stock_sdk(emulator, client, fault):
    emulator.answer(fault)
    pieces = []
    with pytest.raises(openai.APIError) as caught:
        collect(client.chat.completions.create(**BODY, stream=True), pieces)
    assert not isinstance(caught.value, openai.APIConnectionError)
    assert "".join(piece.choices[0].delta.content for piece in pieces)


def chunk(delta, finish=None, index=0):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}


@pytest.mark.parametrize("how", ["close", "reset", "chunk", "clean"])
def test_what_has_its_finish_reason_is_whole_however_its_connection_ends(emulator, client, how):
    told = [chunk({"role": "assistant", "content": "whole"}, "stop"), chunk({"role": "assistant"})]
    emulator.answer(cut(1, how, chunks(told, done=False)))
    pieces = list(client.chat.completions.create(**BODY, stream=True))
    assert [piece.choices[0].delta.content for piece in pieces] == ["whole"]


def test_calls_of_several_answers_keep_their_indexes(emulator, client):
    calls = [{"id": f"c{number}", "index": 0, "type": "function"} for number in range(2)]
    told = [
        chunk({"tool_calls": [{**call, "function": {"name": "look", "arguments": "{}"}}]}, "tool_calls", number)
        for number, call in enumerate(calls)
    ]
    emulator.answer(chunks(told))
    pieces = [piece.choices[0] for piece in client.chat.completions.create(**BODY, stream=True)]
    assert [(piece.index, piece.delta.tool_calls[0].index) for piece in pieces] == [(0, 0), (1, 0)]


def collect(stream, pieces):
    for piece in stream:
        pieces.append(piece)


COUNTS = {
    "prompt_tokens": 11,
    "completion_tokens": 15,
    "total_tokens": 58,
    "completion_tokens_details": {"reasoning_tokens": 32},
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("raw_usage", [False, True])
def test_thoughts_are_counted_in_openais_way_or_in_googles(emulator, connection, client_of, stream, raw_usage):
    emulator.answer(text("Hi", usage=COUNTS))
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    with Proxy(connection, {NAME: MODEL}, raw_usage=raw_usage) as proxy:
        answer = client_of(proxy).chat.completions.create(**BODY, **options)
        usage = (list(answer)[-1] if stream else answer).usage
    assert usage.to_dict() == {**COUNTS, "completion_tokens": 15 if raw_usage else 47}


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_token_is_replaced_once(emulator, client_of, stream):
    tokens = [emulator.identity.issue()]
    given = Connection(base_url=emulator.base_url(), credentials=lambda: (tokens[-1], time.time() + 3600))
    with Proxy(given, {NAME: MODEL}) as proxy:
        client = client_of(proxy)
        emulator.identity.revoke_all()
        tokens.append(emulator.identity.issue())
        list(client.chat.completions.create(**BODY, stream=stream))
        assert [entry.status for entry in emulator.journal.chat] == [401, 200]
        emulator.identity.revoke_all()
        tokens.append("another-that-nobody-issued")
        with pytest.raises(openai.AuthenticationError, match="invalid authentication credentials"):
            client.chat.completions.create(**BODY, stream=stream)
    assert [entry.status for entry in emulator.journal.chat][2:] == [401, 401]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", ["a fixed token", "a callable that knows no other"])
def test_a_refused_token_is_not_sent_a_second_time(emulator, client_of, stream, way):
    token = emulator.identity.issue()
    access = {"api_key": token} if way == "a fixed token" else {"credentials": lambda: token}
    with Proxy(Connection(base_url=emulator.base_url(), **access), {NAME: MODEL}) as proxy:
        emulator.identity.revoke_all()
        with pytest.raises(openai.AuthenticationError, match="invalid authentication credentials"):
            client_of(proxy).chat.completions.create(**BODY, stream=stream)
    assert [entry.status for entry in emulator.journal.chat] == [401]


@contextmanager
def endless():
    """A server that begins a stream and never ends it; gives its base URL, and an event for the client's leave."""
    loop, left, ready = asyncio.new_event_loop(), threading.Event(), threading.Event()
    addresses = []

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        chunk = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "one"}}]}
        event = b"data: " + json.dumps(chunk).encode() + b"\n\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        while await reader.read(65_536):
            pass
        left.set()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        addresses.append(server.sockets[0].getsockname()[1])
        ready.set()
        async with server:
            await stopped.wait()

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    ready.wait(LONG_SECONDS)
    yield f"http://127.0.0.1:{addresses[0]}/v1/projects/p/locations/global/endpoints/openapi", left
    loop.call_soon_threadsafe(stopped.set)
    thread.join()
    loop.close()


def test_a_program_that_goes_away_ends_the_request_to_the_endpoint(client_of):
    gone: list[Exchange] = []
    with (
        endless() as (base_url, left),
        Proxy(Connection(base_url=base_url, api_key="token"), {NAME: MODEL}, report=gone.append) as proxy,
    ):
        stream = client_of(proxy).chat.completions.create(**BODY, stream=True)
        assert next(iter(stream)).choices[0].delta.content == "one"
        assert not left.is_set()
        stream.close()
        assert left.wait(LONG_SECONDS)
    assert [one.status for one in gone] == [None]


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_refused_by_the_proxy(ask, emulator, content):
    answer = ask(content)
    assert answer.status == 400
    assert "not a JSON object" in json.load(answer)["error"]["message"]
    assert emulator.journal.entries == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/responses"), ("GET", "/"), ("GET", "/v1/chat/completions")])
def test_what_the_endpoint_does_not_have_is_told(ask, method, path):
    answer = ask(BODY, path, method)
    assert answer.status in (404, 405)
    message = json.load(answer)["error"]["message"]
    assert "/chat/completions, /embeddings and /models" in message
    assert ("use_responses_api=False" in message) == (path == "/v1/responses")


def test_many_conversations_at_once_are_kept_apart(emulator, proxy):
    async def main():
        async with openai.AsyncOpenAI(base_url=proxy.base_url, api_key=proxy.key, max_retries=0) as client:
            asked = [
                client.chat.completions.create(
                    model=NAME,
                    messages=[{"role": "user", "content": f"Say word{number}."}],
                    tools=[TOOL],
                    tool_choice="none",
                )
                for number in range(40)
            ]
            return [answer.choices[0].message.content for answer in await asyncio.gather(*asked)]

    answers = asyncio.run(main())
    assert all(f"word{number}." in answer for number, answer in enumerate(answers))


def test_a_proxy_starts_and_stops_more_than_once(connection, client_of):
    proxy = Proxy(connection, {NAME: MODEL})
    for _ in range(2):
        with proxy:
            assert client_of(proxy).chat.completions.create(**BODY).choices
        proxy.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = proxy.base_url


def test_without_a_token_it_does_not_start(emulator):
    def lost():
        raise OSError("no")

    with pytest.raises(Exception, match="credentials callable raised OSError"):
        Proxy(Connection(base_url=emulator.base_url(), credentials=lost)).start()
