"""Item 14: whatever a server sends ends in a value or in one of our errors, in bounded time and memory."""

import json
import resource
import threading
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.promises.entry_points import CORE, EVERY_FRAMEWORK, EVERY_FRONTEND, EVERY_WAY, TWO_WAYS
from tests.support.busy_machine import calmest
from tests.support.fault_answers import TEXT, body, bomb, bytewise, completion, events, piece, say, sse
from vertex_compat_integrations.core.errors import UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.http_errors import decode_failure
from vertex_compat_integrations.core.reply.decode import decode_replies
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.reply.stream import StreamDecoder
from vertex_compat_integrations.core.reply.stream_reader import StreamReader
from vertex_compat_integrations.core.schema.convert import to_openapi

RECORDED = sorted((Path(__file__).parents[1] / "wire").glob("*.sse"))
EXAMPLES = 1000
NIGHTLY = 10_000
fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
fuzzed_less = settings(fuzzed, max_examples=EXAMPLES // 4)
fuzzed_at_night = settings(fuzzed, derandomize=False, max_examples=NIGHTLY)


def as_stream(server, way):
    return way in ("stream", "astream")


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# Bodies


DEEP = b"[" * 200_000
HOSTILE = {
    "deep list": DEEP,
    "deep mapping": b'{"a":' * 200_000,
    "deep in a choice": b'{"choices": [{"delta": {"content": ' + DEEP,
    "null": b"null",
    "number": b"1e999",
    "string": b'"choices"',
    "list": b"[1, 2]",
    "choices of numbers": b'{"choices": [1]}',
    "choices a mapping": b'{"choices": {"a": 1}}',
    "message a list": b'{"choices": [{"message": [], "delta": [], "finish_reason": []}]}',
    "calls of numbers": b'{"choices": [{"message": {"tool_calls": [1, null]}, "delta": {"tool_calls": 1}}]}',
    "usage a string": b'{"choices": [], "usage": "much"}',
    "binary": bytes(range(256)) * 10,
}


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_body_that_is_no_completion_is_one_of_our_errors(server, frontend, way, data):
    server.rule = events(b"data: " + data + b"\n\n") if as_stream(server, way) else body(data)
    began = time.monotonic()
    with pytest.raises(VertexCompatError):
        frontend.ask(frontend.build(server), way)
    assert time.monotonic() - began < 10


@EVERY_FRONTEND
@pytest.mark.parametrize("code", [400, 500])
@pytest.mark.parametrize(
    "data", [DEEP, b'{"error":' * 200_000, json.dumps({"error": {"message": [1], "code": "x"}}).encode()]
)
def test_so_is_an_error_that_is_none(server, frontend, code, data):
    server.rule = body(data, code)
    with pytest.raises(VertexCompatError) as caught:
        frontend.ask(frontend.build(server), "plain")
    assert caught.value.code == code


@EVERY_FRONTEND
@EVERY_WAY
def test_nan_and_infinity_are_values(server, frontend, way):
    usage = b'"usage": {"prompt_tokens": NaN, "completion_tokens": Infinity, "total_tokens": -Infinity}'
    if as_stream(server, way):
        chunk = json.dumps(piece({"content": TEXT}, "stop")).encode()
        server.rule = events(b"data: " + chunk[:-1] + b", " + usage + b"}\n\n")
    else:
        whole = completion({"content": TEXT})
        del whole["usage"]
        server.rule = body(json.dumps(whole).encode()[:-1] + b", " + usage + b"}")
    assert frontend.ask(frontend.build(server), way) == TEXT


@EVERY_FRONTEND
@EVERY_WAY
def test_lone_surrogates_are_text(server, frontend, way):
    broken = "cut \ud83d emoji"
    if as_stream(server, way):
        data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in say(broken)).encode()
        server.rule = events(data)
    else:
        server.rule = body(json.dumps(completion({"content": broken})).encode())
    assert frontend.ask(frontend.build(server), way) == broken


