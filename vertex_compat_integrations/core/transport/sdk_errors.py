"""Makes errors of this package also instances of the OpenAI SDK's class with the same meaning.

Programs written for the SDK, or for `ChatOpenAI`, have clauses such as `except openai.RateLimitError`, which keep
working. The classes are built when an error is raised, since the SDK is not loaded before the first request: one class
of this package and one of the SDK's are joined under this package's name.

The attributes of the SDK's errors for request and response exist, except for data that an error must not hold: the
request's headers with the credential, and its body, which is the prompt.
"""

import sys
from typing import Any, TypeVar

from vertex_compat_integrations.core import errors as core
from vertex_compat_integrations.core.http_errors import error_in, value_of
from vertex_compat_integrations.wire import ErrorAnswer

Error = TypeVar("Error", bound=core.VertexCompatError)

_STATUS_CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
"""By HTTP status, as the SDK chooses (`OpenAI._make_status_error`); 5xx are its `InternalServerError`."""

_STATUS_OF_KIND: tuple[tuple[type[core.VertexCompatError], int], ...] = (
    (core.InvalidRequestError, 400),
    (core.AuthenticationError, 401),
    (core.PermissionDeniedError, 403),
    (core.NotFoundError, 404),
    (core.RateLimitError, 429),
    (core.ServerError, 500),
)


def as_sdk_error(error: Error) -> Error:
    """Make the error also one of the SDK's class, and return it; unchanged if no SDK is loaded."""
    if "openai" in sys.modules and not isinstance(error, _SdkAttributes):
        error.__class__ = _joined(type(error), _sdk_name(error))
    return error


def _sdk_name(error: core.VertexCompatError) -> str:
    """The SDK's class of the same meaning."""
    match error:
        case core.ApiError():
            return _status_class(error.code or _status_of_kind(type(error)))
        case core.DeadlineExceededError():
            return "APITimeoutError"
        case core.ConnectionFailedError():
            return "APIConnectionError"
        case core.StreamInterruptedError():
            # As in the SDK: a connection that breaks, or an event that is an error.
            return "APIConnectionError" if error.code is None else "APIError"
        case core.EmptyReplyError() if error.finish_reason == "length":
            return "LengthFinishReasonError"
        case core.RefusedAnswerError() if error.finish_reason == "content_filter":
            return "ContentFilterFinishReasonError"
        case core.UnexpectedReplyError() if error.answer is not None:
            return "APIResponseValidationError"
        case core.UnexpectedReplyError() | core.EmptyReplyError():
            return "APIError"
        case _:
            return "OpenAIError"


def _status_of_kind(kind: type[core.VertexCompatError]) -> int | None:
    """The HTTP status that errors of this class represent."""
    return next((code for each, code in _STATUS_OF_KIND if issubclass(kind, each)), None)


def _status_class(status: int | None) -> str:
    if status is not None and status >= 500:
        return "InternalServerError"
    return _STATUS_CLASSES.get(status or 0, "APIStatusError")


_JOINED: dict[tuple[Any, str], type[Any]] = {}


def _joined(ours: type[core.VertexCompatError], sdk_name: str) -> type[Any]:
    """Return the joined class; one for the whole process."""
    kind = _JOINED.get((ours, sdk_name))
    return kind if kind is not None else _JOINED.setdefault((ours, sdk_name), _join(ours, sdk_name))


def _join(ours: type[core.VertexCompatError], sdk_name: str) -> type[Any]:
    """Build a joined class, under this package's name."""
    import openai  # noqa: PLC0415 - loaded before the first request, and not before

    attributes = _CompletionAttributes if "FinishReason" in sdk_name else _SdkAttributes
    # Users know the core's classes by their public module.
    module = "vertex_compat_integrations.errors" if ours.__module__ == core.__name__ else ours.__module__
    names = {"__module__": module, "__qualname__": ours.__qualname__, "__doc__": ours.__doc__, "_ours": ours}
    return type(ours.__name__, (attributes, ours, getattr(openai, sdk_name)), names)


def _rebuilt(ours: type[core.VertexCompatError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """Recreate an error from a pickle or for a copy, in a process that may not have built its class yet."""
    import openai  # noqa: F401, PLC0415 - as it was where the error was raised

    return as_sdk_error(core.rebuild(ours, args, state))


class _SdkAttributes:
    """The attributes of the SDK's errors, derived from this package's."""

    _ours: type[core.VertexCompatError]
    args: tuple[Any, ...]
    code: int | None
    url: str | None
    answer: ErrorAnswer | None

    param = None
    """OpenAI's name of the wrong parameter; Google names none."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parts of the joined class: the class itself cannot be imported."""
        return (_rebuilt, (self._ours, self.args, self.__dict__))

    @property
    def request(self) -> Any:
        """The request as an object of the HTTP library, without credential and body."""
        return _library().Request("POST", self.url or "", headers={"Content-Type": "application/json"})

    @property
    def response(self) -> Any:
        """The answer as an object of the HTTP library."""
        status, headers, body = self.answer or ErrorAnswer(self.status_code)
        return _library().Response(status, headers=list(headers), content=body, request=self.request)

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.code or _status_of_kind(self._ours) or (self.answer.status if self.answer else 0)

    @property
    def body(self) -> object:
        """Google's error object, or the answer's text; None if there was no answer."""
        if self.answer is None:
            return None
        try:
            value = value_of(self.answer.body)
        except (ValueError, RecursionError):
            return self.answer.body.decode(errors="replace")
        return error_in(value) or value

    @property
    def type(self) -> str | None:
        """OpenAI's type of the error, which a user's own servers send."""
        body = self.body
        kind = body.get("type") if isinstance(body, dict) else None
        return kind if isinstance(kind, str) else None

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it sent one."""
        headers = self.answer.headers if self.answer else ()
        return next((value for name, value in headers if name.lower() == "x-request-id"), None)


class _CompletionAttributes(_SdkAttributes):
    """The attributes of the SDK's errors for an answer that ended too early."""

    model: str | None
    partial_text: str
    finish_reason: str | None

    @property
    def completion(self) -> Any:
        """The answer so far, as the SDK's `ChatCompletion`; without its id and its token counts."""
        from openai.types.chat import ChatCompletion  # noqa: PLC0415 - as above

        message = {"role": "assistant", "content": self.partial_text or None}
        choice = {"index": 0, "finish_reason": self.finish_reason, "logprobs": None, "message": message}
        return ChatCompletion.model_validate(
            {"id": "", "object": "chat.completion", "created": 0, "model": self.model or "", "choices": [choice]}
        )


def _library() -> Any:
    from vertex_compat_integrations.core.transport.http_library import LIBRARY  # noqa: PLC0415 - loads the SDK

    return LIBRARY
