"""The emulator's refusals, with Google's messages and in Google's formats."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vertex_compat_integrations.emulator.chat_request import ModelResource
from vertex_compat_integrations.wire import Json

Shape = Literal["list", "dict", "html", "empty", "text"]

STATUS_OF_CODE: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

BARE_MESSAGE = "Request contains an invalid argument."

_HTML = """<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <meta name=viewport content="initial-scale=1, minimum-scale=1, width=device-width">
  <title>Error {code} ({title})!!1</title>
  <a href=//www.google.com/><span id=logo aria-label=Google></span></a>
  <p><b>{code}.</b> <ins>That's an error.</ins>
  <p>{message}  <ins>That's all we know.</ins>
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request.

    Attributes:
        message: Google's message.
        code: HTTP status.
        status: Canonical Google status; empty means the usual one for the code.
        details: `google.rpc` details.
    """

    message: str = BARE_MESSAGE
    code: int = 400
    status: str = ""
    details: tuple[Json, ...] = ()

    @property
    def error(self) -> Json:
        """The value of the field `error`."""
        status = self.status or STATUS_OF_CODE.get(self.code, "UNKNOWN")
        error: Json = {"code": self.code, "message": self.message, "status": status}
        if self.details:
            error["details"] = list(self.details)
        return error


def google_body(refusal: Refusal) -> bytes:
    """Return the list-shaped, indented body of the chat completions front end."""
    return pretty([{"error": refusal.error}])


def openai_body(refusal: Refusal) -> bytes:
    """Return the body of a self-deployed vLLM."""
    error = {"message": refusal.message, "type": "BadRequestError", "param": None, "code": refusal.code}
    return pretty({"error": error})


def shaped_body(refusal: Refusal, shape: Shape) -> tuple[bytes, str]:
    """Return body and content type of a refusal in the given shape."""
    match shape:
        case "list":
            return google_body(refusal), "application/json"
        case "dict":
            return pretty({"error": refusal.error}), "application/json"
        case "html":
            return html_page(refusal.code, refusal.message), "text/html"
        case "text":
            return refusal.message.encode(), "text/plain"
        case "empty":
            return b"", "text/plain"


def html_page(code: int, message: str) -> bytes:
    """Return an error page like those of Google's front end."""
    title = STATUS_OF_CODE.get(code, "Error").replace("_", " ").title()
    return _HTML.format(code=code, title=title, message=message).encode()


def pretty(value: Any) -> bytes:
    """Return indented JSON, as Google sends it."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


class BrokenStreamError(Exception):
    """The upstream's stream was interrupted."""


def unknown_model(model: str, place: ModelResource) -> Refusal:
    """Return the service's refusal of a model that is not served here."""
    publisher, slash, name = model.partition("/")
    if not slash:
        return Refusal(f"Malformed publisher model (\"model\": '{model}'): expected '<publisher>/<model>'.")
    resource = f"projects/{place.project}/locations/{place.location}/publishers/{publisher}/models/{name}"
    return Refusal(
        f"Publisher Model `{resource}` was not found or your project does not have access to it. Please ensure you are "
        "using a valid model version. For more information, see: "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions",
        404,
    )
