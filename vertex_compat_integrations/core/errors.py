"""All errors, as one class tree; the hint of each class says what to do.

VertexCompatError
├── SettingsError (also ValueError)        the caller's settings or messages; nothing was sent
│   ├── UnsupportedContentError            a content block that the endpoint cannot take
│   ├── HistoryError                       messages in an order that the endpoint refuses
│   └── SchemaError                        a schema that the endpoint's subset cannot express
├── CredentialsError                       no access token could be obtained
├── ApiError                               the endpoint answered with an error
│   ├── InvalidRequestError                400
│   │   ├── ContextOverflowError           the prompt is longer than the model's window
│   │   └── ThoughtSignatureError          a tool call of the history lacks its thought signature
│   ├── AuthenticationError                401
│   ├── PermissionDeniedError              403
│   ├── NotFoundError                      404
│   ├── RateLimitError                     429
│   └── ServerError                        499, 5xx
├── ConnectionFailedError                  no answer was received
│   └── DeadlineExceededError              the answer was not received in time
├── UnexpectedReplyError                   the response is not a completion
└── PartialReplyError                      the answer is incomplete or unusable; holds the part received
    ├── StreamInterruptedError             the stream ended before its finish reason
    ├── EmptyReplyError                    neither text nor a readable tool call
    ├── RefusedAnswerError                 the model refused an object or a call, or a filter blocked
    └── InvalidAnswerError (also ValueError) the answer does not match the requested schema

Once the OpenAI SDK is loaded, an error raised by a call is also of the SDK's class of the same meaning
(`core/transport/sdk_errors.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from vertex_compat_integrations.wire import ErrorAnswer


class VertexCompatWarning(UserWarning):
    """A setting has no effect, or the package had to guess."""


class VertexCompatError(Exception):
    """Base of every error that this package raises.

    Attributes:
        message: What failed, without the hint.
        hint: What to do about it.
        code: HTTP status, if there was an answer.
        status: Google's canonical status (`"INVALID_ARGUMENT"`), if the answer named one.
        details: `google.rpc` details of the answer, unchanged.
        model: The model of the request.
        project: The project of the request.
        location: The location of the request.
        attempts: Number of requests that were sent for this call.
        is_retryable: Whether the same request may succeed later.
        is_of_model: Whether the model's server answered, or was called; False for uploads of media.
        seconds: Duration of the call, including waits between attempts; None if it never began.
        url: The URL of the last request.
        answer: The error answer, unchanged, if there was one.
        retry_after: Seconds that the server asks the client to wait, if it does.
    """

    default_hint: ClassVar[str] = "See the message; nothing more is known."
    is_retryable: bool = False
    is_of_model: bool = True
    seconds: float | None = None
    url: str | None = None
    answer: ErrorAnswer | None = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: int | None = None,
        status: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.message = message
        self.hint = hint or self.default_hint
        self.code = code
        self.status = status
        self.details = list(details)
        self.model: str | None = None
        self.project: str | None = None
        self.location: str | None = None
        self.attempts = 0
        self.retry_after: float | None = None
        super().__init__(message)

    def __str__(self) -> str:
        """The message, the model and location with its host, the attempts and the hint, in this order."""
        place = ", ".join(
            f"{word} {value}"
            for word, value in (
                ("model", self.model),
                ("project", self.project),
                ("location", self.location),
                ("host", urlsplit(self.url or "").netloc),
            )
            if value
        )
        circumstances = "; ".join(filter(None, (place, self._effort())))
        head = " ".join(str(part) for part in (self.code, self.status) if part is not None)
        parts = (f"{head}:" if head else "", self.message, f"({circumstances})" if circumstances else "", self.hint)
        return " ".join(filter(None, parts))

    def _effort(self) -> str:
        """The number of attempts and their duration; empty if nothing was sent."""
        if not self.attempts or self.seconds is None:
            return ""
        return f"{self.attempts} attempt{'s' * (self.attempts > 1)} in {self.seconds:.1f} s"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: the constructor's keyword arguments are not in `args`."""
        return (rebuild, (type(self), self.args, self.__dict__))


def rebuild(kind: type[VertexCompatError], args: tuple[Any, ...], state: dict[str, Any]) -> VertexCompatError:
    """Recreate an error from its pickled state."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


_rebuild = rebuild
"""The name that pickles of earlier versions use."""


class SettingsError(VertexCompatError, ValueError):
    """The caller's settings or messages cannot work; nothing was sent."""

    default_hint = "Change the named setting."


class UnsupportedContentError(SettingsError):
    """A content block that the endpoint cannot take."""

    default_hint = "Send text, images, audio, video or files."


TRIM_HINT = "Trim histories before a user message."


class HistoryError(SettingsError):
    """The messages are in an order that the endpoint refuses."""

    default_hint = "Give each tool call one tool message, right after the message that called."


