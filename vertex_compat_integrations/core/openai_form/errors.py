"""What went wrong → OpenAI's form of it, which stock SDKs show. Pure."""

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
"""Words of OpenAI's that programs look for; for the rest, Google's status stands there."""

_SIGNATURE_HINT = (
    "Neither this call nor its signature was seen here before, or the model's answer was changed: begin anew."
)

_LONGEST_WAIT = 2**31
"""Seconds: more has no place in many programs' integers."""


def status_of(error: VertexCompatError) -> int:
    """The HTTP status that tells the error."""
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
    """OpenAI's error object; its message is Google's, with the place and what to do, and its details as they came."""
    if isinstance(error, ThoughtSignatureError):
        error.hint = _SIGNATURE_HINT
    code = next((word for kind, word in _CODES if isinstance(error, kind)), error.status)
    body = openai_error(status_of(error), str(error), code)
    return {"error": {**body["error"], "details": error.details}} if error.details else body


def openai_error(status: int, message: str, code: str | None) -> wire.Json:
    """OpenAI's error object."""
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": _whole_text(message), "type": kind, "param": None, "code": code and _whole_text(code)}}


def error_headers(error: VertexCompatError) -> dict[str, str]:
    """Headers of an error answer: how long to wait, if the server said so."""
    if error.retry_after is None or not math.isfinite(error.retry_after):
        return {}
    return {"Retry-After": str(math.ceil(min(error.retry_after, _LONGEST_WAIT)))}


def error_event(error: VertexCompatError) -> bytes:
    """The error as an event of a stream that has begun; OpenAI's SDKs raise it."""
    return b"data: " + encode_json(error_body(error)) + b"\n\n"


def _whole_text(text: str) -> str:
    """The text without halves of an emoji, which no program could print."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
