"""Odd bodies of programs and odd answers of the endpoint: an answer, or an error in OpenAI's form; never a bare 500."""

import http.client
import json
import socket

import pytest

from tests.proxy.samples import HELLO, MODEL, NAME, TOOL
from tests.support.endpoint_bodies import assistant_calls, call_piece, chunk, completion, words
from vertex_compat_integrations.emulator import chunks, http_error, raw
from vertex_compat_integrations.proxy import Proxy

PLAIN = json.dumps({"model": NAME, "messages": HELLO}).encode()
HALF = "\ud83d"
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def body(**fields):
    return json.dumps({"model": NAME, "messages": HELLO, **fields}).encode()


def user(content):
    return [{"role": "user", "content": content}]


def deep(levels):
    return b'{"model": "' + NAME.encode() + b'", "messages": ' + b"[" * levels + b"]" * levels + b"}"


BODIES = {
    "half an emoji in the prompt": body(messages=user(f"caf{HALF}")),
    "half an emoji in a part": body(messages=user([{"type": "text", "text": HALF}])),
    "half an emoji as model": body(model=HALF),
    "half an emoji as a key": body(**{HALF: 1}),
    "half an emoji as role": body(messages=[{"role": HALF, "content": "a"}]),
    "half an emoji in a tool's name": body(tools=[{"type": "function", "function": {"name": HALF}}]),
    "half an emoji in a tool's schema": body(
        tools=[
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object", "properties": {HALF: {"type": "string"}}}},
            }
        ]
    ),
    "half an emoji in an answer's schema": body(
        response_format={
            "type": "json_schema",
            "json_schema": {"name": HALF, "schema": {"type": "object", "description": HALF}},
        }
    ),
    "half an emoji in a call's arguments": body(
        messages=[
            *HELLO,
            {
                "role": "assistant",
                "tool_calls": [{**CALL, "function": {"name": "f", "arguments": '{"a": "' + HALF + '"}'}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": HALF},
        ]
    ),
    "half an emoji in a result with special keys": body(
        messages=[
            *HELLO,
            assistant_calls(("c", "f")),
            {"role": "tool", "tool_call_id": "c", "content": '{"output": 1, "x": "' + HALF + '"}'},
        ]
    ),
    "half an emoji as id": body(
        messages=[*HELLO, assistant_calls((HALF, "f")), {"role": "tool", "tool_call_id": HALF, "content": "x"}]
    ),
    "half an emoji in Anthropic's block": body(
        messages=[
            *HELLO,
            {"role": "assistant", "content": [{"type": "tool_use", "id": HALF, "name": "f", "input": {"a": HALF}}]},
        ]
    ),
    "line breaks in the model's name": body(model="a\nb\x1b[31m"),
    "the model is a number": body(model=5),
    "the model is a list": body(model=[1]),
    "no model": body(model=None),
    "no messages": body(messages=None),
    "messages are an object": body(messages={"role": "user"}),
    "messages of nulls": body(messages=[None, None]),
    "a role that is a list": body(messages=[{"role": ["user"], "content": "a"}]),
    "content that is a number": body(messages=user(7)),
    "content of numbers": body(messages=user([1, 2.5, None])),
    "calls that are an object": body(messages=[*HELLO, {"role": "assistant", "tool_calls": {"0": CALL}}]),
    "calls of strings": body(messages=[*HELLO, {"role": "assistant", "tool_calls": ["x", None]}]),
    "a call without function": body(messages=[*HELLO, {"role": "assistant", "tool_calls": [{"id": "c"}]}]),
    "a result with a list as id": body(messages=[*HELLO, {"role": "tool", "tool_call_id": ["c"], "content": "x"}]),
    "tools that are an object": body(tools={"a": 1}, tool_choice=[1]),
    "tools of numbers": body(tools=[1, None]),
    "a tool's function is a string": body(tools=[{"type": "function", "function": "f"}]),
    "a tool's schema contains itself": body(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"$ref": "#"}}}]
    ),
    "a choice of numbers": body(tools=[TOOL], tool_choice=7),
    "an answer's schema is a list": body(
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": [1]}}
    ),
    "a format that is a string": body(response_format="json"),
    "stream is a word": body(stream="yes"),
    "stream options are a number": body(stream=True, stream_options=5),
    "NaN": PLAIN[:-1] + b', "temperature": NaN}',
    "infinity": PLAIN[:-1] + b', "temperature": 1e999}',
    "5,000 digits": PLAIN[:-1] + b', "seed": ' + b"9" * 5000 + b"}",
    "300 levels": deep(300),
    "5,000 levels": deep(5_000),
    "200,000 levels": deep(200_000),
    "a key twice": PLAIN[:-1] + b', "model": "x", "model": "' + NAME.encode() + b'"}',
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "not UTF-8": PLAIN.replace(b"swordfish", b"\xff\xfe"),
    "a zero byte": PLAIN.replace(b"swordfish", b"\\u0000"),
    "nothing": b"",
    "a file": b"%PDF-1.4\n",
}
HEADERS = {
    "a gzip that is none": {"Content-Encoding": "gzip"},
    "a deflate that is none": {"Content-Encoding": "deflate"},
    "an unknown packing": {"Content-Encoding": "x-mine"},
    "another type": {"Content-Type": "text/plain; charset=klingon"},
    "a request type beyond ASCII": {"X-Vertex-AI-LLM-Request-Type": "d\u00e9dicated"},
    "an expectation": {"Expect": "101-miracle"},
}