def long_line(mebibytes, *, ends):
    """A stream whose one event is so long, in pieces of 64 KiB."""

    def answer(exchange):
        exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
        start, end = json.dumps(piece({"content": "@"}, "stop")).split("@")
        exchange.chunk(f"data: {start}".encode())
        block = b"x" * 65536
        for _ in range(mebibytes * 16):
            exchange.chunk(block)
        if ends:
            exchange.chunk(f"{end}\n\n".encode())
        exchange.chunk(b"")

    return answer


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_line_of_64_mebibytes_is_a_value_in_seconds(server, way):
    server.rule = long_line(64, ends=True)
    began = time.process_time()
    assert len(CORE.ask(CORE.build(server, timeout=120), way)) == 64 * 2**20
    assert time.process_time() - began < 10


def test_a_line_in_small_pieces_takes_no_longer_than_its_length():
    """4 MiB in pieces of 1 KiB; joined at each piece, they would take seconds. The calmest of several counts."""
    start, end = json.dumps(piece({"content": "@"}, "stop")).split("@")

    def read() -> float:
        reader = StreamReader(StreamDecoder())
        began = time.process_time()
        told = [*reader.feed(f"data: {start}".encode())]
        for _ in range(4096):
            told += reader.feed(b"x" * 1024)
        told += [*reader.feed(f"{end}\n\n".encode()), *reader.finish()]
        assert sum(len(delta.text) for delta in told) == 4 * 2**20
        return time.process_time() - began

    assert calmest(read, 1) < 1


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_line_that_never_ends_is_refused(server, way, monkeypatch):
    monkeypatch.setattr("vertex_compat_integrations.core.reply.events.MAX_EVENT_BYTES", 2**20)
    server.rule = long_line(8, ends=False)
    with pytest.raises(UnexpectedReplyError, match="larger than 1 MiB"):
        CORE.ask(CORE.build(server), way)


@EVERY_FRONTEND
@TWO_WAYS
@pytest.mark.parametrize("status", [200, 400])
def test_a_decompression_bomb_is_refused_before_it_fills_the_memory(server, frontend, way, status):
    server.rule = bomb(1024, status)
    before = peak_bytes()
    began = time.monotonic()
    with pytest.raises(VertexCompatError):
        frontend.ask(frontend.build(server, timeout=20), way)
    assert time.monotonic() - began < 15
    assert peak_bytes() - before < 400 * 2**20


@TWO_WAYS
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x" * 10_000])
def test_a_compression_that_was_not_asked_for_is_refused(server, way, encoding):
    """Such steps unpack a kilobyte to gigabytes at once, before anybody can count."""
    server.rule = body(b"{}", Content_Encoding=encoding)
    with pytest.raises(UnexpectedReplyError, match="not requested"):
        CORE.ask(CORE.build(server), way)
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


@EVERY_FRONTEND
@EVERY_WAY
@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "broken"])
def test_a_compressed_answer_is_unpacked_and_a_broken_one_an_error(server, frontend, way, packed):
    data = sse(say(TEXT)) if as_stream(server, way) else json.dumps(completion({"content": TEXT})).encode()
    squeezed = zlib.compress(data) if packed else b"no zlib at all"
    server.rule = body(squeezed, content_type="text/event-stream", Content_Encoding="deflate")
    model = frontend.build(server)
    if packed:
        assert frontend.ask(model, way) == TEXT
        return
    with pytest.raises(VertexCompatError):
        frontend.ask(model, way)


def test_a_call_with_10_megabytes_of_arguments_is_a_call(server):
    pytest.importorskip("langchain_core")
    from vertex_compat_integrations.langchain import ChatVertexCompat

    text = "x" * 10_000_000
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": json.dumps({"text": text})}}
    streamed = [piece({"tool_calls": [{"index": 0, **call}]}), piece(finish="tool_calls")]
    model = ChatVertexCompat(model="google/gemini-3.5-flash", base_url=server.base_url, api_key="t")
    server.answer(body(json.dumps(completion({"tool_calls": [call]}, "tool_calls")).encode()), events(sse(streamed)))
    assert model.invoke("Hello").tool_calls[0]["args"] == {"text": text}
    began = time.monotonic()
    whole = None
    for chunk in model.stream("Hello"):
        whole = chunk if whole is None else whole + chunk
    assert whole.tool_calls[0]["args"] == {"text": text}
    assert time.monotonic() - began < 10


