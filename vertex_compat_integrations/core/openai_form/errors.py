"""Conversion of errors to OpenAI's error objects, which stock SDKs show. Pure."""

import math

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import (
    ApiError,
    ContextOverflowError,
    CredentialsError,
    DeadlineExceededError,
    NotFoundError,
    RateLimitError,
    SettingsError,
    ThoughtSignatureError,
    VertexCompatError,
)
from vertex_compat_integrations.core.json_values import encode_json

_CODES: tuple[tuple[type[VertexCompatError], str], ...] = (
    (ContextOverflowError, "context_length_exceeded"),
    (NotFoundError, "model_not_found"),
    (RateLimitError, "rate_limit_exceeded"),
)
"""OpenAI's error codes that programs check; for other errors, Google's status is used."""

_SIGNATURE_HINT = (
    "This call and its signature were not seen here before, or the model's answer was changed: start a new chat."
)

_LONGEST_WAIT = 2**31
"""Seconds: larger numbers overflow many programs' integers."""


def status_of(error: VertexCompatError) -> int:
    """Return the HTTP status for the error."""
    match error:
        case ApiError() if error.code is not None and 400 <= error.code < 600:
            return error.code
        case SettingsError():
            return 400
        case CredentialsError():
            return 503
        case DeadlineExceededError():
            return 504
        case _:
            return 502


def error_body(error: VertexCompatError) -> wire.Json:
    """Return OpenAI's error object for the error.

    Its message is the whole text of the error: Google's message, the location and the hint. Its `details` are Google's
    error details, unchanged.
    """
    if isinstance(error, ThoughtSignatureError):
        error.hint = _SIGNATURE_HINT
    code = next((word for kind, word in _CODES if isinstance(error, kind)), error.status)
    body = openai_error(status_of(error), str(error), code)
    return {"error": {**body["error"], "details": error.details}} if error.details else body


def openai_error(status: int, message: str, code: str | None) -> wire.Json:
    """Return OpenAI's error object with this status, message and code."""
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": _whole_text(message), "type": kind, "param": None, "code": code and _whole_text(code)}}


def error_headers(error: VertexCompatError) -> dict[str, str]:
    """Return the headers of an error answer: how long to wait, if the server requested it."""
    if error.retry_after is None or not math.isfinite(error.retry_after):
        return {}
    return {"Retry-After": str(math.ceil(min(error.retry_after, _LONGEST_WAIT)))}


def error_event(error: VertexCompatError) -> bytes:
    """Return the error as an event for a stream that has already begun; OpenAI's SDKs raise it as an exception."""
    return b"data: " + encode_json(error_body(error)) + b"\n\n"


def _whole_text(text: str) -> str:
    """Return the text without halves of an emoji (lone surrogates), which programs cannot print."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