class SchemaError(SettingsError):
    """A JSON Schema that the endpoint's subset of JSON Schema cannot express.

    Attributes:
        path: The position in the schema, as a JSON path.
    """

    default_hint = "Simplify the schema at the named place."

    def __init__(self, message: str, *, path: str = "$", hint: str | None = None) -> None:
        super().__init__(f"{message} (at {path})", hint=hint)
        self.path = path

    def of_tool(self, name: str) -> "SchemaError":
        """Return the same error with the tool's name at the start of its message."""
        error = SchemaError(self.message, path=self.path, hint=self.hint)
        error.message = f"{name}: {self.message}"
        error.args = (error.message,)
        return error


class CredentialsError(VertexCompatError):
    """No access token could be obtained; nothing was sent to the endpoint."""

    default_hint = "Run `gcloud auth application-default login`, or pass credentials=…"


class ApiError(VertexCompatError):
    """The endpoint answered with an error."""

    default_hint = "See Google's message."


class InvalidRequestError(ApiError):
    """400: the endpoint refuses this request."""

    default_hint = "Change what the message names; the same request would be refused again."


class ContextOverflowError(InvalidRequestError):
    """The prompt is longer than the model's context window."""

    default_hint = "Shorten the messages, or take a model with a larger context window."


class ThoughtSignatureError(InvalidRequestError):
    """A tool call in the history lacks the thought signature that the model requires."""

    default_hint = "Send the model's messages back unchanged, with additional_kwargs and response_metadata."


class AuthenticationError(ApiError):
    """401: the token is not accepted."""

    default_hint = "Run `gcloud auth application-default login`; API keys are not accepted by this endpoint."


class PermissionDeniedError(ApiError):
    """403: the credentials lack a permission."""

    default_hint = "Grant roles/aiplatform.user (permission aiplatform.endpoints.predict) on the project."


class NotFoundError(ApiError):
    """404: no such model, location or endpoint, or no access to it."""

    default_hint = (
        "Check the model's name and whether the location serves it; many models are served at location='global' only."
    )


class RateLimitError(ApiError):
    """429: the quota or the shared capacity is used up."""

    default_hint = (
        "Shared capacity is used up for the moment: wait and retry, or use location='global' or provisioned throughput."
    )
    is_retryable = True


class ServerError(ApiError):
    """499 or 5xx: the service failed."""

    default_hint = "Retry later; if it lasts, look at the Google Cloud status page."
    is_retryable = True


class ConnectionFailedError(VertexCompatError):
    """No answer was received: host name, route, proxy or TLS failed, or the connection was cut."""

    default_hint = "Check the host name, HTTPS_PROXY and the CA bundle."
    is_retryable = True


class DeadlineExceededError(ConnectionFailedError):
    """The answer was not received in time."""

    default_hint = "Raise timeout= (total) or gap_timeout= (between bytes)."


class UnexpectedReplyError(VertexCompatError):
    """The response is not a completion: HTML, an empty body, or JSON of another shape."""

    default_hint = "Check base_url, endpoint_host and proxies between here and Google."


class PartialReplyError(VertexCompatError):
    """Base of errors that are raised after a part of the answer was received.

    Attributes:
        partial_text: The answer's text so far.
        partial_thoughts: The thoughts so far.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: int | None = None,
        status: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        partial_text: str = "",
        partial_thoughts: str = "",
    ) -> None:
        super().__init__(message, hint=hint, code=code, status=status, details=details)
        self.partial_text = partial_text
        self.partial_thoughts = partial_thoughts


class StreamInterruptedError(PartialReplyError):
    """The stream ended, or reported an error, before its finish reason."""

    default_hint = "The answer is incomplete: retry the call; the text so far is in partial_text."
    is_retryable = True


class EmptyReplyError(PartialReplyError):
    """The model returned neither text nor a readable tool call.

    Attributes:
        finish_reason: The finish reason, unchanged.
    """

    default_hint = "Retry, or rephrase the prompt."
    is_retryable = True
    finish_reason: str | None = None


class RefusedAnswerError(PartialReplyError):
    """The model or a filter refused a requested object or tool call; the message is the refusal.

    With `on_blocked="error"`, every answer that a filter blocked raises it, too.

    Attributes:
        finish_reason: `content_filter` if a filter blocked the answer; any other value means that the model refused it.
        finish_detail: The service's own reason, e.g. `PROHIBITED_CONTENT`.
        usage: Token counts, if any were received: `input`, `output`, and of these `thought` and `cached`.
    """

    default_hint = "Rephrase the prompt, or change safety_settings."
    finish_reason: str | None = None
    finish_detail: str | None = None
    usage: Mapping[str, int] | None = None


class InvalidAnswerError(PartialReplyError, ValueError):
    """The answer to a request for an object is not JSON or does not match the schema; it is in `partial_text`.

    The error's cause is the parser's own error, such as pydantic's `ValidationError`.
    """

    default_hint = "Ask again, simplify the schema, or take a model that keeps to schemas."
    is_retryable = True
