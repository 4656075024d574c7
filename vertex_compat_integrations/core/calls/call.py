"""One call: its request, its attempts, and the handling of each answer. No I/O of its own."""

import json
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.calls.advice import ModelAdvice, refused_payer
from vertex_compat_integrations.core.calls.embedding import Embedded, decode_embeddings, served_hint
from vertex_compat_integrations.core.calls.places import Attempts, BudgetOf, Place, PlaceMemory, at_place
from vertex_compat_integrations.core.calls.request_count import count_request
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    CredentialsError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    PartialReplyError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
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
from vertex_compat_integrations.core.request.build import Request, Resource, build_request
from vertex_compat_integrations.core.request.history import SkipValues, signatures_of
from vertex_compat_integrations.core.request.mending import LineOf, Mending, wire_line
from vertex_compat_integrations.core.request.tool_names import under_own_names
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.meter import BilledCall, Meter

Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True)
class CallTerms:
    """Settings and helpers for one call.

    Attributes:
        facts: The model's facts.
        project: The project of the requests, if it is known.
        seconds: Timeout of the whole call, retries included.
        max_retries: Requests after the first one.
        own_server: Whether the server is the user's own, not a Google host.
        takes_cut: Whether an interrupted stream counts as an answer (`on_truncated="warn"`).
        clock: Returns the time, in seconds.
        chance: Returns a random number from 0 to 1.
        memory: The health of each location, project and request type.
        budget_of: Returns the retry budget of a place.
        distrusted: Hashes of thought signatures that the service refused before.
        repairs: Whether an invalid history may be repaired even if something is lost.
        line_of: Renders a missing message as the caller's framework would write it.
        takes_empty: Whether an empty turn counts as an answer (`on_empty="return"`).
        new_meter: Creates the meter of the answer's cost; None if the settings do not ask for the cost.
    """

    facts: ModelFacts
    project: str | None
    seconds: float
    max_retries: int
    own_server: bool
    takes_cut: bool
    clock: Callable[[], float]
    chance: Callable[[], float]
    memory: PlaceMemory
    budget_of: BudgetOf
    distrusted: Collection[int] = ()
    repairs: bool = False
    line_of: LineOf = wire_line
    takes_empty: bool = False
    new_meter: "Callable[[], Meter] | None" = None


class CarriesMedia(Protocol):
    """The large media of a call, which are sent as links to uploaded objects.

    Attributes:
        uploads: MIME type, size in bytes, seconds and end (`time.time`) of each upload that the call waited for.
    """

    uploads: list[tuple[str, int, float, float]]

    def upload(self, body: wire.Json) -> None:
        """Upload the large media of the body."""

    async def aupload(self, body: wire.Json) -> None:
        """Like `upload`; nothing blocks the event loop."""

    def refer(self, body: wire.Json) -> wire.Json:
        """Return the body with links instead of the uploaded media."""

    def is_lost(self, error: Exception) -> bool:
        """Return whether an error names an uploaded object that is gone; once, and then it is uploaded again."""


