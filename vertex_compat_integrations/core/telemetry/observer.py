"""Reports calls to OpenTelemetry: a span and metrics for each, with the names of its GenAI conventions.

Loaded only if the settings enable it. Only the API package is needed: without a provider, nothing is reported. Source:
semantic conventions 1.41, "Generative AI" (status: development). No attribute contains the project or a credential, and
none contains parts of the conversation, unless the usual variable (`CAPTURE_VARIABLE`) is set.
"""

import os
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from opentelemetry import metrics, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from vertex_compat_integrations import wire
from vertex_compat_integrations._version import __version__
from vertex_compat_integrations.core.calls.call import Call, CarriesMedia
from vertex_compat_integrations.core.calls.chat import MessagesCall, StreamCall
from vertex_compat_integrations.core.calls.embedding import Embedded
from vertex_compat_integrations.core.calls.places import Place
from vertex_compat_integrations.core.errors import VertexCompatError
from vertex_compat_integrations.core.json_values import mapping_in, text_in
from vertex_compat_integrations.core.reply.accumulator import Accumulator
from vertex_compat_integrations.core.reply.reply import Ending, Reply, ReplyDelta, Usage
from vertex_compat_integrations.core.telemetry.messages import write_messages, write_replies
from vertex_compat_integrations.core.transport.event_loops import AclosingQuietly

Answer = TypeVar("Answer")
Attributes = dict[str, Any]

PROVIDER = "gcp.vertex_ai"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.0"
CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

_CAPTURING = ("true", "span_only", "span_and_event")
# Bucket boundaries that the conventions advise for durations and for token counts.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Instruments:
    """The tracer and the histograms; they use the global providers, even if these are set later."""

    tracer: Tracer
    duration: Histogram
    first_chunk: Histogram
    tokens: Histogram


@cache
def _instruments() -> _Instruments:
    meter = metrics.get_meter("vertex_compat_integrations", __version__, schema_url=SCHEMA_URL)
    return _Instruments(
        trace.get_tracer("vertex_compat_integrations", __version__, schema_url=SCHEMA_URL),
        meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        ),
        meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to receive the first chunk of a stream.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        ),
        meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        ),
    )


