"""Texts → requests of the embeddings route, and its answers → vectors. No I/O.

Google's pages name the models (multilingual E5), not the route; that it is `/embeddings` next to `/chat/completions`
and uses OpenAI's shapes is known from public clients. Nothing here was checked against the live service.
"""

import base64
import math
import os
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack, cast

from pydantic import Field

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.call import Call, CallTerms
from vertex_compat_integrations.core.catalogue import EmbeddingFacts, ModelFacts, embedding_models, facts_for, is_known
from vertex_compat_integrations.core.endpoint import OPENAPI
from vertex_compat_integrations.core.errors import (
    InvalidRequestError,
    NotFoundError,
    ServerError,
    SettingsError,
    UnexpectedReplyError,
    VertexCompatError,
    VertexCompatWarning,
)
from vertex_compat_integrations.core.http_errors import decode_stream_failure
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.build import Request
from vertex_compat_integrations.core.settings.arguments import EmbeddingArguments
from vertex_compat_integrations.core.settings.base import Settings
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import resolve_destination, resolve_model_name
from vertex_compat_integrations.core.settings.environment import LOCATION_VARIABLES

Purpose = Literal["query", "text"]
"""The use of a text: a search query, or a text to be found. E5 needs to know it."""

BATCH_SIZE = 16
"""Texts per request; the service's own limit is not documented."""


class VectorOptions(Settings):
    """How texts become vectors, without the model's name and the batch size, whose names differ between frameworks."""

    dimensions: int | None = Field(default=None, ge=1)
    """Length of the vectors, in numbers, e.g. 384; None is the model's own.

    Google documents "up to" 384 and 1,024 for E5; unverified live.
    """

    query_prefix: str | None = None
    """Text put before a query; None is the prefix used in training (`query: ` for E5), `""` puts nothing."""

    text_prefix: str | None = None
    """Text put before a text to be found; None is the prefix used in training (`passage: ` for E5)."""

    concurrency: int = Field(default=4, ge=1)
    """Batches at the same time, in asynchronous calls: 4 by default.

    The number is low because E5's documented quota is 3,000 tokens a minute.
    """


class EmbeddingOptions(VectorOptions):
    """All parameters of a call for embeddings except the texts."""

    setting_aliases: ClassVar[Mapping[str, str]] = {"model_name": "model", "chunk_size": "batch_size"}

    if TYPE_CHECKING:

        def __init__(self, /, **settings: Unpack[EmbeddingArguments]) -> None: ...

    model: str = ""
    """`publisher/name`, e.g. `intfloat/multilingual-e5-small-maas`; empty by default."""

    batch_size: int = Field(default=BATCH_SIZE, ge=1)
    """Texts of one request: 16 by default. E5 reads the first 512 tokens of each."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of some texts, in the texts' order.

    Attributes:
        vectors: One vector per text.
        input_tokens: Tokens of all texts; None if the answer did not count them.
    """

    vectors: list[list[float]]
    input_tokens: int | None = None


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


def served_hint() -> str:
    """A hint with the models that Google's pages name for this route, until when, and with alternatives."""
    named = ", ".join(
        f"{facts.prefix} ({'retired on' if facts.has_retired() else 'until'} {facts.retires})"
        for facts in embedding_models()
    )
    return f"Google's pages name for this route {named}. {_ELSEWHERE}"


_ELSEWHERE = "Embed on this machine, or use your own server with base_url= or endpoint=."


def embedding_model(connection: Connection, name: str, override: JsonObject | None) -> str:
    """Return the model's name in the destination's form; warn if it has retired by Google's pages.

    Raises:
        SettingsError: There is no name, or the model is known to have no embeddings there.
    """
    destination = resolve_destination(connection)
    if destination.own_server:
        return resolve_model_name(name, destination)
    if not name:
        raise SettingsError("No model.", hint=served_hint())
    try:
        model = resolve_model_name(f"google/{name}" if name.startswith("text-embedding-") else name, destination)
    except SettingsError as error:
        # Those hints are for chat models, except the one that E5's publisher is missing.
        raise error if "intfloat/" in error.hint else SettingsError(error.message, hint=served_hint()) from None
    facts = facts_for(model, override)
    check_embeds(model, facts, own_server=False)
    if facts.embedding is not None and facts.has_retired():
        warnings.warn(
            f"{model} retired on {facts.retires}, by Google's pages, and no other model is known for this route: "
            f"calls will fail. {_ELSEWHERE}",
            VertexCompatWarning,
            stacklevel=2,
        )
    return model