class Call(Generic[Piece]):
    """The state of a call across its attempts; a subclass builds the request and reads the answer.

    A plain call yields its whole answer as one piece, so that one loop serves plain calls and streams.
    """

    path: str
    method: Literal["post", "get", "patch", "delete"] = "post"
    is_native: ClassVar[bool] = False
    """Whether the path is one of Google's native API, below the location instead of the endpoint."""
    operation: str | None = None
    """What telemetry calls the request, if it is neither a chat nor embeddings."""
    refused_signatures: frozenset[int] = frozenset()

    def __init__(self, model: str, terms: CallTerms) -> None:
        """Build the request.

        Raises:
            SettingsError: The options are invalid or contradict each other; nothing is sent.
        """
        self._model, self._facts = model, terms.facts
        self._seconds, self._clock = terms.seconds, terms.clock
        self._attempts = Attempts(
            terms.memory,
            terms.budget_of,
            max_retries=terms.max_retries,
            clock=terms.clock,
            chance=terms.chance,
        )
        self._resource = Resource(self.place.project or terms.project, self.place.location, terms.own_server)
        self._began = terms.clock()
        self._deadline = self._began + terms.seconds
        self._requests = 0
        self._blocks: list[bytes] = []
        self._repaired: set[type[VertexCompatError]] = set()
        self._refused: tuple[AuthenticationError, Mapping[str, str]] | None = None
        self.auth_headers: Mapping[str, str] = {}
        self.url: str | None = None
        self.media: CarriesMedia | None = None
        self.request = self._build()

    def _build(self) -> Request:
        """Build the request to be sent."""
        raise NotImplementedError

    def read(self, block: bytes | None) -> Iterable[Piece]:
        """Add a block of bytes of the body; return the pieces of the answer that are complete with it.

        `block` is None at the end of the body.

        Raises:
            VertexCompatError: The body is an error, or not an answer to this call.
        """
        if block is not None:
            self._blocks.append(block)
            return ()
        body, self._blocks = b"".join(self._blocks), []
        return (self._decode(body),)

    def _decode(self, body: bytes) -> Piece:
        """Decode the answer in a whole body.

        Raises:
            VertexCompatError: The body is an error, or not an answer to this call.
        """
        raise NotImplementedError

    def settle_for(self, error: VertexCompatError) -> Piece | None:  # noqa: ARG002 - a stream's depends on it
        """Return the rest of an interrupted answer if the settings accept it; None if the error must be raised."""
        return None

    @property
    def reads_links(self) -> bool:
        """Whether the model reads `gs://` links: Google documents them for Gemini's chat completions."""
        return self._facts.gemini and self.path == wire.CHAT_PATH

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model

    @property
    def place(self) -> Place:
        """Location, project and request type of the next attempt."""
        return self._attempts.place

    def locate(self, project: str | None) -> None:
        """Fill in resource names that need the project, once the credential provides it."""
        self._resource = replace(self._resource, project=project)
        self.request = self._build()

    @property
    def remaining(self) -> float:
        """Seconds until the deadline.

        Raises:
            DeadlineExceededError: The deadline has passed.
        """
        seconds = self._deadline - self._clock()
        if seconds <= 0:
            raise DeadlineExceededError(f"The call took longer than {self._seconds:g} s.")
        return seconds

    def content(self) -> bytes:
        """Return the request's body for the next attempt, and count the attempt."""
        self._requests += 1
        count_request(lambda: self.request.body)
        body = self.request.body if self.media is None else self.media.refer(self.request.body)
        try:
            return to_json(body)
        except ValueError:
            # A lone surrogate, which models send in a cut emoji, cannot be encoded as UTF-8; escaped, it is valid JSON.
            return json.dumps(body, separators=(",", ":")).encode()

    def headers(self, auth_headers: Mapping[str, str]) -> AuthHeaders:
        """Return the request's own headers together with those of the credential.

        Raises:
            AuthenticationError: The server just refused these headers, and the credential has no others.
        """
        if self._refused is not None and self._refused[1] == auth_headers:
            raise self._refused[0]
        self.auth_headers = auth_headers
        return AuthHeaders({**self.request.headers, **auth_headers})

    def delay_after(self, error: VertexCompatError) -> float:
        """Return the seconds to wait before the next attempt.

        Raises:
            VertexCompatError: The given error, with explanations, if there is no further attempt.
        """
        self._blocks = []
        if self._repair(error) or (self.media is not None and self.media.is_lost(error)):
            return 0.0
        place = self.place
        delay = self._attempts.delay_after(error, self._deadline - self._clock())
        if delay is None:
            raise self._explained(self._attempts.verdict(error))
        if self.place != place:
            project = self.place.project or self._resource.project
            self._resource = replace(self._resource, project=project, location=self.place.location)
            self.request = self._build()
        return delay

    def _repair(self, error: VertexCompatError) -> bool:
        """Repair the request, once for each cause, not counted as a retry; return whether it was possible."""
        if not isinstance(error, AuthenticationError | ThoughtSignatureError) or type(error) in self._repaired:
            return False
        self._repaired.add(type(error))
        if isinstance(error, AuthenticationError):
            self._refused = error, self.auth_headers
        return self._mend(error)

    def _mend(self, error: VertexCompatError) -> bool:
        """Prepare another request that can succeed, for example with a fresh token; return whether there is one."""
        return isinstance(error, AuthenticationError)

    def succeed(self) -> None:
        """Record that the call succeeded."""
        self._attempts.succeed()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Warnings for the user that result from the answer, for example about settings that had no effect."""
        return ()

    def was_repaired(self, kind: type[VertexCompatError]) -> bool:
        """Return whether the request was repaired after an error of this kind."""
        return kind in self._repaired

    def _explained(self, error: VertexCompatError) -> VertexCompatError:
        """Return the error with the facts of the call; the error is also an instance of the SDK's class."""
        error.model = self._model or None
        error.project = error.project or self._resource.project
        error.location = error.location or self._resource.location
        error.attempts, error.seconds, error.url = self._requests, self._clock() - self._began, self.url
        error.hint = " ".join(filter(None, (self._attempts.story, self._hint(error))))
        return as_sdk_error(error)

    def _hint(self, error: VertexCompatError) -> str:
        """Return a hint on how to fix the error, based on what is known about the model."""
        match error:
            case NotFoundError():
                return self._advice.where_it_is(error) or error.hint
            case RateLimitError() if error.hint == error.default_hint:
                return self._advice.where_capacity_is()
            case PermissionDeniedError() | CredentialsError() if self._attempts.has_choice:
                return " ".join(filter(None, (error.hint, refused_payer(error, self.place))))
            case InvalidRequestError():
                return " ".join(filter(None, (self._output_caps(error), error.hint)))
            case _:
                return error.hint

    @property
    def _advice(self) -> ModelAdvice:
        return ModelAdvice(self._model, self._facts, self._resource.location, self.url, self._attempts.has_choice)

    def _output_caps(self, error: VertexCompatError) -> str | None:
        """Return the answer's length limits, if the error is about them and one applies only without streaming."""
        cap, facts = self._facts.unstreamed_output_tokens, self._facts
        if cap is None or not re.search(r"max_?(output)?_?tokens|output tokens", error.message, re.IGNORECASE):
            return None
        return (
            f"{self._model} returns at most {facts.output_tokens:,} tokens per answer, {cap:,} unless it is streamed."
        )


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


