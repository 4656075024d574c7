"""Sends an answer over the socket, with scripted pauses and faults."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from vertex_compat_integrations.emulator.dialect.chunks import stream_chunks
from vertex_compat_integrations.emulator.dialect.completion import WrittenCompletion
from vertex_compat_integrations.emulator.refusal import BrokenStreamError, google_body, pretty
from vertex_compat_integrations.emulator.scripting.answer import Cut, Delivery, Failure, Frames, Raw
from vertex_compat_integrations.emulator.variant import Variant
from vertex_compat_integrations.wire import EMULATOR_FINGERPRINT, Json

_SERVER_HEADERS = {"Server": EMULATOR_FINGERPRINT, "Vary": "Origin"}
COMMENT = b": keep-alive\n\n"
_DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP response: headers and pieces of a body.

    Attributes:
        pieces: The body, in the pieces in which it is written.
        status: HTTP status.
        content_type: Content type of the body.
        headers: Headers in addition to the usual ones.
        is_stream: Whether the pieces are events.
        live: The pieces of a body that is still being generated, instead of `pieces`.
    """

    pieces: tuple[bytes, ...]
    status: int = 200
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_stream: bool = False
    live: AsyncGenerator[bytes, None] | None = None


def plain_reply(written: WrittenCompletion, delivery: Delivery) -> HttpReply:
    """Return the completion as one JSON body."""
    if delivery.failure:
        refusal = delivery.failure.refusal
        return HttpReply((google_body(refusal),), status=refusal.code)
    body = without_finish(written.completion) if delivery.drops_finish else written.completion
    return HttpReply((pretty(body),))


def stream_reply(content: WrittenCompletion | Frames, variant: Variant, delivery: Delivery) -> HttpReply:
    """Return the completion, or scripted frames, as events."""
    if isinstance(content, Frames):
        frames: list[Any] = list(content.chunks)
        is_done = content.done
    else:
        frames = list(stream_chunks(content, variant))
        is_done = variant.done
    if delivery.drops_finish:
        frames, is_done = [without_finish(frame) for frame in frames], False
    events = [event_bytes(frame, variant) for frame in frames]
    if is_done:
        events.append(event_bytes(_DONE, variant))
    if delivery.failure:
        events = [*events[: delivery.failure.after_chunks], failure_bytes(delivery.failure, variant)]
    if variant.comments:
        events = [piece for event in events for piece in (COMMENT, event)]
    return HttpReply(tuple(events), content_type="text/event-stream; charset=utf-8", is_stream=True)


def raw_reply(raw: Raw) -> HttpReply:
    """Return a scripted body unchanged."""
    return HttpReply((raw.body,), raw.status, raw.content_type, raw.headers)


def without_finish(body: Any) -> Any:
    """Return the completion or chunk without its finish reason."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        return body
    choices = [
        {key: value for key, value in choice.items() if key != "finish_reason"} if isinstance(choice, dict) else choice
        for choice in body["choices"]
    ]
    return {**body, "choices": choices}


async def deliver(
    request: web.Request, reply: HttpReply, delivery: Delivery, split_bytes: int = 0
) -> web.StreamResponse:
    """Send the reply with its scripted delivery, to its end or to its fault."""
    if delivery.hangs:
        await asyncio.Event().wait()
    if delivery.delay_seconds:
        await asyncio.sleep(delivery.delay_seconds)
    headers = {**_SERVER_HEADERS, "Content-Type": reply.content_type, **reply.headers}
    if not reply.is_stream and not delivery.cut and not split_bytes and not delivery.interval_seconds:
        return web.Response(body=b"".join(reply.pieces), status=reply.status, headers=headers)
    response = web.StreamResponse(status=reply.status, headers=headers)
    try:
        await response.prepare(request)
    except ConnectionResetError:
        # The client disconnected before the answer began, for example at its deadline.
        return response
    async with aclosing(reply.live or _each(reply)) as pieces:
        cut = await _write(response, pieces, delivery, split_bytes)
    if cut is not None:
        _break_off(request, *cut)
    return response


async def _write(
    response: web.StreamResponse, pieces: AsyncGenerator[bytes, None], delivery: Delivery, split_bytes: int
) -> tuple[Cut, bytes] | None:
    """Write to the end, or to the cut; returns how to cut, and the next piece."""
    written = 0
    try:
        async for piece in pieces:
            if delivery.cut and written == delivery.cut.after_chunks:
                return delivery.cut, piece
            written += 1
            await asyncio.sleep(delivery.interval_seconds)
            for part in _split(piece, split_bytes):
                await response.write(part)
    except BrokenStreamError:
        return Cut(written), b""
    except ConnectionResetError:
        # The client left the stream early; that is not an error of the emulator.
        return None
    return (delivery.cut, b"") if delivery.cut else None


async def _each(reply: HttpReply) -> AsyncGenerator[bytes, None]:
    for piece in reply.pieces if reply.is_stream else _halves(reply.pieces):
        yield piece


def _break_off(request: web.Request, cut: Cut, following: bytes) -> None:
    transport = request.transport
    if transport is None or cut.how == "clean":
        return
    if cut.how == "reset":
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return
    if cut.how == "chunk" and isinstance(transport, asyncio.WriteTransport):
        # The header of the HTTP chunk announces more bytes than are sent.
        transport.write(b"%x\r\n" % len(following) + following[: len(following) // 2])
    transport.close()


def _halves(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        middle = len(piece) // 2
        yield piece[:middle]
        yield piece[middle:]


def _split(piece: bytes, size: int) -> Iterator[bytes]:
    if not size:
        yield piece
        return
    for start in range(0, len(piece), size):
        yield piece[start : start + size]


def event_bytes(frame: Any, variant: Variant) -> bytes:
    """Return the frame as an event; a string is the event's data."""
    data = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    line_end = "\r\n" if variant.separator == "crlf" else "\n"
    return f"data: {data}{line_end}{line_end}".encode("utf-8", "surrogatepass")


def failure_bytes(failure: Failure, variant: Variant) -> bytes:
    """Return the bytes of a scripted failure in a stream."""
    error: Json = {"error": failure.refusal.error}
    match failure.shape:
        case "sse_dict":
            return event_bytes(error, variant)
        case "sse_list":
            return event_bytes([error], variant)
        case "bare_list":
            return google_body(failure.refusal)
