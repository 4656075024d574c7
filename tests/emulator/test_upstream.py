"""A real model behind the emulator: what goes there, what comes back, and what Vertex AI would have refused before."""

import http.client
import json
import threading
import time

import pytest
from emulator_client import HEADERS, MODEL, Ask, asker
from upstream_server import HELLO, USAGE, Server, chunk, completion, serving

from vertex_compat_integrations import openai_client, wire
from vertex_compat_integrations.emulator import Emulator, Upstream, cut, error_in_stream, no_finish, text
from vertex_compat_integrations.emulator.upstream import resolve_proxy
from vertex_compat_integrations.emulator.upstream_request import to_json_schema
from vertex_compat_integrations.langchain import ChatVertexCompat

KEY = "sk-swordfish-of-the-upstream"
OPEN_MODEL = "qwen/qwen3-coder-480b-a35b-instruct-maas"
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"city": "Oslo"}'}}
TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture(scope="module")
def running():
    with (
        serving() as server,
        Emulator(upstream=Upstream(server.url, model="tiny", key=KEY, timeout_seconds=30)) as emulator,
    ):
        yield server, emulator


@pytest.fixture
def server(running) -> Server:
    running[0].reset()
    return running[0]


@pytest.fixture
def emulator(running) -> Emulator:
    running[1].reset()
    return running[1]


@pytest.fixture
def ask(emulator, server) -> Ask:
    return asker(emulator)


@pytest.fixture
def impatient(server):
    """An emulator that waits a second for the upstream's next byte."""
    with Emulator(upstream=Upstream(server.url, timeout_seconds=1)) as running:
        yield running


def client_of(emulator: Emulator, model: str = MODEL, **settings) -> ChatVertexCompat:
    token = emulator.identity.issue()
    return ChatVertexCompat(model=model, base_url=emulator.base_url(), api_key=token, max_retries=0, **settings)


