"""The embeddings route: its models, its refusals, and plausible vectors without a model.

Google does not document the route: its format is OpenAI's, its models and their limits are from Google's model cards
"Multilingual E5 Large" and "Multilingual E5 Small". The messages of refusals are those of the chat route.
"""

import base64
import datetime
import hashlib
import math
import re
import struct
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ModelResource
from vertex_compat_integrations.emulator.dialect.usage import count_tokens
from vertex_compat_integrations.emulator.refusal import Refusal, unknown_model
from vertex_compat_integrations.emulator.served_models import is_served
from vertex_compat_integrations.wire import Json

DIMENSIONS: Mapping[str, int] = {
    "intfloat/multilingual-e5-large-instruct-maas": 1024,
    "intfloat/multilingual-e5-small-maas": 384,
}
LOCATIONS = ("us-central1", "europe-west4")
OTHER_DIMENSIONS = 768
"""Dimensions of models that the user added."""

KNOWN_PARAMETERS = frozenset({"model", "input", "dimensions", "encoding_format"})

_EMPTY_TEXT = "Unable to submit request because it has an empty text parameter."
_TOO_LONG = (
    "Unable to submit request because it has a dimensions value of {value} but the supported range is from 1 "
    "(inclusive) to {limit} (exclusive). Update the value and try again."
)
# E5's prefixes state the purpose of a text, not its topic.
_MARKER = re.compile(r"\A(query: |passage: |Instruct: [^\n]*\nQuery: ?)")
_WORD = re.compile(r"\w+")
_SHORT_WORD = 3
_WEIGHT_OF_SHORT = 0.2
_WEIGHT_OF_TRIGRAM = 0.25


def answer_embeddings(
    body: Any, place: ModelResource, models: Collection[str] = (), *, today: datetime.date | None = None
) -> Json | Refusal:
    """Return the answer to a request for embeddings, or its refusal; with a date, retired models are refused, too."""
    if not isinstance(body, dict):
        return Refusal("Expected a valid JSON object in the request.")
    limit = _limit(body.get("model"), place, models, today)
    if isinstance(limit, Refusal):
        return limit
    texts = _texts(body.get("input"))
    if isinstance(texts, Refusal):
        return texts
    dimensions = body.get("dimensions")
    dimensions = limit if dimensions is None else dimensions
    if isinstance(dimensions, bool) or not isinstance(dimensions, int):
        return Refusal()
    if not 1 <= dimensions <= limit:
        return Refusal(_TOO_LONG.format(value=dimensions, limit=limit + 1))
    encoding = body.get("encoding_format") or "float"
    if encoding not in {"float", "base64"}:
        return Refusal()
    return _answer(str(body.get("model") or ""), texts, dimensions, encoding)


def embed(text: str, dimensions: int) -> list[float]:
    """Return a unit vector for a text, equal in every process: the more words two texts share, the closer they are."""
    vector = [0.0] * dimensions
    for feature, weight in _features(_MARKER.sub("", text).lower()):
        digest = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        vector[(digest >> 1) % dimensions] += weight if digest & 1 else -weight
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else [1.0, *vector[1:]]


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Yield weighted features: words, short ones with a low weight, and trigrams, which bring inflected forms close."""
    words = _WORD.findall(text)
    if not words:
        yield text, 1.0
    for word in words:
        yield word, _WEIGHT_OF_SHORT if len(word) <= _SHORT_WORD else 1.0
        if len(word) > _SHORT_WORD:
            yield from ((f"{word[start : start + 3]}…", _WEIGHT_OF_TRIGRAM) for start in range(len(word) - 2))


def _limit(model: Any, place: ModelResource, models: Collection[str], today: datetime.date | None) -> int | Refusal:
    """Return the most dimensions of a model at this location, or the refusal."""
    name = model if isinstance(model, str) else ""
    if place.endpoint != "openapi" or name in models:
        return DIMENSIONS.get(name, OTHER_DIMENSIONS)
    if name not in DIMENSIONS or not is_served(name, today) or place.location not in LOCATIONS:
        return unknown_model(name, place)
    return DIMENSIONS[name]


def _texts(value: Any) -> list[str] | Refusal:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        return Refusal()
    return texts if all(text.strip() for text in texts) else Refusal(_EMPTY_TEXT)


def _answer(model: str, texts: list[str], dimensions: int, encoding: str) -> Json:
    tokens = sum(count_tokens(text) for text in texts)
    vectors = (embed(text, dimensions) for text in texts)
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if encoding == "base64" else vector}
        for index, vector in enumerate(vectors)
    ]
    return {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