def resolve_capture(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether spans hold the conversation; the variable is that of `opentelemetry-util-genai`."""
    return environment.get(CAPTURE_VARIABLE, "").strip().lower() in _CAPTURING


class Observer:
    """Creates an observation for each call of one client."""

    def __init__(self, origin_of: Callable[[Place], str], clock: Callable[[], float]) -> None:
        """Create an observer; `origin_of` returns the origin of a place; `clock` returns the time, in seconds."""
        self._origin_of, self._clock = origin_of, clock
        self._captures = resolve_capture()

    def watch(self, call: Call[Any]) -> "Observation":
        """Return the call's observation, a context manager around the call's work, which also gets the answer."""
        return Observation(call, self._origin_of, self._clock, captures=self._captures)

    def stream(
        self, begin: Callable[[], StreamCall], work: Callable[[Callable[[], StreamCall]], Generator[ReplyDelta]]
    ) -> Generator[ReplyDelta]:
        """Yield the pieces of a call that `work` returns, and observe them.

        The span is current until the first piece, so that the HTTP client's spans and the retries are its children;
        never while the caller has a piece, since that would change the caller's own context.
        """
        call = begin()
        with self.watch(call) as seen, closing(work(lambda: call)) as deltas:
            with seen.current():
                delta = next(deltas, None)
            while delta is not None:
                seen.came(delta)
                yield delta
                delta = next(deltas, None)

    async def astream(
        self, begin: Callable[[], StreamCall], work: Callable[[Callable[[], StreamCall]], AsyncGenerator[ReplyDelta]]
    ) -> AsyncGenerator[ReplyDelta]:
        """Like `stream`."""
        call = begin()
        with self.watch(call) as seen:
            async with AclosingQuietly(work(lambda: call)) as deltas:
                with seen.current():
                    delta = await anext(deltas, None)
                while delta is not None:
                    seen.came(delta)
                    yield delta
                    delta = await anext(deltas, None)

    def retried(self, error: VertexCompatError, delay: float) -> None:
        """Add an event to the current call's span: an attempt failed, and the next follows after `delay` seconds."""
        attributes = {**_failure(error), "vertex_compat.retry.delay": delay}
        trace.get_current_span().add_event("vertex_compat.retry", attributes)


class Observation:
    """One call's span and measurements; a context manager that ends the span when it exits.

    A call that its caller abandons, for example by leaving a loop, is not an error, but has `vertex_compat.abandoned`.
    """

    def __init__(
        self, call: Call[Any], origin_of: Callable[[Place], str], clock: Callable[[], float], *, captures: bool
    ) -> None:
        """Begin the span, as a child of the current one."""
        self._call, self._origin_of = call, origin_of
        self._clock, self._begun = clock, clock()
        self._common = _common_attributes(call, origin_of(call.place))
        operation, model = self._common["gen_ai.operation.name"], self._common.get("gen_ai.request.model")
        name = f"{operation} {model}" if model else str(operation)
        self._span = _instruments().tracer.start_span(name, kind=SpanKind.CLIENT, attributes=self._common)
        self._captures = captures and isinstance(call, MessagesCall) and call.operation is None
        self._first: float | None = None
        self._endings: list[Ending] = []
        self._usage: Usage | None = None
        self._tokens: int | None = None
        self._replies: list[Reply] = []
        self._accumulator = Accumulator() if self._captures else None
        if self._span.is_recording():
            self._span.set_attributes(_request_attributes(call.request.body))
            if self._captures:
                self._span.set_attribute("gen_ai.input.messages", write_messages(call.request.body["messages"]))

    def current(self) -> AbstractContextManager[object]:
        """Make the span the current one, for a section of code without a `yield`."""
        return trace.use_span(self._span, record_exception=False, set_status_on_exception=False)

    def answered(self, answer: Answer) -> Answer:
        """Record the answer's usage and endings; return the answer."""
        if isinstance(answer, Embedded):
            self._usage = None if answer.input_tokens is None else Usage(answer.input_tokens, 0)
        elif isinstance(answer, list):
            self._replies = answer
            self._endings = [reply.ending for reply in answer]
        elif isinstance(answer, int):
            self._tokens = answer
        elif isinstance(answer, Mapping):
            self._tokens = mapping_in(answer.get("usageMetadata")).get("totalTokenCount")
        return answer

    def came(self, delta: ReplyDelta) -> None:
        """Record a piece of the answer."""
        if self._first is None:
            self._first = self._clock() - self._begun
        if self._accumulator is not None:
            self._replies = [self._accumulator.add(delta)]
        if delta.ending is not None:
            self._endings = [delta.ending]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        seconds = self._clock() - self._begun
        left = isinstance(error, GeneratorExit)
        failure = {} if error is None or left else _failure(error)
        # The last place that was tried, which need not be the first.
        self._common |= _server_attributes(self._origin_of(self._call.place))
        if self._span.is_recording():
            self._span.set_attributes({**self._common, **self._answer_attributes(), **failure})
            if self._call.media is not None:
                self._add_uploads(self._call.media)
            if left and not self._endings:
                self._span.set_attribute("vertex_compat.abandoned", True)
            if failure:
                # Without a description: messages of the service quote the prompt and name the project.
                self._span.set_status(Status(StatusCode.ERROR))
        self._measure(seconds, failure)
        self._span.end()

    def _add_uploads(self, media: CarriesMedia) -> None:
        """Add an event for each large medium; neither its name nor the bucket, which may name the project."""
        for mime_type, size, seconds, end in media.uploads:
            attributes: Attributes = {
                "vertex_compat.upload.mime_type": _clean(mime_type),
                "vertex_compat.upload.size": size,
                "vertex_compat.upload.duration": seconds,
            }
            self._span.add_event("vertex_compat.upload", attributes, timestamp=int(end * 1e9))

    def _answer_attributes(self) -> Attributes:
        attributes: Attributes = {}
        if isinstance(self._tokens, int):
            attributes["vertex_compat.token_count"] = self._tokens
        if self._first is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = self._first
        if self._endings:
            attributes |= _response_attributes(self._endings)
        if (usage := self._counted()) is not None:
            attributes |= _usage_attributes(usage)
        cost = self._endings[0].cost if self._endings else None
        if cost is not None and cost["usd"] is not None:
            attributes["vertex_compat.cost.usd"] = cost["usd"]
        if self._captures and self._replies:
            attributes["gen_ai.output.messages"] = write_replies(self._replies)
        return attributes

    def _counted(self) -> Usage | None:
        return self._endings[0].usage if self._endings else self._usage

    def _measure(self, seconds: float, failure: Attributes) -> None:
        instruments, context = _instruments(), trace.set_span_in_context(self._span)
        answered = dict(self._common)
        if self._endings and self._endings[0].model:
            answered["gen_ai.response.model"] = _clean(self._endings[0].model)
        ended = answered | ({"error.type": failure["error.type"]} if failure else {})
        instruments.duration.record(seconds, ended, context)
        if self._first is not None:
            instruments.first_chunk.record(self._first, answered, context)
        usage = self._counted()
        if usage is None:
            return
        instruments.tokens.record(usage.input, {**answered, "gen_ai.token.type": "input"}, context)
        if self._endings:
            instruments.tokens.record(usage.output, {**answered, "gen_ai.token.type": "output"}, context)


def _operation(call: Call[object]) -> str:
    return call.operation or ("chat" if call.path == wire.CHAT_PATH else "embeddings")


def _model(call: Call[object]) -> str:
    # The body of a native request names no model, or one with its project.
    name: str = call.request.body["model"] if call.operation is None else call.model
    return name


def _common_attributes(call: Call[object], origin: str) -> Attributes:
    """The attributes that samplers see, and that split the metrics."""
    attributes: Attributes = {
        "gen_ai.operation.name": _operation(call),
        "gen_ai.provider.name": PROVIDER,
        **_server_attributes(origin),
    }
    if model := _model(call):
        attributes["gen_ai.request.model"] = model
    return attributes


def _server_attributes(origin: str) -> Attributes:
    server = urlsplit(origin)
    return {"server.address": server.hostname or "", "server.port": server.port or _PORTS.get(server.scheme, 443)}


_NUMBERS = {
    "temperature": float,
    "top_p": float,
    "top_k": float,
    "frequency_penalty": float,
    "presence_penalty": float,
    "max_tokens": int,
    "seed": int,
}
"""Fields of the body that are attributes `gen_ai.request.…` of the same name, and their types."""


def _request_attributes(body: wire.Json) -> Attributes:
    """The settings in the body; a value from the user's extra body counts only if it has the right type."""
    attributes: Attributes = {
        f"gen_ai.request.{name}": kind(body[name])
        for name, kind in _NUMBERS.items()
        if isinstance(body.get(name), int | kind)
    }
    others = {
        "gen_ai.request.choice.count": _choice_count(body),
        "gen_ai.request.stop_sequences": _stop_sequences(body),
        "gen_ai.request.stream": body.get("stream") or None,
        "gen_ai.output.type": _output_type(body),
        "gen_ai.embeddings.dimension.count": body.get("dimensions"),
        "gen_ai.request.encoding_formats": [body["encoding_format"]] if "encoding_format" in body else None,
    }
    return attributes | {name: value for name, value in others.items() if value is not None}


def _choice_count(body: wire.Json) -> int | None:
    # The conventions require it only if it is not 1.
    match body.get("n"):
        case int(count) if count != 1:
            return count
        case _:
            return None


def _stop_sequences(body: wire.Json) -> list[str] | None:
    match body.get("stop"):
        case str(stop):
            return [_clean(stop)]
        case [*stops]:
            return [_clean(str(stop)) for stop in stops]
        case _:
            return None


def _output_type(body: wire.Json) -> str | None:
    """The type of the answer, by one of the conventions' names; None if the body does not set it."""
    modalities = body.get("modalities") or ()
    for modality, output_type in (("image", "image"), ("audio", "speech")):
        if modality in modalities:
            return output_type
    kind = text_in(mapping_in(body.get("response_format")).get("type"))
    return None if not kind else "json" if "json" in kind else "text"


def _response_attributes(endings: list[Ending]) -> Attributes:
    first = endings[0]
    reasons = [_clean(ending.finish_reason) for ending in endings if ending.finish_reason]
    attributes = {
        "gen_ai.response.id": first.id and _clean(first.id),
        "gen_ai.response.model": first.model and _clean(first.model),
        "gen_ai.response.finish_reasons": reasons,
    }
    return {name: value for name, value in attributes.items() if value}


def _usage_attributes(usage: Usage) -> Attributes:
    counts = {
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.usage.reasoning.output_tokens": usage.thought,
        "gen_ai.usage.cache_read.input_tokens": usage.cached,
    }
    return {"gen_ai.usage.input_tokens": usage.input, **{name: count for name, count in counts.items() if count}}


def _failure(error: BaseException) -> Attributes:
    attributes: Attributes = {"error.type": type(error).__qualname__}
    if isinstance(error, VertexCompatError) and error.code is not None:
        attributes["http.response.status_code"] = error.code
    return attributes


def _clean(text: str) -> str:
    """Return the text without lone surrogates, which an exporter could not encode."""
    return text.encode(errors="replace").decode()