class TestWhole:
    def test_the_model_s_words_come_in_the_endpoint_s_form(self, ask, server):
        reply = ask("Hello")
        assert reply.message["content"] == "Hi."
        assert {key: reply.body[key] for key in ("id", "model", "system_fingerprint")} == {
            "id": "upstream-1",
            "model": MODEL,
            "system_fingerprint": f"{wire.EMULATOR_FINGERPRINT}: tiny",
        }
        assert reply.body["usage"]["total_tokens"] == 12
        assert reply.body["usage"]["extra_properties"] == {"google": {"traffic_type": "ON_DEMAND"}}
        assert "timings" not in reply.body
        assert server.last == {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}

    def test_it_is_asked_at_its_url_with_its_key_and_not_with_the_client_s_token(self, ask, server):
        ask("Hello")
        path, headers, _ = server.asked[0]
        assert path == "/v1/chat/completions"
        assert headers["Authorization"] == f"Bearer {KEY}"

    def test_without_a_name_of_its_own_it_gets_the_asked_one_and_without_a_key_none(self, server):
        with Emulator(upstream=Upstream(server.url + "/chat/completions/")) as emulator:
            reply = asker(emulator)("Hello")
        path, headers, body = server.asked[0]
        assert (path, body["model"]) == ("/v1/chat/completions", MODEL)
        assert "Authorization" not in headers
        assert reply.body["system_fingerprint"].endswith(": /secret/path.gguf")

    def test_google_s_extras_stay_here(self, ask, server):
        history = [
            {"role": "user", "content": [{"type": "text", "text": "Hi", "extra_content": {"google": {}}}]},
            {"role": "model", "content": "Yes?", "extra_content": {"google": {}}},
            {"role": "user", "content": "Go on"},
        ]
        extra = {"google": {"thinking_config": {"include_thoughts": True}}}
        assert ask(messages=history, extra_body=extra, logit_bias={}, temperature=0.5, max_tokens=9).status == 200
        assert server.last == {
            "model": "tiny",
            "temperature": 0.5,
            "max_tokens": 9,
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": "Yes?"},
                {"role": "user", "content": "Go on"},
            ],
        }

    def test_a_schema_goes_out_in_json_schema_s_words(self, ask, server):
        schema = {"type": "OBJECT", "properties": {"type": {"type": "STRING", "nullable": True}}, "required": ["type"]}
        wanted = {"type": "json_schema", "json_schema": {"name": "T", "schema": schema}}
        assert ask(response_format=wanted).status == 200
        assert server.last["response_format"]["json_schema"]["schema"] == {
            "type": "object",
            "properties": {"type": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            "required": ["type"],
        }

    def test_a_json_answer_without_schema_is_asked_for_as_such(self, ask, server):
        assert ask(response_format={"type": "application/json"}).status == 200
        assert server.last["response_format"] == {"type": "json_object"}

    def test_an_open_model_s_guided_json_is_a_schema_too(self, ask, server):
        assert ask(model=OPEN_MODEL, guided_json={"type": "object"}, top_k=3).status == 200
        assert server.last["response_format"]["json_schema"]["schema"] == {"type": "object"}
        assert server.last["top_k"] == 3

    def test_a_deployed_endpoint_passes_everything_and_keeps_its_server_s_form(self, ask, server):
        reply = ask(endpoint="1234567890", model="", min_p=0.1, stream_options={"include_usage": True})
        assert (server.last["min_p"], server.last["model"]) == (0.1, "tiny")
        assert (reply.body["usage"], reply.body["model"]) == (USAGE, "1234567890")
        assert "extra_content" not in reply.message

    def test_gemini_s_calls_are_signed_and_the_signature_is_taken_back_once(self, ask, server):
        server.say = lambda handler, _: handler.reply(completion(None, tool_calls=[CALL]))
        called = ask("Look", tools=[TOOL]).message
        signature = called["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
        result = {"role": "tool", "tool_call_id": "c1", "content": "Snow."}
        turn = [{"role": "user", "content": "Look"}, called, result]
        assert ask(messages=turn, tools=[TOOL]).status == 200
        assert signature not in json.dumps(server.last)
        bare = {**called, "tool_calls": [CALL]}
        asked = len(server.asked)
        refused = ask(messages=[turn[0], bare, result], tools=[TOOL])
        assert refused.error["code"] == 400
        assert "missing a `thought_signature`" in refused.error["message"]
        assert len(server.asked) == asked

    def test_gemini_s_thoughts_count_beside_the_answer(self, ask, server):
        body = completion("Hi.", reasoning_content="Hm.")
        body["usage"] = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 4}}
        server.say = lambda handler, _: handler.reply(body)
        reply = ask("Hello")
        assert "reasoning_content" not in reply.message
        assert reply.body["usage"]["completion_tokens"] == 1
        assert reply.body["usage"]["completion_tokens_details"] == {"reasoning_tokens": 4}
        assert ask("Hello", model=OPEN_MODEL).message["reasoning_content"] == "Hm."


class TestBefore:
    """What Vertex AI refuses never reaches the upstream, and what is scripted needs none."""

    @pytest.mark.parametrize(
        ("status", "request_"),
        [
            (401, {"headers": {"Authorization": "Bearer stolen"}}),
            (404, {"model": "google/gemini-lost"}),
            (400, {"temperature": "hot", "max_tokens": "many"}),
            (400, {"messages": []}),
            (501, {"web_search_options": {}}),
            (501, {"extra_body": {"google": {"tools": [{"google_search": {}}]}}}),
            (501, {"modalities": ["text", "image"]}),
            (501, {"functions": [{"name": "look"}]}),
            (501, {"response_format": {"type": "text/x.enum", "schema": {"type": "string", "enum": ["a"]}}}),
        ],
        ids=str,
    )
    def test_it_is_refused_in_google_s_form(self, ask, emulator, server, status, request_):
        reply = ask("Hello", **request_)
        assert (reply.status, reply.error["code"]) == (status, status)
        assert server.asked == []
        assert emulator.journal.last.status == status

    def test_a_scripted_answer_goes_first(self, ask, emulator, server):
        emulator.answer(text("Scripted."))
        assert ask("Hello").message["content"] == "Scripted."
        assert server.asked == []

    def test_what_a_filter_blocks_is_blocked(self, ask, server):
        reply = ask("EMULATE_BLOCK_SAFETY")
        assert reply.body["choices"][0]["finish_reason"] == "content_filter: SAFETY"
        assert server.asked == []

    def test_the_journal_shows_the_request_as_it_came(self, ask, emulator, server):
        ask("Hello", extra_body={"google": {}})
        entry = emulator.journal.last
        assert (entry.status, entry.body["model"], entry.body["extra_body"]) == (200, MODEL, {"google": {}})