def served_location(connection: Connection, name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The first location that serves the model, if the settings name no location; None leaves it unchanged."""
    is_named = connection.location or connection.locations or connection.base_url or connection.endpoint != OPENAPI
    if is_named or any(environment.get(variable) for variable in LOCATION_VARIABLES):
        return None
    return next(iter(facts_for(name).locations or ()), None)


def check_embeds(model: str, facts: ModelFacts, *, own_server: bool) -> None:
    """Refuse a model that is known to have no embeddings on the endpoint; a user's own server decides itself.

    Raises:
        SettingsError: The model has no embeddings there.
    """
    if own_server or not is_known(model):
        return
    if facts.embedding is None:
        raise SettingsError(f"{model} has no embeddings on this endpoint.", hint=served_hint())
    if facts.route is not None:
        raise SettingsError(
            f"{model} has no embeddings on this endpoint.", hint=f"Use {facts.route}, as Google's pages say."
        )


def build_requests(
    texts: Sequence[str], options: EmbeddingOptions, facts: ModelFacts, purpose: Purpose
) -> list[wire.EmbeddingRequest]:
    """Build the requests for all texts, batch by batch.

    Raises:
        SettingsError: A text is empty, or there is one text instead of a list, or the model has no vectors of that
            length.
    """
    if isinstance(texts, str):
        raise SettingsError("One text in the place of a list.", hint="Pass [text].")
    embedding = facts.embedding or EmbeddingFacts()
    if embedding.dimensions is not None and (options.dimensions or 0) > embedding.dimensions:
        raise SettingsError(
            f"dimensions={options.dimensions}, but {options.model} has {embedding.dimensions}.",
            hint="Lower dimensions=.",
        )
    prefix = _prefix(options, embedding, purpose)
    prefixed = [prefix + _checked(text, place) for place, text in enumerate(texts)]
    return [_request(batch, options) for batch in _batches(prefixed, options.batch_size)]


def _prefix(options: VectorOptions, facts: EmbeddingFacts, purpose: Purpose) -> str:
    if purpose == "query":
        return facts.query_prefix if options.query_prefix is None else options.query_prefix
    return facts.text_prefix if options.text_prefix is None else options.text_prefix


def _checked(text: object, place: int) -> str:
    if not isinstance(text, str):
        raise SettingsError(f"Text {place} is a {type(text).__name__}, not a string.", hint="Embed strings only.")
    if not text.strip():
        raise SettingsError(f"Text {place} is empty.", hint="Leave empty texts out; they have no vector.")
    return text


def _request(texts: list[str], options: EmbeddingOptions) -> wire.EmbeddingRequest:
    request = wire.EmbeddingRequest(model=options.model, input=texts, encoding_format="float")
    if options.dimensions is not None:
        request["dimensions"] = options.dimensions
    return request


def decode_embeddings(answer: object, request: wire.EmbeddingRequest) -> Embedded:
    """Return the vectors in the order of the request's texts, in whichever order the answer has them.

    Raises:
        UnexpectedReplyError: The answer is not a list with one vector for each text, of the requested length.
    """
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        raise UnexpectedReplyError("The answer is not a list of embeddings.")
    count = len(request["input"])
    indices = [item.get("index", place) for place, item in enumerate(data)]
    if not all(type(index) is int for index in indices):
        raise UnexpectedReplyError("The embeddings' indices are not whole numbers.")
    by_index = {index: item.get("embedding") for index, item in zip(indices, data, strict=True)}
    if len(data) != count or set(by_index) != set(range(count)):
        raise UnexpectedReplyError(f"The answer has embeddings for texts {list(by_index)} of {count}.")
    vectors = [_decode_vector(by_index[index]) for index in range(count)]
    _check_length(vectors, request.get("dimensions"))
    return Embedded(vectors, _input_tokens(cast("Mapping[str, Any]", answer).get("usage")))


def join_embedded(parts: Sequence[Embedded]) -> Embedded:
    """Join the vectors of all batches.

    Raises:
        UnexpectedReplyError: The vectors do not all have the same length.
    """
    vectors = list(chain.from_iterable(part.vectors for part in parts))
    _check_length(vectors, None)
    counts = [part.input_tokens for part in parts]
    return Embedded(vectors, None if None in counts else sum(filter(None, counts)))


def _decode_vector(value: object) -> list[float]:
    try:
        # OpenAI's own API sends vectors to its SDK in packed form: base64 of little-endian float32.
        vector = _unpack(value) if isinstance(value, str) else [float(number) for number in cast("list[Any]", value)]
    except (TypeError, ValueError, OverflowError, struct.error):
        vector = []
    if not vector or not all(map(math.isfinite, vector)):
        raise UnexpectedReplyError("An embedding is not a list of numbers.")
    return vector


def _unpack(value: str) -> list[float]:
    packed = base64.b64decode(value, validate=True)
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))


def _check_length(vectors: Sequence[Sequence[float]], dimensions: int | None) -> None:
    lengths = sorted({len(vector) for vector in vectors})
    if len(lengths) > 1:
        raise UnexpectedReplyError(f"The embeddings have different lengths: {lengths}.")
    if dimensions is not None and lengths and lengths != [dimensions]:
        raise UnexpectedReplyError(
            f"dimensions={dimensions} was requested, but the vectors have {lengths[0]}.",
            hint="Leave dimensions= unset.",
        )


def _input_tokens(usage: object) -> int | None:
    tokens = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    return tokens if isinstance(tokens, int) else None


def _batches(texts: list[str], size: int) -> list[list[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]
