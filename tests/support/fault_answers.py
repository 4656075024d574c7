"""Answers for the fault server: good ones, and what becomes of them on the way."""

import gzip
import json
from collections.abc import Sequence
from typing import Any, Literal

from tests.support.fault_server import Answer, Exchange

PIECES = ("One ", "two ", "three.")
TEXT = "".join(PIECES)
Cut = Literal["close", "chunked_end", "in_chunk", "in_line", "in_character", "length", "reset"]
CUTS: tuple[Cut, ...] = ("close", "chunked_end", "in_chunk", "in_line", "in_character", "length", "reset")


def piece(delta: dict[str, Any] | None = None, finish: str | None = None, **top: Any) -> dict[str, Any]:
    """One chunk of a stream."""
    choice: dict[str, Any] = {"index": 0, "delta": delta or {}}
    choice |= {"finish_reason": finish} if finish else {}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **top}


def say(*pieces: str, finish: str | None = "stop") -> list[dict[str, Any]]:
    told = [piece({"role": "assistant", "content": each}) for each in pieces]
    return [*told, piece(finish=finish)] if finish else told


def completion(message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def sse(chunks: Sequence[Any], *, done: bool = True) -> bytes:
    events = [json.dumps(chunk, ensure_ascii=False) for chunk in chunks] + (["[DONE]"] if done else [])
    return "".join(f"data: {event}\n\n" for event in events).encode()


def body(data: bytes, status: int = 200, content_type: str = "application/json", **headers: str | int) -> Answer:
    """These bytes, well delivered."""

    def answer(exchange: Exchange) -> None:
        exchange.head(status, Content_Type=content_type, Content_Length=len(data), **headers)
        exchange.send(data)

    return answer


def events(data: bytes) -> Answer:
    """A stream of these bytes, well delivered."""
    return body(data, content_type="text/event-stream")


def reply(*pieces: str, message: dict[str, Any] | None = None) -> Answer:
    """A whole answer, streamed if it is asked for so."""
    pieces = pieces or PIECES
    plain = body(json.dumps(completion(message or {"content": "".join(pieces)})).encode())
    streamed = events(sse(say(*pieces)))

    def answer(exchange: Exchange) -> None:
        (streamed if exchange.request.streams else plain)(exchange)

    return answer


def error(
    code: int,
    message: str = "It went wrong.",
    status: str = "UNAVAILABLE",
    details: Sequence[dict[str, Any]] = (),
    shape: Literal["list", "dict", "text"] = "list",
    **headers: str | int,
) -> Answer:
    """An error body, as Google's chat endpoint sends it unless another shape is asked for."""
    told: Any = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    match shape:
        case "list":
            data = json.dumps([told], indent=2)
        case "dict":
            data = json.dumps(told)
        case _:
            data = message
    return body(data.encode(), code, **headers)


def retry_info(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


HTML = b"<!doctype html><html><head><title>Sign in</title></head><body>Welcome to the airport.</body></html>"


def html(status: int = 200) -> Answer:
    return body(HTML, status, "text/html; charset=utf-8")


def redirect(url: str, status: int = 307) -> Answer:
    return body(b"", status, "text/html", Location=url)


def cut(how: Cut, chunks: Sequence[Any] | None = None) -> Answer:
    """A stream that breaks off after its chunks; a plain answer breaks off in its middle."""
    told = list(chunks) if chunks is not None else say(*PIECES[:2], finish=None)

    def answer(exchange: Exchange) -> None:
        if exchange.request.streams:
            cut_stream(exchange, how, sse(told, done=False))
        else:
            _cut_plain(exchange, how, json.dumps(completion({"content": TEXT})).encode())

    return answer


def cut_stream(exchange: Exchange, how: Cut, data: bytes) -> None:
    """A stream of these bytes, and how it breaks off."""
    kind = "text/event-stream"
    match how:
        case "close" | "in_line" | "in_character":
            exchange.head(Content_Type=kind, Connection="close")
            next_event = f"data: {json.dumps(piece({'content': 'é'}), ensure_ascii=False)}".encode()
            rest = {"close": b"", "in_line": next_event[:40], "in_character": next_event.partition(b"\xa9")[0]}[how]
            exchange.send(data + rest)
            exchange.close()
        case "length":
            exchange.head(Content_Type=kind, Content_Length=len(data) + 1000)
            exchange.send(data)
            exchange.close()
        case _:
            exchange.head(Content_Type=kind, Transfer_Encoding="chunked")
            exchange.chunk(data)
            _cut_chunked(exchange, how)


def _cut_chunked(exchange: Exchange, how: Cut) -> None:
    match how:
        case "chunked_end":
            exchange.chunk(b"")
        case "in_chunk":
            exchange.send(b'400\r\ndata: {"cho')
            exchange.close()
        case _:
            # The client reads first: a reset drops what it has not read.
            exchange.pause(0.05)
            exchange.reset()


def _cut_plain(exchange: Exchange, how: Cut, data: bytes) -> None:
    half = data[: len(data) // 2]
    match how:
        case "length" | "reset":
            exchange.head(Content_Type="application/json", Content_Length=len(data))
            exchange.send(half)
        case "in_chunk" | "chunked_end":
            exchange.head(Content_Type="application/json", Transfer_Encoding="chunked")
            exchange.chunk(half)
        case _:
            exchange.head(Content_Type="application/json", Connection="close")
            exchange.send(half)
    if how == "chunked_end":
        exchange.chunk(b"")
    elif how == "reset":
        exchange.reset()
    else:
        exchange.close()


def silence(exchange: Exchange) -> None:
    """Nothing, until the server stops."""
    exchange.pause(30)
    exchange.close()


def hang_up(exchange: Exchange) -> None:
    """The end of the connection in place of an answer."""
    exchange.reset()


def drip(seconds: float = 0.03, status: int = 200) -> Answer:
    """A body of one byte at a time, for ever: text events, or the white space that JSON may begin with."""

    def answer(exchange: Exchange) -> None:
        streams = exchange.request.streams and status == 200
        exchange.head(status, Content_Type="text/event-stream" if streams else "application/json", Connection="close")
        data = sse(say(*PIECES, finish=None)) if streams else b" "
        number = 0
        while exchange.pause(seconds):
            exchange.send(data[number % len(data)].to_bytes())
            number += 1

    return answer


def dripped_head(exchange: Exchange) -> None:
    """A head that never ends."""
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while exchange.pause(0.03):
        exchange.send(b"X-Filler: x\r\n")


def comments(seconds: float = 0.02) -> Answer:
    """Keep-alive comments for ever, in place of events; white space where no stream was asked for."""

    def answer(exchange: Exchange) -> None:
        streams = exchange.request.streams
        exchange.head(Content_Type="text/event-stream" if streams else "application/json", Transfer_Encoding="chunked")
        while exchange.pause(seconds):
            exchange.chunk(b": keep-alive\n\n" if streams else b"\n")

    return answer


def bytewise(data: bytes) -> Answer:
    """A stream whose every byte is a packet and a chunk of its own."""

    def answer(exchange: Exchange) -> None:
        exchange.head(Content_Type="text/event-stream", Transfer_Encoding="chunked")
        for byte in data:
            exchange.chunk(byte.to_bytes())
        exchange.chunk(b"")

    return answer


def bomb(mebibytes: int, status: int = 200) -> Answer:
    """A small body that unpacks to a large one."""
    packed = gzip.compress(bytes(2**20), 9)
    return body(packed * mebibytes, status, Content_Encoding="gzip")