class TestStream:
    def test_each_piece_goes_on_when_it_comes(self, emulator, server):
        """The upstream waits for the client to have the first piece before it says the next."""
        heard = threading.Event()
        waited = []

        def say(handler, _):
            handler.begin_stream()
            handler.event(chunk({"content": "first "}))
            waited.append(heard.wait(5))
            for event in HELLO[3:]:
                handler.event(event)
            handler.end_stream()

        server.say = say
        pieces = client_of(emulator).stream("Hello")
        assert next(pieces).text == "first "
        heard.set()
        assert "".join(piece.text for piece in pieces) == ""
        assert waited == [True]

    def test_google_s_form_has_role_and_no_chunk_without_choices_and_usage_at_the_end(self, ask, server):
        server.stream(HELLO)
        reply = ask("Hello", stream=True)
        assert [event["choices"][0]["delta"].get("content") for event in reply.events] == ["Hel", "lo", ""]
        assert {delta["role"] for delta in reply.deltas} == {"assistant"}
        assert [event.get("usage", {}).get("total_tokens") for event in reply.events] == [None, None, 12]
        assert reply.events[-1]["choices"][0]["finish_reason"] == "stop"
        assert "thought_signature" in reply.deltas[-1]["extra_content"]["google"]
        assert {event["system_fingerprint"] for event in reply.events} == {f"{wire.EMULATOR_FINGERPRINT}: tiny"}
        assert reply.raw.endswith(b"data: [DONE]\n\n")
        assert server.last["stream_options"] == {"include_usage": True}

    def test_a_deployed_endpoint_s_chunks_stay_as_they_are(self, ask, server):
        server.stream(HELLO)
        reply = ask("Hello", stream=True, endpoint="1234567890", model="")
        assert [event["choices"] for event in reply.events] == [event["choices"] for event in HELLO[:-1]]
        assert reply.events[-1]["usage"] == USAGE
        assert "stream_options" not in server.last

    def test_a_streamed_call_is_signed_and_its_signature_taken_back(self, emulator, ask, server):
        opening = {"index": 0, **CALL, "function": {"name": "look", "arguments": ""}}
        rest = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"city": ', '"Oslo"}')]
        deltas = [{"tool_calls": [call]} for call in (opening, *rest)]
        server.stream([*map(chunk, deltas), chunk({}, "tool_calls"), chunk(usage=USAGE), "[DONE]"])
        model = client_of(emulator).bind_tools([TOOL])
        called = None
        for piece in model.stream("Look"):
            called = piece if called is None else called + piece
        assert [(call["name"], call["args"]) for call in called.tool_calls] == [("look", {"city": "Oslo"})]
        server.say = lambda handler, _: handler.reply(completion("Snow."))
        answer = model.invoke([("user", "Look"), called, {"role": "tool", "tool_call_id": "c1", "content": "Snow."}])
        assert answer.text == "Snow."
        sent = emulator.journal.last.messages[1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
        assert sent != wire.SKIP_SIGNATURE

    def test_an_upstream_that_does_not_stream_is_told_as_a_stream(self, ask):
        reply = ask("Hello", stream=True)
        assert "".join(delta.get("content") or "" for delta in reply.deltas) == "Hi."
        assert reply.events[-1]["usage"]["total_tokens"] == 12

    def test_an_error_in_a_stream_comes_in_google_s_form_without_the_key(self, ask, server):
        error = {"error": {"code": 503, "message": f"Overloaded, {KEY}", "type": "server_error"}}
        server.stream([*HELLO[:2], error])
        reply = ask("Hello", stream=True)
        told = json.loads(reply.raw.partition(b"\n\n")[2])
        assert told == [{"error": {"code": 503, "message": "Overloaded, …", "status": "UNAVAILABLE"}}]
        deployed = ask("Hello", stream=True, endpoint="1234567890", model="")
        assert deployed.events[-1]["error"]["message"] == "Overloaded, …"

    def test_a_client_that_goes_frees_the_upstream(self, emulator, server):
        noticed = threading.Event()

        def say(handler, _):
            handler.begin_stream()
            try:
                while True:
                    handler.event(chunk({"content": "on and on "}))
                    time.sleep(0.005)
            except OSError:
                noticed.set()

        server.say = say
        stream = client_of(emulator).stream("Hello")
        next(stream)
        stream.close()
        assert noticed.wait(5)


class TestCutStream:
    """A stream that breaks off there breaks off here, never as a whole answer."""

    def test_a_closed_connection_is_a_closed_connection(self, emulator, server):
        def say(handler, _):
            handler.begin_stream()
            for event in HELLO[:2]:
                handler.event(event)
            handler.break_off()

        server.say = say
        partial = _partial(emulator)
        assert b'"Hel"' in partial
        assert b"[DONE]" not in partial

    @pytest.mark.parametrize("last", [b"", b'data: {"choices": [{"delta"', b"data: [1]\n\n"])
    def test_our_client_raises_with_the_text_so_far(self, emulator, server, last):
        def say(handler, _):
            handler.begin_stream()
            for event in HELLO[:3]:
                handler.event(event)
            if last:
                handler.piece(last)
            handler.end_stream()

        server.say = say
        with pytest.raises(Exception, match=r"broke off|ended") as caught:
            list(client_of(emulator).stream("Hello"))
        assert caught.value.partial_text == "Hello"

    def test_silence_in_mid_stream_is_a_cut(self, impatient, server):
        silence = threading.Event()

        def say(handler, _):
            handler.begin_stream()
            handler.event(chunk({"content": "Hel"}))
            silence.wait(5)

        server.say = say
        with pytest.raises(Exception, match="broke off") as caught:
            list(client_of(impatient).stream("Hello"))
        silence.set()
        assert caught.value.partial_text == "Hel"

    def test_a_finish_reason_that_came_is_told_though_the_usage_is_lost(self, emulator, server):
        def say(handler, _):
            handler.begin_stream()
            for event in HELLO[:4]:
                handler.event(event)
            handler.break_off()

        server.say = say
        assert b'"finish_reason":"stop"' in _partial(emulator)

    def test_scripted_faults_befall_real_streams_too(self, emulator, ask, server):
        server.stream(HELLO)
        emulator.answer(cut(1, how="clean"), error_in_stream(1, "sse_list"), no_finish())
        assert [delta["content"] for delta in ask("Hello", stream=True).deltas] == ["Hel"]
        failed = ask("Hello", stream=True).events
        assert failed[1][0]["error"]["code"] == 499
        unfinished = ask("Hello", stream=True)
        assert [choice.get("finish_reason") for event in unfinished.events for choice in event["choices"]] == [None] * 3
        assert b"[DONE]" not in unfinished.raw


def _partial(emulator: Emulator) -> bytes:
    """What came of a stream whose HTTP body is not whole."""
    connection = http.client.HTTPConnection(emulator.host, timeout=5)
    path = emulator.base_url().removeprefix(emulator.url) + wire.CHAT_PATH
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    connection.request("POST", path, json.dumps(body), HEADERS)
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    connection.close()
    return caught.value.partial


class TestUpstreamErrors:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        "error",
        [
            (400, 400, f"the request exceeds the available context size, {KEY}"),
            (413, 400, "too large"),
            (422, 400, "unprocessable"),
            (429, 429, "slow down"),
            (503, 503, "Loading model"),
            (504, 504, "late"),
            (401, 502, f"Incorrect API key provided: {KEY[:8]}…"),
            (404, 502, "no such path"),
            (500, 502, "broken"),
            (302, 502, "elsewhere"),
        ],
    )
    def test_its_errors_become_google_s(self, ask, server, error, stream):
        status, answer, message = error
        server.say = lambda handler, _: handler.reply({"error": {"message": message}}, status, retry_after="7")
        reply = ask("Hello", stream=stream)
        assert (reply.status, reply.error["code"]) == (answer, answer)
        assert KEY not in reply.raw.decode()
        assert KEY[:8] not in reply.raw.decode()
        if answer in (400, 429, 503):
            assert message.partition(",")[0] in reply.error["message"]
        else:
            assert message not in reply.error["message"]
        assert (reply.headers.get("retry-after") == "7") == (answer in (429, 503))

    def test_a_deployed_endpoint_s_400_keeps_its_server_s_form(self, ask, server):
        server.say = lambda handler, _: handler.reply({"error": {"message": "wrong"}}, 400)
        assert ask("Hello", endpoint="1234567890", model="").body["error"]["message"] == "wrong"

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"choices": 1}'])
    def test_what_is_no_completion_is_a_bad_gateway(self, ask, server, body, stream):
        server.say = lambda handler, _: handler.reply(body)
        assert ask("Hello", stream=stream).error["status"] == "UNAVAILABLE"

    @pytest.mark.parametrize("stream", [False, True])
    def test_silence_is_a_deadline(self, impatient, server, stream):
        release = threading.Event()
        server.say = lambda *_: release.wait(5)
        reply = asker(impatient)("Hello", stream=stream)
        release.set()
        assert (reply.status, reply.error["status"]) == (504, "DEADLINE_EXCEEDED")

    @pytest.mark.parametrize("begins", [False, True])
    def test_a_stream_that_never_says_anything_is_a_bad_gateway(self, ask, server, begins):
        def say(handler, _):
            if begins:
                handler.begin_stream()
                handler.end_stream()
            else:
                handler.break_off()

        server.say = say
        assert ask("Hello", stream=True).error["code"] == 502

    @pytest.mark.parametrize("stream", [False, True])
    def test_nobody_there_is_unavailable(self, stream):
        with serving() as server:
            url = server.url
        with Emulator(upstream=Upstream(url)) as emulator:
            reply = asker(emulator)("Hello", stream=stream)
        assert (reply.status, reply.error["status"]) == (503, "UNAVAILABLE")
        assert url.removesuffix("/v1") in reply.error["message"]