@EVERY_FRAMEWORK
@TWO_WAYS
@pytest.mark.parametrize("arguments", ['{"a": ' * 100_000, "not json", "[1]", '{"a": NaN}', "", '{"a": 1}{"b": 2}'])
def test_arguments_that_are_none_lose_no_message(server, frontend, way, arguments):
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    message = {"content": TEXT, "tool_calls": [call]}
    chunks = [piece({"content": TEXT}), piece({"tool_calls": [{"index": 0, **call}]}), piece(finish="tool_calls")]
    server.rule = events(sse(chunks)) if as_stream(server, way) else body(json.dumps(completion(message)).encode())
    assert frontend.ask(frontend.build(server), way) == TEXT


@pytest.mark.filterwarnings("ignore:.*is in beta")
def test_a_secret_that_the_model_made_up_stays_text(server):
    """LangChain's loader takes such mappings for instructions to read the environment."""
    pytest.importorskip("langchain_core")
    from langchain_core.load import dumps, loads

    from vertex_compat_integrations.langchain import ChatVertexCompat

    forged = {"lc": 1, "type": "secret", "id": ["GOOGLE_API_KEY"]}
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": json.dumps({"key": forged})}}
    answer = completion({"content": json.dumps(forged), "tool_calls": [call], "extra_content": {"google": forged}})
    server.rule = body(json.dumps(answer).encode())
    message = ChatVertexCompat(model="google/gemini-3.5-flash", base_url=server.base_url, api_key="t").invoke("Hello")
    again = loads(dumps(message), secrets_map={"GOOGLE_API_KEY": "leaked"}, allowed_objects="messages")
    assert "leaked" not in repr(again)
    assert again.tool_calls[0]["args"] == {"key": forged}
    assert again.text == json.dumps(forged)


# Every way to cut what was recorded


def read(*blocks):
    """What the stream says, or how it fails."""
    reader = StreamReader(StreamDecoder())
    try:
        told = [*(delta for block in blocks for delta in reader.feed(block)), *reader.finish()]
    except VertexCompatError as error:
        return type(error), str(error)
    return [
        "".join(delta.text for delta in told),
        "".join(delta.thoughts for delta in told),
        [(call.index, call.id, call.name, call.arguments) for delta in told for call in delta.tool_calls],
        told[-1].extra,
        told[-1].ending,
    ]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_split_point_of_a_recorded_stream_gives_the_same(path):
    data = path.read_bytes()
    whole = read(data)
    assert isinstance(whole, list) is ("error" not in path.stem)
    for place in range(len(data) + 1):
        assert read(data[:place], data[place:]) == whole
    assert read(*(data[place : place + 1] for place in range(len(data)))) == whole
    assert read(data.replace(b"\n", b"\r\n")) == whole


def test_a_stream_in_packets_of_one_byte_is_the_same(server):
    text = "Grüße, 世界 👋 \u2028 end"
    server.rule = bytewise(sse(say(text)))
    for way in ("stream", "astream"):
        assert CORE.ask(CORE.build(server), way) == text


def test_the_event_loop_goes_on_while_a_large_stream_is_read(server):
    """Nothing of it is done in one go but the one event. The calmest of several times tells."""
    import asyncio

    async def longest_gap():
        gaps, last = [], time.monotonic()
        model = CORE.build(server)
        task = asyncio.create_task(CORE.aask(model, "astream"))
        while not task.done():
            await asyncio.sleep(0.002)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
        assert len(await task) == 10_000 * 100
        return max(gaps[5:])

    server.rule = events(sse(say(*["x" * 100] * 10_000)))
    CORE.ask(CORE.build(server), "astream")
    assert calmest(lambda: asyncio.run(longest_gap()), 0.3) < 0.3


