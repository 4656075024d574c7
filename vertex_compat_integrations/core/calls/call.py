"""One call: its request, its attempts, and the handling of each answer. No I/O of its own."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.auth.source import AuthHeaders
from vertex_compat_integrations.core.calls.advice import ModelAdvice, refused_payer
from vertex_compat_integrations.core.calls.places import Attempts, BudgetOf, Place, PlaceMemory
from vertex_compat_integrations.core.calls.request_count import count_request
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    CredentialsError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ThoughtSignatureError,
    VertexCompatError,
)
from vertex_compat_integrations.core.request.build import Request, Resource
from vertex_compat_integrations.core.request.mending import LineOf, wire_line
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.meter import Meter

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
        new_meter: The class of the meter of the answer's cost; None if the settings do not ask for the cost.
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
    new_meter: "type[Meter] | None" = None


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
        self.new_meter = terms.new_meter
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
        attempts, location = self._attempts, self._resource.location
        return ModelAdvice(self._model, self._facts, location, self.url, attempts.has_choice, attempts.tried)

    def _output_caps(self, error: VertexCompatError) -> str | None:
        """Return the answer's length limits, if the error is about them and one applies only without streaming."""
        cap, facts = self._facts.unstreamed_output_tokens, self._facts
        if cap is None or not re.search(r"max_?(output)?_?tokens|output tokens", error.message, re.IGNORECASE):
            return None
        return (
            f"{self._model} returns at most {facts.output_tokens:,} tokens per answer, {cap:,} unless it is streamed."
        )