class TestSecrets:
    def test_the_key_stands_in_no_repr_journal_or_answer(self, ask, emulator, server):
        upstream = Upstream(server.url, key=KEY)
        reply = ask("Hello")
        assert KEY not in repr(upstream) + repr(emulator.journal.entries) + repr(vars(emulator)) + str(reply)

    @pytest.mark.parametrize(
        ("url", "settings"),
        [
            ("ftp://host/v1", {}),
            ("localhost:8000", {}),
            ("http://user:swordfish@127.0.0.1/v1", {}),
            ("https://host/v1?key=swordfish", {}),
            ("https://host/v1", {"key": "swordfish\n"}),
            ("http://example.com/v1", {"key": "swordfish"}),
            ("https://host/v1", {"timeout_seconds": 0}),
        ],
    )
    def test_an_upstream_that_cannot_be_is_refused_without_its_secret(self, url, settings):
        with pytest.raises(ValueError, match=r"upstream|https|timeout") as caught:
            Upstream(url, **settings)
        assert "swordfish" not in str(caught.value)

    def test_this_machine_is_reached_without_the_environment_s_proxy(self, monkeypatch):
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, "http://proxy.example.com:3128")
        assert resolve_proxy(Upstream("http://localhost:8000/v1")) is None
        assert resolve_proxy(Upstream("https://api.example.com/v1")) == "http://proxy.example.com:3128"


def test_the_stock_sdk_talks_to_it(emulator, server):
    server.stream(HELLO)
    with openai_client(base_url=emulator.base_url(), api_key=emulator.identity.issue()) as client:
        asked = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        assert "".join(event.choices[0].delta.content or "" for event in asked) == "Hello"


def test_a_schema_s_property_named_type_is_no_type():
    schema = {"anyOf": [{"type": "ARRAY", "items": {"type": "INTEGER"}}], "enum": ["A"]}
    assert to_json_schema(schema) == {"anyOf": [{"type": "array", "items": {"type": "integer"}}], "enum": ["A"]}


def test_the_server_of_these_tests_says_what_it_is_told(server: Server):
    server.say = lambda handler, _: handler.reply({"error": "x"}, 400)
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("POST", "/v1/chat/completions", b"{}")
    assert connection.getresponse().status == 400
    connection.close()
