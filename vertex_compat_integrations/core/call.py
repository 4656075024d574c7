"""One call: its request, its attempts, and what becomes of what comes back. No I/O of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    DeadlineExceededError,
    NotFoundError,
    StreamInterruptedError,
    ThoughtSignatureError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.failures import decode_stray, decode_stream_failure
from vertex_compat_integrations.core.history import SkipValues
from vertex_compat_integrations.core.options import Options
from vertex_compat_integrations.core.reply import Reply, decode_replies
from vertex_compat_integrations.core.request import Request, Resource, build_request
from vertex_compat_integrations.core.retry import delay_before_retry
from vertex_compat_integrations.core.stream import ReplyDelta, StreamDecoder
from vertex_compat_integrations.core.transport import EventParser, decode_json


class Call:
    """What one `chat` or `stream` keeps from attempt to attempt."""

    def __init__(
        self,
        messages: Sequence[wire.Message],
        options: Options,
        facts: ModelFacts,
        *,
        stream: bool,
        resource: Resource,
        skip_values: SkipValues,
        seconds: float,
        max_retries: int,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        """Build the request.

        Raises:
            SettingsError: The request cannot be; nothing is sent.
        """
        self._messages, self._options, self._facts = messages, options, facts
        self._stream, self._resource = stream, resource
        self._seconds, self._max_retries = seconds, max_retries
        self._clock, self._chance = clock, chance
        self._deadline = clock() + seconds
        self._retries = self._attempts = 0
        self._repaired: set[type[VertexCompatError]] = set()
        self._reader: StreamReader | None = None
        self.has_begun = False
        self.auth_headers: Mapping[str, str] = {}
        self._skip_values = skip_values
        self.request = self._build(skip_values)

    def _build(self, skip_values: SkipValues) -> Request:
        return build_request(
            self._messages,
            self._options,
            self._facts,
            stream=self._stream,
            resource=self._resource,
            skip_values=skip_values,
        )

    def locate(self, project: str | None) -> None:
        """Complete what names the project, now that the credential has told it."""
        self._resource = replace(self._resource, project=project)
        self.request = self._build(self._skip_values)

    @property
    def remaining(self) -> float:
        """Seconds until the deadline.

        Raises:
            DeadlineExceededError: It has passed.
        """
        seconds = self._deadline - self._clock()
        if seconds <= 0:
            raise DeadlineExceededError(f"The call took longer than {self._seconds:g} s.")
        return seconds

    def content(self) -> bytes:
        """The request's body, for one more attempt."""
        self._attempts += 1
        return to_json(self.request.body)

    def headers(self, auth_headers: Mapping[str, str]) -> dict[str, str]:
        """The request's headers with the credential's."""
        self.auth_headers = auth_headers
        return {**self.request.headers, **auth_headers}

    def decode(self, body: bytes) -> list[Reply]:
        """The answers in a body.

        Raises:
            VertexCompatError: The body is an error, no completion, or an empty answer.
        """
        completion = decode_json(body)
        if (failure := decode_stream_failure(completion)) is not None:
            raise failure
        return decode_replies(
            completion,
            marker=self.request.marker,
            unopened=not self._facts.gemini,
            one_call=self.request.one_call,
        )

    def read(self, block: bytes | None) -> Iterator[ReplyDelta]:
        """The pieces of the answer that a block of the body completes; None is the body's end."""
        if self._reader is None:
            self._reader = StreamReader(StreamDecoder(marker=self.request.marker, one_call=self.request.one_call))
        for delta in self._reader.finish() if block is None else self._reader.feed(block):
            self.has_begun = True
            yield delta

    def delay_after(self, error: VertexCompatError) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            VertexCompatError: The given error, explained, if there is to be none.
        """
        reader, self._reader = self._reader, None
        if self.has_begun:
            raise self._explained(_interrupted(error, reader)) from None
        if self._repair(error):
            return 0.0
        delay = delay_before_retry(
            error,
            retries=self._retries,
            max_retries=self._max_retries,
            remaining=self._deadline - self._clock(),
            chance=self._chance,
        )
        if delay is None:
            raise self._explained(error)
        self._retries += 1
        return delay

    def _repair(self, error: VertexCompatError) -> bool:
        """Whether the cause can be mended; once for each cause, and not counted as a retry."""
        if not isinstance(error, AuthenticationError | ThoughtSignatureError) or type(error) in self._repaired:
            return False
        self._repaired.add(type(error))
        if isinstance(error, ThoughtSignatureError):
            self._skip_values = "everywhere"
            mended = self._build(self._skip_values)
            if mended.body == self.request.body:
                return False
            self.request = mended
        return True

    def was_repaired(self, kind: type[VertexCompatError]) -> bool:
        """Whether an error of this kind was answered with a repaired request."""
        return kind in self._repaired

    def _explained(self, error: VertexCompatError) -> VertexCompatError:
        error.model = self._options.model or None
        error.project, error.location = self._resource.project, self._resource.location
        error.attempts = self._attempts
        if isinstance(error, NotFoundError):
            error.hint = self._where_it_is() or error.hint
        return error

    def _where_it_is(self) -> str | None:
        if self._facts.retires and self._facts.replacement:
            return (
                f"{self._options.model} is announced to retire ({self._facts.retires}); "
                f"Google names {self._facts.replacement} in its place."
            )
        if self._facts.locations and self._resource.location not in self._facts.locations:
            return f"This model is served at location={self._facts.locations[0]!r}."
        return None


def _interrupted(error: VertexCompatError, reader: "StreamReader | None") -> VertexCompatError:
    """The error as one of a stream that has begun, with what came of it."""
    if isinstance(error, StreamInterruptedError) or reader is None:
        return error
    interrupted = reader.decoder.interrupted(f"The stream broke off: {error.message}")
    interrupted.code, interrupted.status, interrupted.details = error.code, error.status, error.details
    return interrupted


class StreamReader:
    """Bytes of one streamed answer → pieces of it."""

    def __init__(self, decoder: StreamDecoder) -> None:
        """Read into this decoder."""
        self.decoder = decoder
        self._parser = EventParser()

    def feed(self, block: bytes) -> Iterator[ReplyDelta]:
        """The pieces that the bytes complete.

        Raises:
            VertexCompatError: An event is an error, or no JSON.
        """
        for payload in self._parser.feed(block):
            yield from self._decode(payload)

    def finish(self) -> Iterator[ReplyDelta]:
        """The last pieces.

        Raises:
            VertexCompatError: The stream ended before its finish reason, brought an error, or was none.
        """
        for payload in self._parser.finish():
            yield from self._decode(payload)
        stray = self._parser.stray
        if stray and not self.decoder.is_finished:
            yield from self._decode_stray(stray)
        yield self.decoder.finish()

    def _decode(self, payload: bytes) -> Iterator[ReplyDelta]:
        chunk = decode_json(payload)
        if not isinstance(chunk, dict) or "choices" not in chunk:
            if (failure := decode_stream_failure(chunk)) is not None:
                raise failure
            if not isinstance(chunk, dict):
                raise UnexpectedReplyError("An event of the stream is JSON, but no chunk of a completion.")
        if (delta := self.decoder.feed(chunk)) is not None:
            yield delta

    def _decode_stray(self, stray: bytes) -> Iterator[ReplyDelta]:
        """What stands in a body that is no SSE: an error, or a whole completion from a server that does not stream."""
        if (failure := decode_stray(stray)) is not None:
            raise failure
        if stray.startswith(b"{"):
            yield from self._decode(stray)
        elif not self.decoder.partial_text:
            decode_json(stray)
            raise UnexpectedReplyError("The answer to a streaming request is no stream.")
