"""The calls of the chat route: the whole answer, also gathered from a stream, or piece by piece. No I/O."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.call import Call, CallTerms, Piece
from vertex_compat_integrations.core.calls.places import at_place
from vertex_compat_integrations.core.errors import (
    ConnectionFailedError,
    PartialReplyError,
    StreamInterruptedError,
    ThoughtSignatureError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.http_errors import decode_stream_failure
from vertex_compat_integrations.core.reply.accumulator import gathered
from vertex_compat_integrations.core.reply.calls_in_text.finder import SentTools, sent_tools
from vertex_compat_integrations.core.reply.decode import decode_replies
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.reply.reply import Ending, Reply, ReplyDelta
from vertex_compat_integrations.core.reply.stream import StreamDecoder
from vertex_compat_integrations.core.reply.stream_reader import StreamReader
from vertex_compat_integrations.core.request.build import Request, build_request
from vertex_compat_integrations.core.request.history import SkipValues, signatures_of
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.core.request.tool_names import under_own_names
from vertex_compat_integrations.core.settings.options import Options

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.meter import BilledCall, Meter


class MessagesCall(Call[Piece]):
    """One `chat` or `stream`."""

    path = wire.CHAT_PATH
    _stream: ClassVar[bool]

    def __init__(
        self, messages: Sequence[wire.Message], options: Options, terms: CallTerms, *, skip_values: SkipValues
    ) -> None:
        """Build the request.

        Raises:
            SettingsError: The options are invalid or contradict each other; nothing is sent.
        """
        self._messages, self._options = messages, options
        self._skip_values: SkipValues = skip_values
        self._distrusted = terms.distrusted
        self._repairs, self._line_of = terms.repairs, terms.line_of
        # This endpoint converts Gemini's calls from JSON objects to text, so they are always valid.
        self._checks_calls = not (terms.facts.gemini or terms.takes_empty)
        self._may_be_empty = terms.takes_empty
        self._ending: Ending | None = None
        self._sent_tools: SentTools | None = None
        self._meter = None if terms.new_meter is None else terms.new_meter()
        super().__init__(options.model, terms)

    def _build(self) -> Request:
        return build_request(
            self._messages,
            at_place(self._options, self.place),
            self._facts,
            stream=self._stream,
            resource=self._resource,
            skip_values=self._skip_values,
            distrusted=self._distrusted,
            mending=Mending(self._repairs, self._line_of),
        )

    def _placed(self, ending: Ending) -> Ending:
        """Return the ending with the model's name, and with the place that answered if there were several places."""
        if not ending.model:
            # Token counters use the name, and some gateways omit it.
            ending = replace(ending, model=self._model or None)
        if not self._attempts.has_choice:
            return ending
        return replace(ending, **self.place._asdict())

    def _with_cost(self, meter: "Meter", replies: list[Reply]) -> list[Reply]:
        """Return the replies, the first with the cost of all, like the token counts."""
        for reply in replies:
            meter.see(reply)
        first, *others = replies
        cost = meter.cost(first.ending, self._billed)
        return [first._replace(ending=replace(first.ending, cost=cost)), *others]

    @property
    def _billed(self) -> "BilledCall":
        from vertex_compat_integrations.core.cost.meter import BilledCall  # noqa: PLC0415 - few programs ask for costs

        return BilledCall(self.request.body, self.request.headers, self.url, self._resource.own_server)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Warnings that the model thought although thinking was off, or that its server left tool calls in the text."""
        if self._sent_tools is not None and self._sent_tools.has_read:
            remark = (
                f"{self._model} returned tool calls that its server left in the text; they were read there. Start the "
                "server with the tool parser of this model: it knows the model's format better."
            )
            return (remark,)
        ending = self._ending
        if not (self.request.thinking_off and ending and ending.usage and ending.usage.thought):
            return ()
        return (f"{self._model} thought though thinking is off: the setting has no effect on it.",)

    @property
    def _takes_empty(self) -> bool:
        """Whether an empty answer is accepted: the settings allow it, or the request has stop sequences."""
        return self._may_be_empty or bool(self.request.body.get("stop"))

    def _expect_calls(self) -> SentTools | None:
        """Return the tools whose calls a server may leave in the text; None for Gemini, which never does this."""
        self._sent_tools = None if self._facts.gemini else sent_tools(self.request.body)
        return self._sent_tools

    def _new_reader(self, *, done_is_an_end: bool = False) -> StreamReader:
        """Create the reader for the stream of one attempt."""
        decoder = StreamDecoder(
            marker=self.request.marker,
            unopened=self.request.unopened,
            lone_end=not self._facts.gemini,
            one_call=self.request.one_call,
            takes_empty=self._takes_empty,
            checks_calls=self._checks_calls,
            tools=self._expect_calls(),
        )
        return StreamReader(decoder, done_is_an_end=done_is_an_end)

    def _mend(self, error: VertexCompatError) -> bool:
        """Prepare another request that can succeed: with a fresh token, or with skip values for signatures."""
        if not isinstance(error, ThoughtSignatureError):
            return super()._mend(error)
        if "corrupted" in error.message.lower():
            # The server does not report which signature it was.
            self.refused_signatures = frozenset(map(hash, signatures_of(self.request.body["messages"])))
        self._skip_values = "everywhere"
        mended = self._build()
        if mended.body == self.request.body:
            return False
        self.request = mended
        return True


class ChatCall(MessagesCall[list[Reply]]):
    """One `chat`."""

    _stream = False

    @property
    def is_cut_short(self) -> bool:
        """Whether `max_tokens` is higher than the model's limit for answers that are not streamed."""
        limit = self._facts.unstreamed_output_tokens
        return limit is not None and self.request.body.get("max_tokens", 0) > limit

    def _decode(self, body: bytes) -> list[Reply]:
        """Decode the answers in a body.

        Raises:
            VertexCompatError: The body is an error, not a completion, or an empty answer.
        """
        completion = decode_json(body)
        # Servers behind proxies also send errors with status 200.
        if (failure := decode_stream_failure(completion)) is not None:
            raise failure
        replies = decode_replies(
            completion,
            marker=self.request.marker,
            unopened=self.request.unopened,
            lone_end=not self._facts.gemini,
            one_call=self.request.one_call,
            takes_empty=self._takes_empty,
            checks_calls=self._checks_calls,
            tools=None if self._facts.gemini else self._expect_calls(),
        )
        self._ending = replies[0].ending
        if own := self.request.own_names:
            replies = [under_own_names(reply, own) for reply in replies]
        replies = [reply._replace(ending=self._placed(reply.ending)) for reply in replies]
        return replies if self._meter is None else self._with_cost(self._meter, replies)


