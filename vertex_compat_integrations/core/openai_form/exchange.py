"""One request of the stock SDK's client and its answer, both converted. Pure, except for remembered signatures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatError
from vertex_compat_integrations.core.http_errors import decode_failure, decode_stream_failure
from vertex_compat_integrations.core.json_values import encode_json
from vertex_compat_integrations.core.openai_form.answer import AnswerForm, fit_completion
from vertex_compat_integrations.core.openai_form.errors import error_body, error_event, error_headers, status_of
from vertex_compat_integrations.core.openai_form.relay import Relay
from vertex_compat_integrations.core.openai_form.request import decode_request, fit_chat
from vertex_compat_integrations.core.openai_form.signature_memory import SignatureMemory
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.core.settings.destination import Destination, resolve_model_name


class Answered(NamedTuple):
    """An answer for the SDK: HTTP status, body, and additional headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A converted request.

    Attributes:
        content: Its body; None if it is unchanged.
        refusal: The answer, if nothing is sent at all.
        model: The model's name on the endpoint.
        form: The form of the answer.
        is_chat: Whether the answer is a completion, or a stream of one.
        is_streamed: Whether the answer is a stream.
        is_known: Whether Vertex AI is documented to have its path.
    """

    content: bytes | None = None
    refusal: Answered | None = None
    model: str = ""
    form: AnswerForm = field(default_factory=AnswerForm)
    is_chat: bool = False
    is_streamed: bool = False
    is_known: bool = True


class ExchangeForm:
    """Converts the requests and answers of one client, and remembers the thought signatures of its answers."""

    def __init__(self, destination: Destination, project: str | None, *, repairs: bool) -> None:
        """Create the converter; `repairs`: whether an invalid history may be repaired with a loss."""
        self._destination, self._project, self._repairs = destination, project, repairs
        self._memory = SignatureMemory()
        self._notices = Notices()

    def read(self, path: str, raw: bytes) -> Asked:
        """Convert the request to this path with this body."""
        if not raw or not path.endswith(wire.CHAT_PATH):
            return Asked(is_known=path.endswith((wire.CHAT_PATH, wire.EMBEDDINGS_PATH)))
        model = ""
        try:
            body = decode_request(raw)
            model = self._resolved(str(body.get("model") or ""))
            mending = Mending(self._repairs)
            fitted = fit_chat(body, model, self._memory, mending, own_server=self._destination.own_server)
        except VertexCompatError as error:
            return Asked(refusal=self._answered(error, model))
        for note in fitted.notes:
            self._notices.warn_once(note, stacklevel=3)
        is_streamed = bool(body.get("stream"))
        return Asked(encode_json(fitted.body), None, model, fitted.form, is_chat=True, is_streamed=is_streamed)

    def failure(self, asked: Asked, status: int, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Return an error answer in OpenAI's form, with Google's message and a hint; the status is unchanged."""
        error = decode_failure(status, body, headers)
        if error.code == HTTPStatus.NOT_FOUND and not asked.is_known and not self._destination.own_server:
            error.hint = "This API has /chat/completions and /embeddings only: use client.chat.completions."
        return self._answered(error, asked.model)._replace(status=status)

    def completion(self, asked: Asked, body: bytes) -> Answered | None:
        """Return a whole answer in OpenAI's form; None if it already has that form."""
        try:
            value = decode_json(body)
            if (failure := decode_stream_failure(value)) is not None:
                raise failure
            completion = fit_completion(value, asked.form)
        except VertexCompatError as error:
            return self._answered(error, asked.model)
        self._memory.learn_completion(completion, asked.model)
        return None if completion is value else Answered(200, encode_json(completion))

    def stream(self, asked: Asked) -> "StreamForm":
        """Return the converter for the events of a streamed answer."""
        return StreamForm(self, asked)

    def learn(self, relay: Relay, model: str) -> None:
        """Remember the signatures of a streamed answer's calls."""
        self._memory.learn(relay.calls, model)

    def explained(self, error: VertexCompatError, model: str) -> VertexCompatError:
        """Add model, project and location to the error."""
        error.model = model or None
        if model:
            error.project, error.location = self._project, self._destination.location
        return error

    def _answered(self, error: VertexCompatError, model: str) -> Answered:
        body = encode_json(error_body(self.explained(error, model)))
        return Answered(status_of(error), body, error_headers(error))

    def _resolved(self, name: str) -> str:
        """The model's full name; an invalid name is sent unchanged, so that Google decides."""
        try:
            return resolve_model_name(name, self._destination)
        except SettingsError:
            return name


class StreamForm:
    """Converts the blocks of one streamed answer; call `feed` with each, then `finish`.

    Attributes:
        is_over: Whether an error was received, so that nothing more must be fed.
    """

    def __init__(self, exchange: ExchangeForm, asked: Asked) -> None:
        self._exchange, self._asked = exchange, asked
        self._relay = Relay(asked.form, done_is_an_end=not facts_for(asked.model).gemini)
        self.is_over = False

    def feed(self, block: bytes) -> bytes:
        """Return the events that the block completes."""
        return self._passed(self._relay.feed(block))

    def finish(self) -> bytes:
        """Return the rest, at the end of the body."""
        return self._passed(self._relay.finish())

    def broken(self) -> bytes | None:
        """Return the rest after a broken connection; None if the answer is not complete."""
        return self._relay.ending() if self._relay.is_finished else None

    def _passed(self, events: bytes) -> bytes:
        if self._relay.is_finished:
            self._exchange.learn(self._relay, self._asked.model)
        failure = self._relay.failure
        if failure is None:
            return events
        self.is_over = True
        whole = self.broken()
        return events + (whole or error_event(self._exchange.explained(failure, self._asked.model)))
