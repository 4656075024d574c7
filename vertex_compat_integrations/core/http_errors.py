"""Decodes an error answer, in any of the endpoint's shapes, into a typed error with a hint. Pure.

Google's chat endpoint sends errors as a list `[{"error": {code, message, status, details}}]`, its native API and other
servers as a mapping, proxies as HTML. The texts matched below are quoted in public issues; see each row.
"""

import datetime
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic_core import from_json

from vertex_compat_integrations.core.errors import (
    ApiError,
    AuthenticationError,
    ContextOverflowError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    ThoughtSignatureError,
    UnexpectedReplyError,
    VertexCompatError,
)
from vertex_compat_integrations.core.json_values import JsonObject, encode_json
from vertex_compat_integrations.wire import ErrorAnswer


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of an error whose code is `code` and whose text holds one of `texts` (lower case); None is any code.

    With `needs_all` the text must hold all of them.
    """

    code: int | None
    texts: tuple[str, ...]
    kind: type[ApiError] | None = None
    hint: str | None = None
    needs_all: bool = False

    def fits(self, code: int, text: str) -> bool:
        """Return whether this is the meaning of an error with this code and text (lower case)."""
        holds = (each in text for each in self.texts)
        return self.code in (None, code) and (all(holds) if self.needs_all else any(holds))


HTML_PAGE = "The answer is an HTML page, not an API response."
"""The message for HTML answers, which proxies, captive portals and wrong base URLs send."""

NOT_SERVED_TEXTS = {404: "publisher model", 400: "via global endpoint"}
"""By code, Google's text if a location does not serve the model (lower case)."""

PROJECT_HINT = (
    "Check project= and GOOGLE_CLOUD_PROJECT: a project's id, not its name; `gcloud projects list` shows yours."
)
"""The hint if the project is not found."""

NO_MESSAGE_HINT = "Add a user message; system messages alone are refused."

TOO_LARGE_HINT = "Send less in one request: link media by gs:// or https://, or let media_bucket= upload what is large."