class GatheredCall(MessagesCall[list[Reply]]):
    """One `chat` whose answer is streamed, since a streamed answer may be longer; it is retried as a whole.

    For models that return fewer tokens without streaming (`unstreamed_output_tokens` of the catalogue).
    """

    _stream = True
    _reader: StreamReader | None = None
    _deltas: list[ReplyDelta]

    def read(self, block: bytes | None) -> Iterable[list[Reply]]:
        """Add a block of bytes of the body; return the answer at the end of the body, when `block` is None."""
        if (reader := self._reader) is None:
            reader = self._reader = self._new_reader()
            self._deltas = []
        self._deltas += reader.feed(block) if block is not None else reader.finish()
        if block is not None:
            return ()
        reply = gathered(self._deltas)
        self._ending = reply.ending
        reply = reply._replace(ending=self._placed(self._ending))
        replies = [under_own_names(reply, own) if (own := self.request.own_names) else reply]
        return (replies if self._meter is None else self._with_cost(self._meter, replies),)

    def delay_after(self, error: VertexCompatError) -> float:
        """Return the seconds to wait before the next attempt, which starts the answer again.

        Raises:
            VertexCompatError: The given error, with explanations, if there is no further attempt.
        """
        self._reader = None
        return super().delay_after(error)


class StreamCall(MessagesCall[ReplyDelta]):
    """One `stream`."""

    _stream = True

    def __init__(
        self, messages: Sequence[wire.Message], options: Options, terms: CallTerms, *, skip_values: SkipValues
    ) -> None:
        """Build the request.

        Raises:
            SettingsError: The options are invalid or contradict each other; nothing is sent.
        """
        self._takes_cut = terms.takes_cut
        # Google's Gemini sends a finish reason with every complete answer; a user's own server may only send `[DONE]`.
        self._done_is_an_end = terms.own_server and not terms.facts.gemini
        self._reader: StreamReader | None = None
        super().__init__(messages, options, terms, skip_values=skip_values)

    def read(self, block: bytes | None) -> Iterable[ReplyDelta]:
        """Add a block of bytes of the body (None at its end); return the pieces of the answer that it completes."""
        reader = self._reader
        if reader is None:
            reader = self._reader = self._new_reader(done_is_an_end=self._done_is_an_end)
        pieces = reader.feed(block) if block is not None else map(self._with_place, reader.finish())
        if self._meter is not None:
            pieces = map(partial(self._metered, self._meter), pieces)
        own = self.request.own_names
        return (under_own_names(piece, own) for piece in pieces) if own else pieces

    def _metered(self, meter: "Meter", delta: ReplyDelta) -> ReplyDelta:
        """Return the piece; the last one with the cost of the whole answer."""
        meter.see(delta)
        if delta.ending is None:
            return delta
        return delta._replace(ending=replace(delta.ending, cost=meter.cost(delta.ending, self._billed)))

    def _with_place(self, delta: ReplyDelta) -> ReplyDelta:
        if delta.ending is None:
            return delta
        self._ending = delta.ending
        return delta._replace(ending=self._placed(delta.ending))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Also a warning if thoughts were streamed as answer text until a closing tag arrived."""
        if self._reader is None or not self._reader.decoder.has_recalled:
            return super().remarks
        remark = (
            f"{self._model} began its answer with thoughts without an opening tag; they were streamed as answer "
            'text until a tag ended them.  With model_facts={"unopened_thoughts": True} they are streamed as thoughts.'
        )
        return (*super().remarks, remark)

    def settle_for(self, error: VertexCompatError) -> ReplyDelta | None:
        """Return the rest of an interrupted answer if the settings accept it; None if the error must be raised.

        A tool call that was interrupted is never returned.
        """
        is_cut = isinstance(error, StreamInterruptedError | ConnectionFailedError)
        reader = self._reader
        if not (is_cut and self._takes_cut and reader and reader.has_begun) or reader.decoder.has_calls:
            return None
        rest = reader.decoder.settle()
        warnings.warn(f"The answer is incomplete: {error.message}", VertexCompatWarning, stacklevel=2)
        rest = self._with_place(rest)
        if self._meter is None or rest.ending is None:
            return rest
        return rest._replace(ending=replace(rest.ending, cost=self._meter.interrupted()))

    def delay_after(self, error: VertexCompatError) -> float:
        """Return the seconds to wait before the next attempt.

        Raises:
            VertexCompatError: The given error, with explanations, if there is no further attempt. There is none after
                the first piece.
        """
        reader, self._reader = self._reader, None
        if reader is not None and reader.has_begun:
            raise self._explained(_interrupted(error, reader)) from None
        return super().delay_after(error)


def _interrupted(error: VertexCompatError, reader: StreamReader) -> VertexCompatError:
    """Convert the error to one for an interrupted stream, with the part of the answer received so far."""
    if isinstance(error, PartialReplyError):
        return error
    interrupted = reader.decoder.interrupted(f"The stream broke off: {error.message}")
    interrupted.code, interrupted.status, interrupted.details = error.code, error.status, error.details
    interrupted.retry_after = error.retry_after
    return interrupted
