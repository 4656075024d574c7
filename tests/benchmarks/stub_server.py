"""A server that answers chat completions, OpenAI's and Gemini's, with bytes made beforehand.

    python -m tests.benchmarks.stub_server      prints its port

The first segment of the path says what comes: `/reply1024/…` an answer of so many bytes, `/stream2000/…` a stream of so
many chunks in one write, `/paced20/…` one chunk a write; `/reply1024-d20/…` waits 20 ms first. `GET /_connections`
tells how many connections were opened, and counts anew from there.
"""

import asyncio
import json
import re
from functools import cache

HEAD = b"HTTP/1.1 200 OK\r\nserver: stub\r\ndate: Sun, 22 Nov 2026 04:00:00 GMT\r\n"
TEXT = "the quick brown fox jumps over lazy dog and runs far away from here to find some new place"
WORDS = TEXT.split(" ")
USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 42,
    "total_tokens": 1242,
    "prompt_tokens_details": {"cached_tokens": 1000},
    "completion_tokens_details": {"reasoning_tokens": 12},
}


def text(length: int) -> str:
    return (TEXT * (length // len(TEXT) + 1))[:length]


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def completion(choice: dict, *, kind: str, usage: dict | None = None) -> dict:
    told = {"created": 1763784000, "id": "chatcmpl-abc123", "model": "google/gemini-3.5-flash", "object": kind}
    body = {"choices": [{"index": 0, "logprobs": None, **choice}], **told, "system_fingerprint": ""}
    return body | ({"usage": usage} if usage else {})


def openai_reply(length: int) -> bytes:
    message = {"role": "assistant", "content": text(length)}
    return encode(completion({"message": message, "finish_reason": "stop"}, kind="chat.completion", usage=USAGE))


def openai_events(chunks: int) -> list[bytes]:
    def event(content: str, finish: str | None = None, usage: dict | None = None) -> bytes:
        choice = {"delta": {"content": content, "role": "assistant"}, "finish_reason": finish}
        return b"data: " + encode(completion(choice, kind="chat.completion.chunk", usage=usage)) + b"\n\n"

    pieces = [event(f" {WORDS[number % len(WORDS)]}") for number in range(chunks)]
    return [*pieces, event("", "stop", USAGE), b"data: [DONE]\n\n"]


def gemini_answer(content: str, *, ends: bool) -> dict:
    candidate = {"content": {"role": "model", "parts": [{"text": content}]}} | (
        {"finishReason": "STOP"} if ends else {}
    )
    counts = {"promptTokenCount": 1200, "totalTokenCount": 1242, "candidatesTokenCount": 42}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "gemini-3.5-flash", "responseId": "a"}


def gemini_events(chunks: int) -> list[bytes]:
    return [
        b"data: " + encode(gemini_answer(f" {WORDS[number % len(WORDS)]}", ends=number == chunks)) + b"\r\n\r\n"
        for number in range(chunks + 1)
    ]


def whole(body: bytes, kind: bytes = b"application/json") -> list[bytes]:
    return [HEAD + b"content-type: %b\r\ncontent-length: %d\r\n\r\n" % (kind, len(body)) + body]


def streamed(events: list[bytes], *, paced: bool) -> list[bytes]:
    head = HEAD + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    writes = [head, *(b"%x\r\n" % len(event) + event + b"\r\n" for event in events), b"0\r\n\r\n"]
    return writes if paced else [b"".join(writes)]


@cache
def render(scenario: str, *, is_gemini: bool, streams: bool) -> tuple[float, list[bytes]]:
    """Seconds to wait, and what to write."""
    kind, size, delay = re.fullmatch(r"(reply|stream|paced|bulk)(\d+)(?:-d(\d+))?", scenario).groups()
    if streams:
        events = (gemini_events if is_gemini else openai_events)(int(size))
        is_bulk = kind == "bulk"  # many events in each block that is read
        writes = whole(b"".join(events), b"text/event-stream") if is_bulk else streamed(events, paced=kind == "paced")
    elif is_gemini:
        writes = whole(encode(gemini_answer(text(int(size)), ends=True)))
    else:
        writes = whole(openai_reply(int(size)))
    return int(delay or 0) / 1000, writes


class Connection(asyncio.Protocol):
    """One connection; requests come one after another."""

    opened = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        Connection.opened += 1
        self.transport = transport
        self.begin()

    def begin(self) -> None:
        self.blocks, self.size, self.expected = [], 0, None

    def data_received(self, data: bytes) -> None:
        self.blocks.append(data)
        self.size += len(data)
        if self.expected is None:
            head, found, _ = b"".join(self.blocks).partition(b"\r\n\r\n")
            if not found:
                return
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            self.expected = len(head) + 4 + int(length[1] if length else 0)
        if self.size >= self.expected:
            head, _, body = b"".join(self.blocks).partition(b"\r\n\r\n")
            self.begin()
            self.answer(head.split(b" ", 2)[1].decode(), body)

    def answer(self, path: str, body: bytes) -> None:
        if path == "/_connections":
            count, Connection.opened = Connection.opened, 0
            self.write(whole(encode(count)))
            return
        is_gemini = "enerateContent" in path
        streams = ":stream" in path if is_gemini else b'"stream":true' in body.replace(b": ", b":")
        delay, writes = render(path.split("/")[1], is_gemini=is_gemini, streams=streams)
        asyncio.get_running_loop().call_later(delay, self.write, writes)

    def write(self, writes: list[bytes]) -> None:
        self.transport.write(writes[0])
        if len(writes) > 1:
            asyncio.get_running_loop().call_later(0.001, self.write, writes[1:])


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the caller reads it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