def check(answer: http.client.HTTPResponse) -> None:
    told = answer.read()
    kind = answer.headers["Content-Type"]
    if kind.startswith("text/event-stream"):
        assert told.endswith(b"data: [DONE]\n\n") or b'data: {"error"' in told
        return
    assert kind.startswith("application/json"), (answer.status, told)
    value = json.loads(told)
    json.dumps(value, ensure_ascii=False).encode(errors="strict" if "error" in value else "surrogatepass")
    assert "choices" in value if answer.status == 200 else {"message", "type", "param", "code"} <= value["error"].keys()
    assert b"The proxy failed" not in told


@pytest.mark.filterwarnings("ignore::vertex_compat_integrations.core.errors.VertexCompatWarning")
@pytest.mark.parametrize("case", BODIES)
def test_a_body(ask, case):
    check(ask(BODIES[case]))
    check(ask(PLAIN))


@pytest.mark.parametrize("case", HEADERS)
def test_a_body_that_is_not_what_its_headers_say(ask, case):
    check(ask(PLAIN, **HEADERS[case]))


def test_a_body_that_is_cut_off_does_not_hurt_the_next(proxy: Proxy, ask):
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\nAuthorization: Bearer {proxy.key}"
        )
        connection.sendall(f"{head}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.")
    check(ask(PLAIN))


def answer_of(*calls, **message):
    return raw(json.dumps(completion({"tool_calls": list(calls), **message}, "tool_calls")).encode())


def whole(**fields):
    return raw(json.dumps({**completion({"content": "a"}), **fields}).encode())