MEANINGS = (
    # "Request payload size exceeds the limit: 20971520 bytes.", quoted in many public issues.
    Meaning(400, ("payload size exceeds",), hint=TOO_LARGE_HINT),
    # Missing ("… is missing a `thought_signature`"), or another model's ("Corrupted thought signature.").
    Meaning(400, ("thought_signature", "thought signature"), ThoughtSignatureError),
    Meaning(
        400,
        (
            "maximum number of tokens allowed",
            "input token count",
            "maximum context length",
            "context window",
            "available context size",  # llama.cpp's server
            "prompt is too long",
        ),
        ContextOverflowError,
    ),
    # TGI: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: …" (litellm quotes it).
    Meaning(
        422,
        ("`inputs` tokens", "`inputs` must have less than"),
        ContextOverflowError,
        hint="Shorten the messages, or lower max_tokens.",
    ),
    # vLLM: "The model `x` does not exist."
    Meaning(
        404,
        ("the model `",),
        hint="Pass the name that your server was started with, or model='' to use the server's own name.",
    ),
    # llama.cpp's server sends this until the model is in memory.
    Meaning(503, ("loading model",), hint="The server is still loading its model: raise max_retries=, or wait."),
    Meaning(
        400,
        ("candidatecount", "only one candidate", "multiple candidates", "invalid value of n"),
        hint="Leave n unset, and call several times.",
    ),
    # "Penalty is not enabled for this model": 3.5 Flash-Lite, 3.6 and newer (their model pages).
    Meaning(
        400,
        ("penalty is not enabled", "penalty_not_enabled"),
        hint="Leave frequency_penalty and presence_penalty unset: this model accepts neither.",
    ),
    # "Expected a maximum of 4 images (inclusive); found 5": open models as a service.
    Meaning(
        400,
        ("a maximum of", "images"),
        hint="Send no more images in a request than the message names, or use a Gemini model.",
        needs_all=True,
    ),
    Meaning(400, ("maxoutputtokens", "max_tokens"), hint="Lower max_tokens to the range that the message names."),
    Meaning(
        400, ("reasoning_effort",), hint='Use reasoning_effort="minimal" … "max"; thinking=False turns thinking off.'
    ),
    Meaning(
        400,
        ("thinking level is unsupported", "thinking_level"),
        hint="Use another thinking_level; not every model supports each level.",
    ),
    Meaning(
        400, ("include_thoughts is only enabled",), hint="Leave include_thoughts unset, or do not turn thinking off."
    ),
    Meaning(
        400,
        ("thinking is not supported", "thinking_config", "thinking budget"),
        hint="Leave thinking unset for this model.",
    ),
    # "Malformed publisher model ("model": 'gpt-4o'): expected '<publisher>/<model>'."
    Meaning(
        400,
        ("malformed publisher model",),
        hint="Write model='google/gemini-3.5-flash', for example: publisher and model; OpenAI's models are not served.",
    ),
    Meaning(400, ("empty text parameter",), hint="Leave out empty messages and empty text parts."),
    Meaning(400, ("at least one parts field",), hint=NO_MESSAGE_HINT),
    Meaning(
        400,
        ("function response parts", "function call turn"),
        hint="Give each tool call one tool message, right after the call; trim histories before a user message.",
    ),
    Meaning(
        400,
        ("response mime type: 'application/json' is unsupported",),
        hint='Tools and JSON answers exclude each other here: use method="function_calling", or a Gemini 3 model.',
    ),
    # "… it has a mimeType parameter with value application/json, which is not supported." (agno-agi/agno#3964).
    Meaning(
        400,
        ("a mimetype parameter with value",),
        hint="Gemini reads PDF, plain text, images, audio and video: send other documents as text, or as PDF.",
    ),
    # "Dedicated Endpoint cannot be accessed through the shared Vertex AI domain … domain name '872.us-…vertexai.goog'".
    Meaning(
        400,
        ("dedicated endpoint cannot be accessed", "dedicated domain name"),
        hint="Pass endpoint_host= with the domain name that the message names.",
    ),
    # vLLM: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'.
    Meaning(
        400,
        ("--enable-auto-tool-choice", "--tool-call-parser"),
        hint="Start the server with --enable-auto-tool-choice and --tool-call-parser; else it cannot call tools.",
    ),
    # "Invalid hostname: eu-aiplatform.googleapis.com".
    Meaning(
        400,
        ("invalid hostname",),
        hint="Let this package choose the host: pass location='global', 'us', 'eu' or a region, and no base_url=.",
    ),
    Meaning(400, ("cachedcontent",), hint="Put system message and tools into the cache, not into the request."),
    Meaning(400, (NOT_SERVED_TEXTS[400],), hint="Pass location='global'."),
    Meaning(
        400,
        ("unknown name", "schema", "properties", "anyof", "enum"),
        hint="Simplify the tool's or answer's schema at the position that the message names.",
    ),
    Meaning(
        400,
        ("request contains an invalid argument",),
        hint="Google gives no reason. Check the history first: a call without its result, or text next to calls.",
    ),
    Meaning(
        401,
        ("api keys are not supported", "api key"),
        hint="This endpoint does not accept API keys: use Application Default Credentials.",
    ),
    Meaning(
        403,
        ("has not been used in project", "service_disabled", "it is disabled"),
        hint="Run `gcloud services enable aiplatform.googleapis.com`, and wait a minute.",
    ),
    # "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: …".
    Meaning(
        403,
        (
            "vpcservicecontrols",
            "vpc service controls",
            "security_policy_violated",
            "prohibited by organization's policy",
        ),
        hint="A VPC Service Controls perimeter blocks the request: call from inside it, or ask for an ingress rule "
        "for aiplatform.googleapis.com; the identifier in the message leads to the entry in the audit log.",
    ),
    # "Organization Policy constraint constraints/vertexai.allowedModels violated for …".
    Meaning(
        None,
        ("constraints/vertexai.", "constraints/gcp.", "organization policy constraint", "org_policy"),
        hint="An organization policy forbids this model, service or location: use another, or contact the "
        "administrator of the constraint that the message names.",
    ),
    Meaning(403, ("billing",), hint="Enable billing for the project: https://console.cloud.google.com/billing."),
    Meaning(
        403,
        ("consumer_suspended", "consumer_invalid", "suspended"),
        hint=f"The project is suspended or does not exist. {PROJECT_HINT}",
    ),
    Meaning(
        403,
        ("user_project_denied", "serviceusage", "quota project"),
        hint="Grant roles/serviceusage.serviceUsageConsumer on the quota project, or pass quota_project=.",
    ),
    Meaning(403, ("scope",), hint="Request a token with the scope https://www.googleapis.com/auth/cloud-platform."),
    # "Project 'projects/x' not found or deleted." and "Unable to find project x"; the reasons use the same words.
    Meaning(
        404,
        (
            "not found or deleted",
            "unable to find project",
            "project not found",
            "project_not_found",
            "consumer_invalid",
            "project_invalid",
            "unknown project",
            "project does not exist",
        ),
        hint=PROJECT_HINT,
    ),
    Meaning(
        404,
        (NOT_SERVED_TEXTS[404],),
        hint="Check the model's name and its location: newer models are only at 'global', 'us' and 'eu', previews "
        "often only at location='global'.",
    ),
    Meaning(
        429,
        ("provisioned throughput",),
        hint="The purchased units are used up: leave request_type unset, or pass "
        'request_type=["dedicated", "shared"], to also use pay-as-you-go capacity; or buy more units.',
    ),
    Meaning(429, ("logprobs", "log probabilities"), hint="Leave logprobs unset: such requests have a daily limit."),
    # SGLang's text, sent for open models as a service.
    Meaning(
        429,
        ("request queue is full",),
        hint="The model's servers are overloaded: wait and retry, or raise max_retries=.",
    ),
    Meaning(
        429,
        ("quota exceeded", "quota_exceeded", "per minute", "quota metric"),
        hint="The project's own quota is used up: see https://console.cloud.google.com/iam-admin/quotas, or send less.",
    ),
)

