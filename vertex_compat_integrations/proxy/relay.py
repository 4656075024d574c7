"""One streamed answer on its way to the program: events go on as they come, and calls are remembered. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import StreamInterruptedError, UnexpectedReplyError, VertexCompatError
from vertex_compat_integrations.core.http_errors import decode_stray, decode_stream_failure
from vertex_compat_integrations.core.json_values import mapping_in, mappings_in
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.events import EventParser, decode_json
from vertex_compat_integrations.core.reply.reply import ReplyDelta, ToolCall
from vertex_compat_integrations.core.reply.stream import NO_FINISH_REASON, StreamDecoder
from vertex_compat_integrations.core.reply.stream_reader import NO_CHUNK, NO_STREAM

DONE = b"data: [DONE]\n\n"


class Relay:
    """Feeds on the blocks of one answer; `feed` each, then `finish`.

    Attributes:
        calls: The tool calls so far; whole once the answer has its finish reason.
        failure: What the stream brought instead of its end; nothing is to be fed after it.
    """

    def __init__(self, *, done_is_an_end: bool) -> None:
        """`done_is_an_end`: whether `[DONE]` may end an answer without a finish reason."""
        self.calls: tuple[ToolCall, ...] = ()
        self.failure: VertexCompatError | None = None
        self._done_is_an_end = done_is_an_end
        self._parser = EventParser()
        self._decoder = StreamDecoder()
        self._accumulator = Accumulator()

    @property
    def is_finished(self) -> bool:
        """Whether a finish reason was seen."""
        return self._decoder.is_finished

    def feed(self, block: bytes) -> bytes:
        """The events that the block completes, as they go out."""
        return self._relayed(self._parser.feed(block))

    def finish(self) -> bytes:
        """What remains at the body's end; without `failure`, the answer was whole."""
        last = self._relayed(self._parser.finish())
        if self.failure is None:
            self.failure = self._found_missing()
        return last if self.failure is not None else last + DONE

    def _relayed(self, payloads: list[bytes]) -> bytes:
        events: list[bytes] = []
        for payload in payloads:
            try:
                event = self._event(payload)
            except VertexCompatError as error:
                self.failure = error
                break
            events.append(b"data: " + event.replace(b"\n", b"\ndata: ") + b"\n\n")
        return b"".join(events)

    def _event(self, payload: bytes) -> bytes:
        """The payload as it goes out.

        Raises:
            VertexCompatError: It is an error, or no chunk.
        """
        chunk = decode_json(payload)
        if not isinstance(chunk, dict) or "choices" not in chunk:
            if (failure := decode_stream_failure(chunk)) is not None:
                raise failure
            if not isinstance(chunk, dict):
                raise UnexpectedReplyError(NO_CHUNK)
        if next(iter(mappings_in(chunk.get("choices"))), {}).get("index"):
            # One of several answers (`n`), whose calls are counted apart; Gemini gives one.
            return payload
        delta = self._decoder.feed(chunk)
        if delta is None or not delta.tool_calls:
            return payload
        self.calls = self._accumulator.add(ReplyDelta(tool_calls=delta.tool_calls)).tool_calls
        return _indexed(payload, chunk, [call.index for call in delta.tool_calls])

    def _found_missing(self) -> VertexCompatError | None:
        """Why the answer is not whole, if it is not."""
        if self.is_finished or (self._done_is_an_end and self._parser.is_done):
            return None
        stray = self._parser.stray
        if (error := decode_stray(stray)) is not None:
            return error
        if stray and not self._decoder.partial_text:
            return UnexpectedReplyError(NO_STREAM)
        return StreamInterruptedError(NO_FINISH_REASON, hint="Ask again.")


def _indexed(payload: bytes, chunk: wire.Json, indexes: list[int]) -> bytes:
    """The payload with the index of each call's piece, by which SDKs join them; Vertex AI's may be missing or wrong."""
    pieces = _pieces_of(chunk)
    if len(pieces) != len(indexes) or [piece.get("index") for piece in pieces] == indexes:
        return payload
    numbered = [{**piece, "index": index} for piece, index in zip(pieces, indexes, strict=True)]
    first, *others = chunk["choices"]
    return to_json({**chunk, "choices": [{**first, "delta": {**first["delta"], "tool_calls": numbered}}, *others]})


def _pieces_of(chunk: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choice = next(iter(mappings_in(chunk.get("choices"))), {})
    return mappings_in(mapping_in(mapping_in(choice).get("delta")).get("tool_calls"))
