"""What a failed call of any chat model means for failover: no capacity, no such model, or something else. Pure."""

from collections.abc import Iterator
from typing import Any, Literal

from langchain_core.exceptions import ModelNotFoundError, ModelRateLimitError

from vertex_compat_integrations.core.calls.places import is_shortage, lacks_model
from vertex_compat_integrations.core.errors import PartialReplyError, VertexCompatError
from vertex_compat_integrations.core.json_values import mapping_in

Shortcoming = Literal["no capacity", "no such model"]

_SHORTAGES = frozenset({429, 503, 529})
"""529 is Anthropic's `overloaded_error`: https://platform.claude.com/docs/en/api/errors"""

_LACKS = frozenset({404, 501})

_MOST_CAUSES = 5
"""Errors of a chain of causes that are read, at most."""


def shortcoming_of(error: BaseException) -> Shortcoming | None:
    """Return why another model may answer what this one did not; None if a move does not help, or comes too late.

    This package's errors follow the rules of `locations=`. Other errors are read by their status code: the OpenAI and
    Anthropic SDKs have it as `status_code`, Google's clients as `code`, HTTP libraries and botocore in `response`. An
    error that wraps one of these is read by its cause.
    """
    for each in _causes(error):
        if isinstance(each, VertexCompatError):
            return _own_shortcoming(each)
        code = status_of(each)
        if code is not None:
            return _shortcoming_by_code(code)
    return None


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status in an error of any library; None if it has none."""
    response: Any = getattr(error, "response", None)
    candidates = (
        getattr(error, "status_code", None),
        getattr(error, "code", None),
        getattr(response, "status_code", None),
        # botocore, and so the classes for Amazon Bedrock.
        mapping_in(mapping_in(response).get("ResponseMetadata")).get("HTTPStatusCode"),
    )
    for value in candidates:
        # google.api_core has members of `http.HTTPStatus`, which are int; gRPC has a method of this name.
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return int(value)
    if isinstance(error, ModelRateLimitError):
        return 429
    return 404 if isinstance(error, ModelNotFoundError) else None


def _own_shortcoming(error: VertexCompatError) -> Shortcoming | None:
    if isinstance(error, PartialReplyError):
        # A piece of the answer was received, and may have been shown.
        return None
    if is_shortage(error):
        return "no capacity"
    return "no such model" if lacks_model(error) else None


def _shortcoming_by_code(code: int) -> Shortcoming | None:
    if code in _SHORTAGES:
        return "no capacity"
    return "no such model" if code in _LACKS else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from."""
    current: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if current is None:
            return
        yield current
        current = current.__cause__