_PERMISSION = re.compile(r"[Pp]ermission '(aiplatform\.[A-Za-z.]+)' denied")

_CODE_LENGTH = 3

_MOST_KEPT = 1 << 16
"""Bytes of an error answer that the error stores, at most."""

_HEADERS_OF_ENCODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that are wrong for a decoded body."""
_NO_MEANING = Meaning(None, ())

_KINDS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ServerError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
    499: ServerError,
}

_UNIMPLEMENTED = 501
"""What some models answer with, instead of 404, at a location that does not serve them."""

_HINTS = {413: TOO_LARGE_HINT, _UNIMPLEMENTED: NotFoundError.default_hint}
"""Code → the hint for an error without a meaning of its own, of any text or as an HTML page."""


def decode_failure(code: int, body: bytes, headers: Mapping[str, str]) -> VertexCompatError:
    """Return the error for an answer with an HTTP error code."""
    error = _from_body(code, body)
    error.answer = ErrorAnswer(code, _plain_headers(headers), body[:_MOST_KEPT])
    error.retry_after = _retry_after_header(headers) or _retry_info(error.details)
    return error


def decode_stream_failure(value: object) -> VertexCompatError | None:
    """Return the error if a stream's chunk is one; None for any other chunk."""
    fields = error_in(value)
    if fields is None:
        return None
    error = _from_status(fields, _code_of(fields, 500))
    error.answer = ErrorAnswer(200, (), _bytes_of(value)[:_MOST_KEPT])
    error.retry_after = _retry_info(error.details)
    return error


def decode_stray(stray: bytes) -> VertexCompatError | None:
    """Return the error in the part of a stream that is not an event; None if there is none."""
    try:
        return decode_stream_failure(value_of(stray)) if stray else None
    except (ValueError, RecursionError):
        return None


def _bytes_of(value: object) -> bytes:
    """Encode the value as JSON; empty if it is nested too deep, since that must not hide the error itself."""
    try:
        return encode_json(value)
    except RecursionError:
        return b""


def _from_body(code: int, body: bytes) -> VertexCompatError:
    try:
        fields = error_in(value_of(body)) if body.strip() else None
    except (ValueError, RecursionError):
        fields = None
    if fields is not None:
        return _from_status(fields, _code_of(fields, code))
    text = body.decode(errors="replace").strip()
    if text.startswith("<"):
        return _from_html(code)
    return _from_status({"message": text[:500] or "The answer's body is empty."}, code)


