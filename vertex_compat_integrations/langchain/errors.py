"""This package's errors as LangChain's `ModelError`s: each class is both, so code that catches either works."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from langchain_core import exceptions as langchain
from langchain_core.messages import BaseMessage

from vertex_compat_integrations.core import errors as core
from vertex_compat_integrations.core.transport.sdk_errors import as_sdk_error


class VertexCompatError(core.VertexCompatError, langchain.ModelError):
    """See `core.errors.VertexCompatError`."""


class SettingsError(core.SettingsError, langchain.ModelInvalidRequestError):
    """See `core.errors.SettingsError`."""


class UnsupportedContentError(core.UnsupportedContentError, SettingsError):
    """See `core.errors.UnsupportedContentError`."""


class HistoryError(core.HistoryError, SettingsError):
    """See `core.errors.HistoryError`."""


class SchemaError(core.SchemaError, SettingsError):
    """See `core.errors.SchemaError`."""


class CredentialsError(core.CredentialsError, langchain.ModelAuthenticationError):
    """See `core.errors.CredentialsError`."""


class ApiError(core.ApiError, langchain.ModelError):
    """See `core.errors.ApiError`."""


class InvalidRequestError(core.InvalidRequestError, langchain.ModelInvalidRequestError):
    """See `core.errors.InvalidRequestError`."""


class ContextOverflowError(core.ContextOverflowError, langchain.ContextOverflowError):
    """See `core.errors.ContextOverflowError`."""


class ThoughtSignatureError(core.ThoughtSignatureError, InvalidRequestError):
    """See `core.errors.ThoughtSignatureError`."""


class AuthenticationError(core.AuthenticationError, langchain.ModelAuthenticationError):
    """See `core.errors.AuthenticationError`."""


class PermissionDeniedError(core.PermissionDeniedError, langchain.ModelPermissionDeniedError):
    """See `core.errors.PermissionDeniedError`."""


class NotFoundError(core.NotFoundError, langchain.ModelNotFoundError):
    """See `core.errors.NotFoundError`."""


class RateLimitError(core.RateLimitError, langchain.ModelRateLimitError):
    """See `core.errors.RateLimitError`."""


class ServerError(core.ServerError, langchain.ModelAPIError):
    """See `core.errors.ServerError`."""


class ConnectionFailedError(core.ConnectionFailedError, langchain.ModelConnectionError):
    """See `core.errors.ConnectionFailedError`."""


class DeadlineExceededError(core.DeadlineExceededError, langchain.ModelTimeoutError):
    """See `core.errors.DeadlineExceededError`."""


class UnexpectedReplyError(core.UnexpectedReplyError, langchain.ModelAPIError):
    """See `core.errors.UnexpectedReplyError`."""


class StreamInterruptedError(core.StreamInterruptedError, langchain.ModelAPIError):
    """See `core.errors.StreamInterruptedError`."""


class EmptyReplyError(core.EmptyReplyError, langchain.ModelAPIError):
    """See `core.errors.EmptyReplyError`."""


class InvalidAnswerError(core.InvalidAnswerError, langchain.ModelAPIError, langchain.OutputParserException):
    """See `core.errors.InvalidAnswerError`."""


class OwnModelRefusalError(langchain.ModelError):
    """A model refused to give the requested answer; used if langchain-core has no such class (before 1.7.5).

    Attributes:
        raw_message: The message with the refusal.
    """

    raw_message: BaseMessage | None = None


if TYPE_CHECKING:
    ModelRefusalError = OwnModelRefusalError
else:
    ModelRefusalError = getattr(langchain, "ModelRefusalError", OwnModelRefusalError)


class RefusedAnswerError(core.RefusedAnswerError, ModelRefusalError):
    """See `core.errors.RefusedAnswerError`.

    Attributes:
        raw_message: The message with the refusal.
    """

    raw_message: BaseMessage | None = None


_KINDS: dict[type[core.VertexCompatError], type[core.VertexCompatError]] = {
    kind.__mro__[1]: kind
    for kind in (
        VertexCompatError,
        SettingsError,
        UnsupportedContentError,
        HistoryError,
        SchemaError,
        CredentialsError,
        ApiError,
        InvalidRequestError,
        ContextOverflowError,
        ThoughtSignatureError,
        AuthenticationError,
        PermissionDeniedError,
        NotFoundError,
        RateLimitError,
        ServerError,
        ConnectionFailedError,
        DeadlineExceededError,
        UnexpectedReplyError,
        StreamInterruptedError,
        EmptyReplyError,
        InvalidAnswerError,
        RefusedAnswerError,
    )
}


def to_model_error(error: core.VertexCompatError) -> core.VertexCompatError:
    """Return the error as one that is also LangChain's, with all its attributes."""
    if isinstance(error, langchain.ModelError):
        return error
    kind = next(_KINDS[base] for base in type(error).__mro__ if base in _KINDS)
    twin = kind.__new__(kind, *error.args)
    twin.args = error.args
    twin.__dict__.update(error.__dict__)
    twin.hint = twin.hint.replace(core.TRIM_HINT, f"{core.TRIM_HINT} trim_messages(start_on='human') does so.")
    return as_sdk_error(twin)


@contextmanager
def model_errors() -> Iterator[None]:
    """Convert this package's errors that leave the block into LangChain's."""
    try:
        yield
    except core.VertexCompatError as error:
        raise to_model_error(error).with_traceback(error.__traceback__) from error.__cause__