SIGNED = {"google": {"thought_signature": "s", "x": HALF}}
ANSWERS = {
    "choices with null": whole(choices=[None, {"index": 0, "message": {"role": "assistant", "content": "a"}}]),
    "choices of nulls": whole(choices=[None]),
    "choices are an object": whole(choices={"0": 1}),
    "no choices": raw(b'{"id": "x"}'),
    "a message that is null": whole(choices=[{"index": 0, "message": None}]),
    "calls that are one object": answer_of(tool_calls=CALL),
    "calls of strings": answer_of(tool_calls=["x", None]),
    "a call without name": answer_of(call_piece(None, "{}", id="1")),
    "arguments that are an object": answer_of(call_piece("f", {"a": HALF}, id="1")),
    "a signature beside half an emoji": answer_of(call_piece("f", "{}", id="1", extra_content=SIGNED)),
    "arguments with half an emoji": answer_of(call_piece("f", json.dumps({"a": HALF}), id="1", extra_content=SIGNED)),
    "counts that are words": whole(usage={"prompt_tokens": "many", "completion_tokens": None}),
    "counts that are a list": whole(usage=[1]),
    "counts of 400 digits": raw(
        json.dumps(completion({"content": "a"}, usage={"prompt_tokens": 1}))
        .encode()
        .replace(b'"prompt_tokens": 1', b'"prompt_tokens": ' + b"9" * 400)
    ),
    "an id that is an object": whole(id={"a": 1}, model=7, created="x"),
    "a finish reason that is a number": whole(choices=[{"index": 0, "message": {"content": "a"}, "finish_reason": 7}]),
    "a list": raw(b"[]"),
    "a number": raw(b"7"),
    "nothing": raw(b""),
    "no JSON": raw(b"{"),
    "a page": raw(b"<html>"),
    "half an emoji in an error": raw(b'[{"error":{"code":400,"message":"bad \\ud83d","status":"\\ud83d"}}]'),
    "an error's code of 5,000 digits": raw(b'[{"error":{"code":' + b"4" * 5000 + b',"message":"x"}}]'),
    "an error that is a string": raw(b'{"error": "no"}'),
    "an error without words": raw(b'{"error": {}}'),
    "Retry-After: inf": http_error(429, headers={"Retry-After": "inf"}),
    "Retry-After: nan": http_error(429, headers={"Retry-After": "nan"}),
    "Retry-After: 1e400": http_error(429, headers={"Retry-After": "1e400"}),
    "Retry-After: a year 9999": http_error(503, headers={"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}),
}
STREAMS = {
    "choices with null": [{"choices": [None, {"index": 0, "delta": {"content": "a"}}]}, *words("b")],
    "choices of nulls": [{"choices": [None]}, *words("b")],
    "choices are an object": [{"choices": {"0": 1}}, *words("b")],
    "delta is a list, calls are strings": [
        chunk() | {"choices": [{"index": 0, "delta": [1]}]},
        chunk({"tool_calls": ["x", None, call_piece("f", "{}", index=3)]}, "stop"),
    ],
    "calls are one object": [chunk({"tool_calls": call_piece("f", "{}", index=3)}, "tool_calls")],
    "a wrong index and half an emoji": [
        chunk({"content": HALF, "tool_calls": [call_piece("f", "{}", index=7)]}, "tool_calls")
    ],
    "a signature beside half an emoji": [
        chunk({"tool_calls": [call_piece("f", "{}", extra_content=SIGNED)]}, "tool_calls")
    ],
    "an error with half an emoji": [*words("a", finish=None), {"error": {"code": 503, "message": HALF}}],
    "an error first": [{"error": {"code": 503, "message": HALF}}],
    "an index that is a word": [
        chunk({"content": "a"}) | {"choices": [{"index": "x", "delta": {"content": "a"}, "finish_reason": "stop"}]},
        *words("b"),
    ],
    "counts that are words": [*words("a"), {"choices": [], "usage": "many"}],
    "a number": [7],
    "no chunk": [{"ping": 1}, *words("a")],
    "nothing": [],
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_an_answer(emulator, ask, case, stream):
    emulator.answer(ANSWERS[case])
    answer = ask(body(stream=stream))
    wait = answer.headers.get("Retry-After", "0")
    assert wait.isdecimal()
    assert int(wait) < 2**40
    check(answer)


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream(emulator, ask, case):
    emulator.answer(chunks(STREAMS[case]))
    check(ask(body(stream=True, stream_options={"include_usage": True})))


def test_a_report_that_fails_costs_no_answer(connection, client_of):
    def report(_: object) -> None:
        raise OSError("The terminal is gone.")

    with Proxy(connection, {NAME: MODEL}, report=report) as proxy:
        assert client_of(proxy).chat.completions.create(model=NAME, messages=HELLO).choices
