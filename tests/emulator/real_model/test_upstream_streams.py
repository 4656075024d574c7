"""Streams of a real model behind the emulator: piece by piece, and cut where they were cut."""

import http.client
import json
import threading
import time

import pytest

from tests.emulator.real_model.upstream_server import CALL, HELLO, KEY, TOOL, USAGE, chunk, completion
from tests.support.busy_machine import LONG_SECONDS
from tests.support.emulator_client import HEADERS, MODEL
from vertex_compat_integrations import openai_client, wire
from vertex_compat_integrations.emulator import Emulator, cut, error_in_stream, no_finish
from vertex_compat_integrations.langchain import ChatVertexCompat


def client_of(emulator: Emulator, model: str = MODEL, **settings) -> ChatVertexCompat:
    token = emulator.identity.issue()
    return ChatVertexCompat(model=model, base_url=emulator.base_url(), api_key=token, max_retries=0, **settings)


class TestStream:
    def test_each_piece_goes_on_when_it_comes(self, emulator, server):
        """The upstream waits for the client to have the first piece before it says the next."""
        heard = threading.Event()
        waited = []

        def say(handler, _):
            handler.begin_stream()
            handler.event(chunk({"content": "first "}))
            waited.append(heard.wait(LONG_SECONDS))
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
        assert noticed.wait(LONG_SECONDS)


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
            silence.wait(LONG_SECONDS)

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


def test_the_stock_sdk_talks_to_it(emulator, server):
    server.stream(HELLO)
    with openai_client(base_url=emulator.base_url(), api_key=emulator.identity.issue()) as client:
        asked = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        assert "".join(event.choices[0].delta.content or "" for event in asked) == "Hello"
