"""Bytes of a response → the payloads of its server-sent events (SSE), and JSON. Independent of SDK and chunk format.

Bytes outside SSE are kept: the endpoint appends a bare JSON error to a stream that has begun.
"""

import json
import re
from codecs import BOM_UTF8
from typing import Any

from pydantic_core import from_json

from vertex_compat_integrations.core.errors import UnexpectedReplyError
from vertex_compat_integrations.core.http_errors import HTML_PAGE

MAX_EVENT_BYTES = 256 * 2**20
"""A limit for servers that never end a line; larger than any documented answer with media."""

MAX_LINES = 500_000
"""Maximum lines of one event, or of text outside events, which may be a whole answer with indents."""


_PLAIN_EVENTS = re.compile(rb"(?:data: \{[^\r\n]*\}\n\n)+")
"""One-line events with a JSON object, the usual case: they are split without looking at each line."""


class EventParser:
    """Converts bytes to payloads of SSE `data` fields; bytes outside SSE are collected in `stray`."""

    def __init__(self) -> None:
        """Start between two events."""
        self._rest: list[bytes] = []
        self._lines: list[bytes] = []
        self._stray = bytearray()
        self._stray_count = 0
        self._size = 0
        self.is_done = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads that the bytes complete.

        Raises:
            UnexpectedReplyError: An event is larger than any answer, or has more lines.
        """
        if not (self._rest or self._lines) and _PLAIN_EVENTS.fullmatch(data):
            return data[6:-2].split(b"\n\ndata: ")
        # A long line arrives in many blocks; they are joined only at its end, since joining at each would be quadratic.
        if not (b"\n" in data or b"\r" in data or (self._rest and self._rest[-1].endswith(b"\r"))):
            self._hold(data)
            return []
        text = b"".join([*self._rest, data])
        cut = max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        self._rest, self._size = [], 0
        if cut < len(text):
            self._hold(text[cut:])
        plain = None if self._lines else _PLAIN_EVENTS.match(text)
        end = plain.end() if plain else 0
        events = text[6 : end - 2].split(b"\n\ndata: ") if plain else []
        return events + [payload for line in text[end:cut].splitlines() if (payload := self._take(line)) is not None]

    def _hold(self, data: bytes) -> None:
        """Keep the beginning of a line."""
        self._rest.append(data)
        self._size += len(data)
        if self._size > MAX_EVENT_BYTES:
            raise UnexpectedReplyError(
                f"An event of the stream is larger than {MAX_EVENT_BYTES >> 20} MiB (MAX_EVENT_BYTES)."
            )

    def finish(self) -> list[bytes]:
        """Return the last payload, if no empty line follows it."""
        rest = b"".join(self._rest)
        self._rest = []
        last = [payload for line in rest.splitlines() if (payload := self._take(line)) is not None]
        ending = self._take(b"")
        return last if ending is None else [*last, ending]

    @property
    def stray(self) -> bytes:
        """The bytes that were not SSE."""
        return bytes(self._stray).strip()

    def _take(self, line: bytes) -> bytes | None:
        """Collect a line; an empty line returns the payload that it ends."""
        if line.startswith(b"data:"):
            self._lines.append(line[5:].removeprefix(b" "))
            if len(self._lines) + self._stray_count > MAX_LINES:
                raise _too_many_lines()
            return None
        if line:
            if line.startswith(BOM_UTF8):
                return self._take(line.lstrip(BOM_UTF8))
            if not line.startswith((b":", b"event:", b"id:", b"retry:")):
                self._stray += line + b"\n"
                self._stray_count += 1
                if self._stray_count > MAX_LINES:
                    raise _too_many_lines()
            return None
        if not self._lines:
            return None
        payload = b"\n".join(self._lines)
        self._lines, self._stray_count = [], 0
        # Some servers write two spaces before it.
        if payload.startswith((b"[", b" ", b"\t")) and payload.lstrip().startswith(b"[DONE]"):
            self.is_done = True
            return None
        return payload


def _too_many_lines() -> UnexpectedReplyError:
    return UnexpectedReplyError(f"An event of the stream has more than {MAX_LINES:,} lines (MAX_LINES).")


def decode_json(data: bytes) -> Any:
    """Decode the JSON value.

    Raises:
        UnexpectedReplyError: The bytes are not JSON, or nested deeper than any completion.
    """
    try:
        return from_json(data)
    except ValueError:
        pass
    try:
        # Python accepts lone surrogates as JSON, the faster parser does not.
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        if data.lstrip().startswith(b"<"):
            raise UnexpectedReplyError(HTML_PAGE) from None
        raise UnexpectedReplyError(f"The answer is not JSON: {_beginning(data)!r}.") from error


def _beginning(data: bytes) -> str:
    return data[:120].decode(errors="replace")
