"""Bytes of a response → JSON events. The stream classes through which the OpenAI SDK hands us the response itself.

The SDK's own streams decode into typed objects, end at `[DONE]` without reading the body to its end (so that the
connection is lost), and pass over whatever is no SSE. Here the body is read whole, within bounds, and what is no SSE is
kept: the endpoint appends a bare JSON error to a stream that has begun.
"""

import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
from pydantic_core import from_json

from vertex_compat_integrations.core.errors import UnexpectedReplyError

MAX_BODY_BYTES = 512 * 2**20
"""A bound against a server that never ends its answer."""

MAX_EVENT_BYTES = 256 * 2**20
"""More than any answer with media that is documented; a bound against a server that never ends a line."""

MAX_FAILURE_BYTES = 2**20
"""What is read of an error's body."""

ACCEPTED_ENCODINGS = "gzip, deflate"
"""Compressions whose every step is bounded; of others, a kilobyte can unpack to a machine's memory at once."""

_UNPACKED = frozenset({"", "identity"})
_ENCODINGS = _UNPACKED | {"gzip", "x-gzip", "deflate"}
_SUSPECT_BYTES = 64 * 2**20
_SUSPECT_RATIO = 200


class _Meter:
    """Bounds what a body may unpack to.

    Attributes:
        is_raw: Whether the body is read as it comes; not if it is packed, or was read by a hook of the user's client.
    """

    def __init__(self, response: Any) -> None:
        """Measure this response.

        Raises:
            UnexpectedReplyError: It is compressed in a way that was not asked for.
        """
        self._response = response
        self._size = 0
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise UnexpectedReplyError(f"The answer is compressed as {encoding[:40]!r}, which was not asked for.")
        # What is not compressed needs no decoder, which costs as much as reading does.
        self.is_raw = encoding in _UNPACKED and not response.is_stream_consumed

    def count(self, block: bytes) -> int:
        """The body's size so far.

        Raises:
            UnexpectedReplyError: It is larger than any answer, or unpacks from next to nothing.
        """
        self._size += len(block)
        if self._size > MAX_BODY_BYTES:
            raise UnexpectedReplyError(f"The answer is larger than {MAX_BODY_BYTES >> 20} MiB.")
        if self._size > _SUSPECT_BYTES and self._size > _SUSPECT_RATIO * self._response.num_bytes_downloaded:
            raise UnexpectedReplyError("The answer unpacks to more than any text: a decompression bomb.")
        return self._size


class ByteStream(openai.Stream[object]):
    """The response's body, as it comes, within bounds."""

    def __init__(self, *, cast_to: Any, response: Any, client: Any, options: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.response = response
        self._reading: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        meter = _Meter(self.response)
        for block in self.response.iter_raw() if meter.is_raw else self.response.iter_bytes():
            meter.count(block)
            yield block

    def __next__(self) -> Any:
        # Tracers put a proxy in the stream's place, which asks for one block after the other.
        self._reading = self._reading or iter(self)
        return next(self._reading)


class AsyncByteStream(openai.AsyncStream[object]):
    """The response's body, as it comes, within bounds."""

    def __init__(self, *, cast_to: Any, response: Any, client: Any, options: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.response = response
        self._reading: AsyncIterator[Any] | None = None

    async def __aiter__(self) -> AsyncIterator[Any]:
        meter = _Meter(self.response)
        async for block in self.response.aiter_raw() if meter.is_raw else self.response.aiter_bytes():
            meter.count(block)
            yield block

    async def __anext__(self) -> Any:
        self._reading = self._reading or aiter(self)
        return await anext(self._reading)


def read_failure(response: Any) -> bytes:
    """The beginning of an error's body, which the SDK would read whole, however long it is."""
    blocks: list[bytes] = []
    meter = _Meter(response)
    for block in response.iter_bytes():
        blocks.append(block)
        if meter.count(block) > MAX_FAILURE_BYTES:
            break
    return b"".join(blocks)[:MAX_FAILURE_BYTES]


async def aread_failure(response: Any) -> bytes:
    """Like `read_failure`."""
    blocks: list[bytes] = []
    meter = _Meter(response)
    async for block in response.aiter_bytes():
        blocks.append(block)
        if meter.count(block) > MAX_FAILURE_BYTES:
            break
    return b"".join(blocks)[:MAX_FAILURE_BYTES]


class EventParser:
    """Bytes in, payloads of SSE `data` fields out; what is no SSE collects in `stray`."""

    def __init__(self) -> None:
        """Begin between two events."""
        self._rest: list[bytes] = []
        self._lines: list[bytes] = []
        self._stray: list[bytes] = []
        self._size = 0
        self.is_done = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that the bytes complete.

        Raises:
            UnexpectedReplyError: An event is larger than any answer.
        """
        if self._is_one_event(data):
            return [data[6:-2]]
        # A long line comes in many blocks, which are joined at its end only: joining at each would be quadratic.
        if not (b"\n" in data or b"\r" in data or (self._rest and self._rest[-1].endswith(b"\r"))):
            self._hold(data)
            return []
        text = b"".join([*self._rest, data])
        cut = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        self._rest, self._size = [], 0
        if cut < len(text):
            self._hold(text[cut:])
        return [payload for line in text[:cut].splitlines() if (payload := self._take(line)) is not None]

    def _is_one_event(self, data: bytes) -> bool:
        """Whether the bytes are one event of one line with a JSON object, as servers send most of them."""
        return (
            data.startswith(b"data: {")
            and data.endswith(b"}\n\n")
            and data.find(b"\n") == len(data) - 2
            and not (self._rest or self._lines or b"\r" in data)
        )

    def _hold(self, data: bytes) -> None:
        """Keep the beginning of a line."""
        self._rest.append(data)
        self._size += len(data)
        if self._size > MAX_EVENT_BYTES:
            raise UnexpectedReplyError(f"An event of the stream is larger than {MAX_EVENT_BYTES >> 20} MiB.")

    def finish(self) -> list[bytes]:
        """The payload that stood before the body's end without an empty line behind it."""
        rest = b"".join(self._rest)
        self._rest = []
        last = [payload for line in rest.splitlines() if (payload := self._take(line)) is not None]
        ending = self._take(b"")
        return last if ending is None else [*last, ending]

    @property
    def stray(self) -> bytes:
        """What came that was no SSE."""
        return b"\n".join(self._stray).strip()

    def _take(self, line: bytes) -> bytes | None:
        """The payload that an empty line ends; other lines are collected."""
        if line.startswith(b"data:"):
            self._lines.append(line[5:].removeprefix(b" "))
            return None
        if line:
            if line.startswith(BOM_UTF8):
                return self._take(line.lstrip(BOM_UTF8))
            if not line.startswith((b":", b"event:", b"id:", b"retry:")):
                self._stray.append(line)
            return None
        if not self._lines:
            return None
        payload = b"\n".join(self._lines)
        self._lines = []
        if payload.startswith(b"[DONE]"):
            self.is_done = True
            return None
        return payload


def decode_json(data: bytes) -> Any:
    """The JSON value.

    Raises:
        UnexpectedReplyError: It is none, or nested deeper than any completion.
    """
    try:
        return from_json(data)
    except ValueError:
        pass
    try:
        # Lone surrogates are JSON to Python, not to the faster parser.
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        if data.lstrip().startswith(b"<"):
            raise UnexpectedReplyError("The answer is an HTML page, not an API response.") from None
        raise UnexpectedReplyError(f"What came is no JSON: {_beginning(data)!r}.") from error


def _beginning(data: bytes) -> str:
    return data[:120].decode(errors="replace")