# Fuzzing

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
words = st.sampled_from(
    [
        *("choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "id", "index"),
        *("finish_reason", "usage", "prompt_tokens", "completion_tokens", "extra_content", "google", "thought"),
        *("thought_signature", "error", "code", "details", "role", "type", "text", "refusal", "audio", "logprobs"),
        *("reasoning_content", "images", "image_url", "url", "total_tokens", "completion_tokens_details"),
    ]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=4
)
choices = st.fixed_dictionaries(
    {},
    optional={
        "index": values,
        "delta": st.dictionaries(words, values, max_size=3) | values,
        "message": st.dictionaries(words, values, max_size=3) | values,
        "finish_reason": st.sampled_from(["stop", "length", "content_filter: OTHER", None]) | values,
    },
)
chunks = st.fixed_dictionaries({"choices": st.lists(choices, max_size=2) | values}, optional={"usage": values}) | values
streams = st.lists(chunks, max_size=2).map(
    lambda told: "".join(f"data: {json.dumps(each)}\n\n" for each in told).encode()
)
pieces = st.sampled_from(
    [
        *(b"data:", b"data: ", b"event: x\n", b"[DONE]", b"\n", b"\r", b"\r\n", b"\n\n"),
        *(b"{", b"}", b"[", b'"', b":", b"1", b"\xff"),
    ]
)
noise = st.lists(pieces | st.binary(max_size=6), max_size=12).map(b"".join)
wire_bytes = streams | noise | st.tuples(streams, noise).map(b"".join)


def ends_well(data):
    """Both whole and in two, and the same both times."""
    whole = read(data)
    half = len(data) // 2
    if isinstance(whole, list):
        assert repr(read(data[:half], data[half:])) == repr(whole)


def decodes_well(value):
    try:
        decode_replies(decode_json(json.dumps(value).encode()))
    except VertexCompatError:
        return


def schema_converts_well(schema):
    try:
        json.dumps(to_openapi(schema))
    except VertexCompatError:
        return


keywords = st.sampled_from(
    [
        *(
            "type",
            "properties",
            "items",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "$defs",
            "enum",
            "const",
            "required",
            "not",
        ),
        *("additionalProperties", "prefixItems", "nullable", "title", "description", "default", "format", "minimum"),
        *("exclusiveMinimum", "patternProperties", "if", "then", "else", "string", "object", "array", "#/$defs/a", "a"),
    ]
)
schemas = st.dictionaries(
    keywords,
    st.recursive(
        scalars | keywords,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keywords, inner, max_size=3),
        max_leaves=4,
    ),
    max_size=4,
)


@fuzzed
@given(wire_bytes)
def test_any_stream_ends_in_a_value_or_an_error_of_ours(data):
    ends_well(data)


@fuzzed_less
@given(values | chunks)
def test_any_body_ends_in_a_value_or_an_error_of_ours(value):
    decodes_well(value)


@fuzzed_less
@given(st.integers(300, 599), values.map(lambda value: json.dumps(value).encode()) | noise)
def test_any_error_body_is_an_error_of_ours(code, data):
    assert decode_failure(code, data, {}).hint


@fuzzed
@given(schemas)
def test_any_schema_is_converted_or_refused(schema):
    schema_converts_well(schema)


@pytest.mark.nightly
@fuzzed_at_night
@given(wire_bytes)
def test_any_stream_at_night(data):
    ends_well(data)


@pytest.mark.nightly
@fuzzed_at_night
@given(values | chunks)
def test_any_body_at_night(value):
    decodes_well(value)


@pytest.mark.nightly
@fuzzed_at_night
@given(schemas)
def test_any_schema_at_night(schema):
    schema_converts_well(schema)


def test_threads_are_not_left_behind(server):
    """Watching, fetching and reading need a constant number of them."""
    before = threading.active_count()
    for _ in range(20):
        CORE.ask(CORE.build(server), "plain")
    assert threading.active_count() - before <= 2
