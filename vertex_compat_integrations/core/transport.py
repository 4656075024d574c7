"""Bytes of a response → JSON events. The stream classes through which the OpenAI SDK hands us the response itself.

The SDK's own streams decode into typed objects, end at `[DONE]` without reading the body to its end (so that the
connection is lost), and pass over whatever is no SSE. Here the body is read whole, within bounds, and what is no SSE is
kept: the endpoint appends a bare JSON error to a stream that has begun.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
from pydantic_core import from_json

from vertex_compat_integrations.core.errors import UnexpectedReplyError

MAX_EVENT_BYTES = 256 * 2**20
"""More than any answer with media that is documented; a bound against a server that never ends a line."""


class ByteStream(openai.Stream[object]):
    """The response's body, as it comes."""

    def __init__(self, *, cast_to: Any, response: Any, client: Any, options: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.response = response

    def __iter__(self) -> Iterator[Any]:
        return iter(self.response.iter_bytes())

    def __next__(self) -> Any:
        raise TypeError("Iterate over the stream.")


class AsyncByteStream(openai.AsyncStream[object]):
    """The response's body, as it comes."""

    def __init__(self, *, cast_to: Any, response: Any, client: Any, options: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        self.response = response

    def __aiter__(self) -> AsyncIterator[Any]:
        chunks: AsyncIterator[Any] = self.response.aiter_bytes()
        return chunks

    async def __anext__(self) -> Any:
        raise TypeError("Iterate over the stream.")


class EventParser:
    """Bytes in, payloads of SSE `data` fields out; what is no SSE collects in `stray`."""

    def __init__(self) -> None:
        """Begin between two events."""
        self._rest = b""
        self._lines: list[bytes] = []
        self._stray: list[bytes] = []
        self._size = 0
        self.is_done = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that the bytes complete.

        Raises:
            UnexpectedReplyError: An event is larger than any answer.
        """
        text = self._rest + data if self._rest else data
        cut = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        self._rest = text[cut:]
        self._size = len(self._rest) if cut else self._size + len(data)
        if self._size > MAX_EVENT_BYTES:
            raise UnexpectedReplyError(f"An event of the stream is larger than {MAX_EVENT_BYTES >> 20} MiB.")
        if not cut:
            return []
        return [payload for line in text[:cut].splitlines() if (payload := self._take(line)) is not None]

    def finish(self) -> list[bytes]:
        """The payload that stood before the body's end without an empty line behind it."""
        last = [payload for line in self._rest.splitlines() if (payload := self._take(line)) is not None]
        self._rest = b""
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
        raise UnexpectedReplyError(f"What came is no JSON: {_beginning(data)!r}.") from error


def _beginning(data: bytes) -> str:
    return data[:120].decode(errors="replace")