def value_of(body: bytes) -> object:
    """Parse a JSON value.

    Raises:
        ValueError: The bytes are not JSON.
        RecursionError: The value is nested too deep.
    """
    try:
        return from_json(body)
    except ValueError:
        # Python accepts halves of an emoji (lone surrogates) as JSON, the faster parser does not.
        return json.loads(body)


def _from_html(code: int) -> VertexCompatError:
    error = _from_status({"message": HTML_PAGE}, code)
    if code not in _HINTS:
        error.hint = UnexpectedReplyError.default_hint + " A wrong location results in a host that does not exist."
    return error


def error_in(value: object) -> JsonObject | None:
    """Return the error object of a body, in any shape; None if the body is not an error."""
    if isinstance(value, list):
        # Google's chat endpoint: `[{"error": {…}}]`.
        return next((error for error in map(error_in, value) if error is not None), None)
    if not isinstance(value, Mapping):
        return None
    error = value.get("error")
    if isinstance(error, Mapping):
        return error
    if isinstance(error, str):
        return _error_in_text(error)
    # vLLM sends the error without the enclosing `error`.
    is_bare = "message" in value and ("code" in value or "status" in value) and "choices" not in value
    return value if is_bare else None


def _error_in_text(text: str) -> JsonObject:
    """The error in a string: proxies wrap the JSON body of the server behind them in one, or write a sentence."""
    try:
        error = error_in(from_json(text))
    except ValueError:
        error = None
    return error or {"message": text}


def _code_of(error: JsonObject, otherwise: int) -> int:
    code = error.get("code")
    if isinstance(code, str) and len(code) == _CODE_LENGTH and code.isdecimal():
        # LiteLLM's proxy sends the number as a string.
        code = int(code)
    return code if isinstance(code, int) and 400 <= code < 600 else otherwise


def _from_status(error: Mapping[str, Any], code: int) -> VertexCompatError:
    message = str(error.get("message") or "No reason given.").strip()
    status = error.get("status") if isinstance(error.get("status"), str) else None
    rows = error.get("details")
    details = [detail for detail in rows if isinstance(detail, Mapping)] if isinstance(rows, list) else []
    haystack = f"{message} {status} {_reasons(details)}".lower()
    meaning = next((row for row in MEANINGS if row.fits(code, haystack)), _NO_MEANING)
    kind = meaning.kind or _KINDS.get(code) or (ServerError if code >= 500 else ApiError)
    if kind is ApiError and 300 <= code < 400:
        return UnexpectedReplyError(f"The server redirects (HTTP {code}); redirects are not followed.", code=code)
    hint = meaning.hint or _hint_of_permission(message, code) or _HINTS.get(code)
    failure = kind(message, hint=hint, code=code, status=status, details=details)
    if code == _UNIMPLEMENTED:
        failure.is_retryable = False
    return failure


def _hint_of_permission(message: str, code: int) -> str | None:
    """The hint with the permission that Google names, such as that to create a context cache."""
    named = _PERMISSION.search(message) if code == 403 else None
    return f"Grant roles/aiplatform.user (permission {named[1]}) on the project." if named else None


def _plain_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers.items() if name.lower() not in _HEADERS_OF_ENCODING)


def _reasons(details: list[JsonObject]) -> str:
    return " ".join(str(detail.get("reason", "")) for detail in details)


def _retry_after_header(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After-Ms` or `Retry-After`, which may be seconds or a date."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    if (seconds := _number(value)) is not None:
        return seconds
    # Use the server's own clock, so that a wrong clock on this machine does not matter.
    now = _date(headers.get("date")) or datetime.datetime.now(datetime.UTC)
    moment = _date(value)
    return max((moment - now).total_seconds(), 0.0) if moment is not None else None


def _date(text: str | None) -> datetime.datetime | None:
    """The moment in a header; None if the header holds no valid date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


def _retry_info(details: list[JsonObject]) -> float | None:
    """Seconds from `google.rpc.RetryInfo`."""
    for detail in details:
        if str(detail.get("@type", "")).endswith("google.rpc.RetryInfo"):
            return _number(str(detail.get("retryDelay", "")).removesuffix("s"))
    return None


def _number(text: str | None) -> float | None:
    """Parse a number, 0 at least; None if the text is not a finite number."""
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return max(0.0, number) if number is not None and math.isfinite(number) else None
