"""Faults: answers with an error, alone or applied to another answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vertex_compat_integrations.emulator.refusal import Refusal, Shape, html_page, shaped_body
from vertex_compat_integrations.emulator.scripting.answer import Answer, Cut, CutForm, Failure, Raw, StreamErrorShape
from vertex_compat_integrations.emulator.scripting.checked import (
    Count,
    ErrorStatus,
    RedirectStatus,
    Seconds,
    Status,
    checked,
)
from vertex_compat_integrations.wire import Json

USUAL_MESSAGES: Mapping[int, str] = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission.",
    404: "Requested entity was not found.",
    409: "The operation was aborted.",
    429: "Resource exhausted. Please try again later.",
    499: "The operation was cancelled.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}
"""The default messages of Google's APIs for each code (the usual texts of google.rpc.Code)."""


@checked
def http_error(
    code: ErrorStatus,
    message: str | None = None,
    *,
    status: str = "",
    details: Sequence[Json] = (),
    headers: Mapping[str, str] | None = None,
    shape: Shape = "list",
) -> Answer:
    """Answer with an error; message and status default to Google's usual ones for the code."""
    text = USUAL_MESSAGES.get(code, "The request failed.") if message is None else message
    body, content_type = shaped_body(Refusal(text, code, status, tuple(details)), shape)
    return Answer(Raw(body, code, content_type, headers or {}))


def throughput_exceeded() -> Answer:
    """Answer with the 429 of exhausted provisioned throughput; use it with `rule(…, request_type="dedicated")`."""
    return http_error(429, "Too many requests. Exceeded the Provisioned Throughput.")


def queue_full() -> Answer:
    """Answer with the 429 of an open model whose queue is full."""
    return http_error(429, "The request queue is full.")


@checked
def api_not_enabled(project: str = "demo") -> Answer:
    """Answer with the 403 of a project that has not enabled the API.

    The message begins as reported in 2026; the rest is Google's usual text for any API.
    """
    message = (
        f"Agent Platform API has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/aiplatform.googleapis.com/overview?project={project} then "
        "retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and "
        "retry."
    )
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": "aiplatform.googleapis.com", "consumer": f"projects/{project}"},
    }
    return http_error(403, message, details=[detail])


def corrupted_signature() -> Answer:
    """Answer with the 400 that a valid signature gets now and then; clients report that a second try succeeds."""
    return http_error(400, "Corrupted thought signature.")


@checked
def delay(seconds: Seconds, then: Answer | None = None) -> Answer:
    """Send the answer after a pause."""
    answer = then or Answer()
    return replace(answer, delivery=replace(answer.delivery, delay_seconds=seconds))


@checked
def drip(seconds_between: Seconds, then: Answer | None = None) -> Answer:
    """Send the answer with a pause before each event."""
    answer = then or Answer()
    return replace(answer, delivery=replace(answer.delivery, interval_seconds=seconds_between))


@checked
def cut(after_chunks: Count = 1, how: CutForm = "close", then: Answer | None = None) -> Answer:
    """Cut the answer off after some events.

    `close` closes the connection, `reset` resets it, `chunk` closes it in the middle of the next event, and `clean`
    ends the reply correctly for HTTP, but before its finish reason.
    """
    answer = then or Answer()
    return replace(answer, delivery=replace(answer.delivery, cut=Cut(after_chunks, how)))


@checked
def error_in_stream(
    after_chunks: Count = 1,
    shape: StreamErrorShape = "bare_list",
    code: ErrorStatus = 499,
    message: str = "The operation was cancelled.",
    *,
    status: str = "",
    then: Answer | None = None,
) -> Answer:
    """End the answer with an error body after some events; `bare_list` is Google's form, without SSE framing."""
    answer = then or Answer()
    failure = Failure(after_chunks, Refusal(message, code, status), shape)
    return replace(answer, delivery=replace(answer.delivery, failure=failure))


@checked
def no_finish(then: Answer | None = None) -> Answer:
    """Send the answer without finish reason and without `[DONE]`."""
    answer = then or Answer()
    return replace(answer, delivery=replace(answer.delivery, drops_finish=True))


def hang() -> Answer:
    """Send no answer at all, until the client disconnects or the emulator stops."""
    answer = Answer()
    return replace(answer, delivery=replace(answer.delivery, hangs=True))


@checked
def redirect(url: str, code: RedirectStatus = 307) -> Answer:
    """Answer with a redirect to a URL."""
    return Answer(Raw(b"", code, "text/html", {"Location": url}))


@checked
def html(code: Status = 200, message: str = "The requested page is not here.") -> Answer:
    """Answer with an HTML page, as proxies and captive portals do."""
    return Answer(Raw(html_page(code, message), code, "text/html; charset=UTF-8"))
