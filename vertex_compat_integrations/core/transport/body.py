"""Stream classes for the OpenAI SDK that read a response's body to its end, within limits.

The SDK's own streams decode into typed objects and stop at `[DONE]` without reading the body to its end, so that the
connection cannot be reused.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai

from vertex_compat_integrations.core.errors import UnexpectedReplyError

MAX_BODY_BYTES = 512 * 2**20
"""Limit for servers that never end an answer."""

MAX_FAILURE_BYTES = 2**20
"""Maximum bytes read of an error's body."""

MOST_AT_ONCE = 64 * 2**10
"""Bytes passed on at a time: after each block, the deadline is checked and other tasks of the event loop run.

A few kilobytes that compress well unpack to many megabytes, which would take seconds to read.
"""

_UNPACKED = frozenset({"", "identity"})
_ENCODINGS = _UNPACKED | {"gzip", "x-gzip", "deflate"}
_SUSPECT_BYTES = 64 * 2**20
_SUSPECT_RATIO = 200


class _Meter:
    """Limits the size to which a body may unpack.

    Attributes:
        is_raw: Whether the body is read unchanged; not if it is compressed, or was read by a hook of the user's client.
    """

    def __init__(self, response: Any) -> None:
        """Measure this response.

        Raises:
            UnexpectedReplyError: The response is compressed in a way that was not requested.
        """
        self._response = response
        self._size = 0
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise UnexpectedReplyError(f"The answer is compressed as {encoding[:40]!r}, which was not requested.")
        # An uncompressed body needs no decoder, which costs as much as reading.
        self.is_raw = encoding in _UNPACKED and not response.is_stream_consumed

    def count(self, block: bytes) -> int:
        """Add a block; return the body's size so far.

        Raises:
            UnexpectedReplyError: The body is larger than any answer, or unpacks to far more than its compressed size.
        """
        self._size += len(block)
        if self._size > MAX_BODY_BYTES:
            raise UnexpectedReplyError(f"The answer is larger than {MAX_BODY_BYTES >> 20} MiB (MAX_BODY_BYTES).")
        if self._size > _SUSPECT_BYTES and self._size > _SUSPECT_RATIO * self._response.num_bytes_downloaded:
            raise UnexpectedReplyError("The answer unpacks to more than any text: a decompression bomb.")
        return self._size


class ByteStream(openai.Stream[object]):
    """The response's body, as it arrives, within limits."""

    def __init__(self, *, cast_to: Any, response: Any, client: Any, options: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.response = response
        self._reading: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        meter = _Meter(self.response)
        for block in self.response.iter_raw() if meter.is_raw else self.response.iter_bytes():
            meter.count(block)
            if len(block) <= MOST_AT_ONCE:
                yield block
            else:
                yield from _cut(block)

    def __next__(self) -> object:
        # Tracers replace the stream with a proxy, which requests one block at a time.
        self._reading = self._reading or iter(self)
        return next(self._reading)


class AsyncByteStream(openai.AsyncStream[object]):
    """The response's body, as it arrives, within limits."""

    def __init__(self, *, cast_to: Any, response: Any, client: Any, options: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.response = response
        self._reading: AsyncIterator[Any] | None = None

    async def __aiter__(self) -> AsyncIterator[Any]:
        meter, since = _Meter(self.response), 0
        async for block in self.response.aiter_raw() if meter.is_raw else self.response.aiter_bytes():
            meter.count(block)
            if (since := since + len(block)) <= MOST_AT_ONCE:
                yield block
                continue
            since = 0
            for piece in _cut(block):
                # Blocks that have already arrived are read without waiting.
                await asyncio.sleep(0)
                yield piece

    async def __anext__(self) -> object:
        self._reading = self._reading or aiter(self)
        return await anext(self._reading)


def _cut(block: bytes) -> Iterator[bytes]:
    return (block[begin : begin + MOST_AT_ONCE] for begin in range(0, len(block), MOST_AT_ONCE))


def read_failure(response: Any) -> bytes:
    """Read the beginning of an error's body, which the SDK would read completely, whatever its length."""
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
