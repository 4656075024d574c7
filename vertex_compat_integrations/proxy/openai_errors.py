"""What went wrong → OpenAI's form of it, which stock SDKs show. Pure."""

import math

from pydantic_core import to_json

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

_CODES: tuple[tuple[type[VertexCompatError], str], ...] = (
    (ContextOverflowError, "context_length_exceeded"),
    (NotFoundError, "model_not_found"),
    (RateLimitError, "rate_limit_exceeded"),
)
"""Words of OpenAI's that programs look for; for the rest, Google's status stands there."""

_SIGNATURE_HINT = "The proxy saw neither this call nor its signature, or the model's answer was changed: begin anew."


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
    """OpenAI's error object; its message is Google's, with the place and what to do."""
    if isinstance(error, ThoughtSignatureError):
        error.hint = _SIGNATURE_HINT
    code = next((word for kind, word in _CODES if isinstance(error, kind)), error.status)
    return openai_error(status_of(error), str(error), code)


def openai_error(status: int, message: str, code: str | None) -> wire.Json:
    """OpenAI's error object."""
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error_headers(error: VertexCompatError) -> dict[str, str]:
    """Headers of an error answer: how long to wait, if the server said so."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


def error_event(error: VertexCompatError) -> bytes:
    """The error as an event of a stream that has begun; OpenAI's SDKs raise it."""
    return b"data: " + to_json(error_body(error)) + b"\n\n"