class EmbeddingCall(Call[Embedded]):
    """One request for embeddings."""

    path = wire.EMBEDDINGS_PATH

    def __init__(self, body: wire.EmbeddingRequest, terms: CallTerms) -> None:
        """Use the given request body unchanged."""
        self._body = body
        super().__init__(body["model"], terms)

    def _build(self) -> Request:
        return Request(dict(self._body), {})

    def _decode(self, body: bytes) -> Embedded:
        """Decode the vectors in a body.

        Raises:
            VertexCompatError: The body is an error, or not a list with one vector for each text.
        """
        answer = decode_json(body)
        if (failure := decode_stream_failure(answer)) is not None:
            raise failure
        return decode_embeddings(answer, self._body)

    def _hint(self, error: VertexCompatError) -> str:
        """Return a hint on how to fix the error; add facts about the model's locations if its own hint is general."""
        advice = self._advice
        remarks = dict.fromkeys(filter(None, (advice.where_it_is(error), advice.end())))
        if isinstance(error, NotFoundError):
            return " ".join((*remarks, served_hint()))
        if isinstance(error, ServerError | InvalidRequestError) and error.hint == error.default_hint:
            return " ".join((error.hint, *remarks))
        return error.hint


def _interrupted(error: VertexCompatError, reader: StreamReader) -> VertexCompatError:
    """Convert the error to one for an interrupted stream, with the part of the answer received so far."""
    if isinstance(error, PartialReplyError):
        return error
    interrupted = reader.decoder.interrupted(f"The stream broke off: {error.message}")
    interrupted.code, interrupted.status, interrupted.details = error.code, error.status, error.details
    interrupted.retry_after = error.retry_after
    return interrupted
