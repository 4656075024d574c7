"""The bytes of one streamed answer → its pieces. No I/O of its own."""

from collections.abc import Iterable, Iterator

from vertex_compat_integrations.core.errors import UnexpectedReplyError
from vertex_compat_integrations.core.http_errors import decode_stray, decode_stream_failure
from vertex_compat_integrations.core.reply.events import EventParser, decode_json
from vertex_compat_integrations.core.reply.reply import Ending, ReplyDelta
from vertex_compat_integrations.core.reply.stream import StreamDecoder

NO_CHUNK = "An event of the stream is JSON, but not a chunk of a completion."
NO_STREAM = "The answer to a streaming request is not a stream."


class StreamReader:
    """Converts the bytes of one streamed answer to pieces.

    Attributes:
        decoder: The decoder of the events.
        has_begun: Whether a piece was returned.
        ending: The ending of the answer, once it is over.
    """

    def __init__(self, decoder: StreamDecoder, *, done_is_an_end: bool = False) -> None:
        """Use this decoder; `done_is_an_end`: whether `[DONE]` may end an answer without a finish reason."""
        self.decoder = decoder
        self._done_is_an_end = done_is_an_end
        self.has_begun = False
        self.ending: Ending | None = None
        self._parser = EventParser()

    def feed(self, block: bytes) -> Iterable[ReplyDelta]:
        """Return the pieces that the bytes complete.

        Raises:
            VertexCompatError: An event is an error, or not JSON; the pieces before it are returned first.
        """
        payloads = self._parser.feed(block)
        if len(payloads) != 1:
            return self._pieces(payloads)
        # The usual case, without a generator.
        if (delta := self._decode(payloads[0])) is None:
            return ()
        self.has_begun = True
        return (delta,)

    def _pieces(self, payloads: list[bytes]) -> Iterator[ReplyDelta]:
        for payload in payloads:
            if (delta := self._decode(payload)) is not None:
                self.has_begun = True
                yield delta

    def finish(self) -> Iterator[ReplyDelta]:
        """Yield the last pieces.

        Raises:
            VertexCompatError: The stream ended before its finish reason, contained an error, or was not a stream.
        """
        for payload in self._parser.finish():
            try:
                delta = self._decode(payload)
            except UnexpectedReplyError:
                raise self.decoder.interrupted("The stream ended in the middle of an event.") from None
            if delta is not None:
                self.has_begun = True
                yield delta
        stray = self._parser.stray
        if stray and not self.decoder.is_finished and (delta := self._decode_stray(stray)) is not None:
            self.has_begun = True
            yield delta
        if self._done_is_an_end and self._parser.is_done:
            self.decoder.end()
        if (named := self.decoder.name_calls()) is not None:
            self.has_begun = True
            yield named
        last = self.decoder.finish()
        self.has_begun, self.ending = True, last.ending
        yield last

    def _decode(self, payload: bytes) -> ReplyDelta | None:
        chunk = decode_json(payload)
        if not isinstance(chunk, dict) or "choices" not in chunk or chunk.get("error"):
            if (failure := decode_stream_failure(chunk)) is not None:
                raise failure
            if not isinstance(chunk, dict):
                raise UnexpectedReplyError(NO_CHUNK)
        return self.decoder.feed(chunk)

    def _decode_stray(self, stray: bytes) -> ReplyDelta | None:
        """Decode a body that is not SSE: an error, or a whole completion from a server that does not stream."""
        if (failure := decode_stray(stray)) is not None:
            raise failure
        if stray.startswith(b"{"):
            return self._decode(stray)
        if not self.decoder.partial_text:
            decode_json(stray)
            raise UnexpectedReplyError(NO_STREAM)
        return None
