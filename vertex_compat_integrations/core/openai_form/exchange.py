"""One request of the stock SDK's client and its answer, both changed on their way. Pure but for what is remembered."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatError, VertexCompatWarning
from vertex_compat_integrations.core.http_errors import decode_failure, decode_stream_failure
from vertex_compat_integrations.core.json_values import encode_json
from vertex_compat_integrations.core.openai_form.answer import AnswerForm, fit_completion
from vertex_compat_integrations.core.openai_form.errors import error_body, error_event, error_headers, status_of
from vertex_compat_integrations.core.openai_form.relay import Relay
from vertex_compat_integrations.core.openai_form.request import decode_request, fit_chat
from vertex_compat_integrations.core.openai_form.signature_memory import SignatureMemory
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.mending import Mending
from vertex_compat_integrations.core.settings.connection import Destination, resolve_model_name


class Answered(NamedTuple):
    """An answer as the SDK gets it: HTTP status, body, and headers besides those that came."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it goes out.

    Attributes:
        content: Its body; None if that stays as it is.
        refusal: The answer, if nothing is sent at all.
        model: The model as the endpoint calls it.
        form: How the answer goes back.
        is_chat: Whether the answer is a completion, or a stream of one.
        is_streamed: Whether it is a stream.
    """

    content: bytes | None = None
    refusal: Answered | None = None
    model: str = ""
    form: AnswerForm = field(default_factory=AnswerForm)
    is_chat: bool = False
    is_streamed: bool = False


class ExchangeForm:
    """Changes the requests and answers of one client, and remembers the thought signatures of its answers."""

    def __init__(self, destination: Destination, project: str | None, *, repairs: bool) -> None:
        """`repairs`: whether an odd history may be mended with a loss."""
        self._destination, self._project, self._repairs = destination, project, repairs
        self._memory = SignatureMemory()
        self._warned: set[str] = set()

    def read(self, path: str, raw: bytes) -> Asked:
        """The request to this path with this body, as it goes out."""
        if not raw or not path.endswith(wire.CHAT_PATH):
            return Asked()
        model = ""
        try:
            body = decode_request(raw)
            model = self._resolved(str(body.get("model") or ""))
            mending = Mending(self._repairs)
            fitted = fit_chat(body, model, self._memory, mending, own_server=self._destination.own_server)
        except VertexCompatError as error:
            return Asked(refusal=self._answered(error, model))
        self._warn_of(fitted.notes)
        is_streamed = bool(body.get("stream"))
        return Asked(encode_json(fitted.body), None, model, fitted.form, is_chat=True, is_streamed=is_streamed)

    def failure(self, asked: Asked, status: int, body: bytes, headers: Mapping[str, str]) -> Answered:
        """An error answer in OpenAI's form, with Google's message and a hint; the status stays."""
        return self._answered(decode_failure(status, body, headers), asked.model)._replace(status=status)

    def completion(self, asked: Asked, body: bytes) -> Answered | None:
        """A whole answer in OpenAI's form; None if it has that already."""
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
        """What changes the events of a streamed answer."""
        return StreamForm(self, asked)

    def learn(self, relay: Relay, model: str) -> None:
        """Remember what stands beside the calls of a streamed answer."""
        self._memory.learn(relay.calls, model)

    def explained(self, error: VertexCompatError, model: str) -> VertexCompatError:
        """The error with the place where it happened."""
        error.model = model or None
        if model:
            error.project, error.location = self._project, self._destination.location
        return error

    def _answered(self, error: VertexCompatError, model: str) -> Answered:
        body = encode_json(error_body(self.explained(error, model)))
        return Answered(status_of(error), body, error_headers(error))

    def _resolved(self, name: str) -> str:
        """The model's whole name; a name that cannot be one goes out as it is, for Google to judge."""
        try:
            return resolve_model_name(name, self._destination)
        except SettingsError:
            return name

    def _warn_of(self, notes: Iterable[str]) -> None:
        """Warn the caller; the same words once only."""
        for note in set(notes) - self._warned:
            self._warned.add(note)
            warnings.warn(note, VertexCompatWarning, stacklevel=3)


class StreamForm:
    """Feeds on the blocks of one streamed answer; `feed` each, then `finish`.

    Attributes:
        is_over: Whether nothing more is to be fed: an error came.
    """

    def __init__(self, exchange: ExchangeForm, asked: Asked) -> None:
        self._exchange, self._asked = exchange, asked
        self._relay = Relay(asked.form, done_is_an_end=not facts_for(asked.model).gemini)
        self.is_over = False

    def feed(self, block: bytes) -> bytes:
        """The events that the block completes."""
        return self._passed(self._relay.feed(block))

    def finish(self) -> bytes:
        """What remains at the body's end."""
        return self._passed(self._relay.finish())

    def broken(self) -> bytes | None:
        """What remains where the connection broke; None if the answer is not whole."""
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
