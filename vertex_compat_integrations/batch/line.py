"""Decodes one line of the input to a request. Does no I/O.

Two forms: OpenAI's batch request, `{"custom_id", "method", "url", "body"}`, and the body alone, in which `prompt` may
replace the messages and `custom_id` may be added.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.request.build import build_request
from vertex_compat_integrations.core.settings.base import reason_of
from vertex_compat_integrations.core.settings.destination import Destination, resolve_model_name
from vertex_compat_integrations.core.settings.options import TOLERATED, Options, effective_options

URLS = ("/v1/chat/completions", "/chat/completions")
LONGEST_ID = 512
_ENVELOPE = ("custom_id", "method", "url", "body")
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
"""OpenAI's roles → those that the endpoint lists."""
_HEADERS = ("default_headers", "extra_headers", "headers")
_MOST_OPTIONS = 256


@dataclass(frozen=True, slots=True)
class Line:
    """One request of the input.

    Attributes:
        number: Its position in the file, from 1; empty lines count.
        custom_id: Its id, or one made of its number and a hash of its bytes.
        messages: The conversation.
        options: All other fields of the request.
    """

    number: int
    custom_id: str
    messages: list[wire.Message]
    options: Options


class LineDecoder:
    """Decodes lines; the default options apply where a line sets nothing."""

    def __init__(self, defaults: Options, destination: Destination) -> None:
        """`destination` decides which model names are valid."""
        self._defaults = defaults
        self._destination = destination
        self._decoded: dict[str, Options] = {}

    def decode(self, raw: bytes, number: int) -> Line:
        """Return the request in a line.

        Raises:
            SettingsError: The line has an unknown form, or its request is invalid.
        """
        fields = _object(raw)
        body = _enveloped(fields) if "body" in fields else {key: fields[key] for key in fields if key != "custom_id"}
        messages = _messages(body)
        settings = {
            key: value for key, value in body.items() if key not in ("messages", "prompt") and value is not None
        }
        return Line(number, _custom_id(fields, raw, number), messages, self._options(settings))

    def _options(self, settings: dict[str, Any]) -> Options:
        """Return the options of a line; most lines set the same ones, so each set is checked only once."""
        key = json.dumps(settings)
        options = self._decoded.get(key)
        if options is None:
            if len(self._decoded) >= _MOST_OPTIONS:
                self._decoded.clear()
            options = self._decoded[key] = self._checked(settings)
        return options

    def _checked(self, settings: dict[str, Any]) -> Options:
        if settings.pop("stream", False):
            raise SettingsError("stream is on.", hint="Remove stream: results in a file are not streamed.")
        if named := [name for name in _HEADERS if name in settings]:
            raise SettingsError(f"{named[0]} is not a field of a request.", hint="Remove it.")
        try:
            own = Options.model_validate(settings)
            options = effective_options(self._defaults, settings)
        except ValidationError as error:
            raise _refusal(error) from None
        # A call drops the fields that frameworks set by themselves; in a file, the user wrote them.
        options = options.model_copy(update={name: getattr(own, name) for name in own.model_fields_set & TOLERATED})
        options = options.model_copy(update={"model": resolve_model_name(options.model, self._destination)})
        # Builds the same request with other messages, so that invalid options are refused before anything is sent.
        build_request([{"role": "user", "content": "."}], options, facts_for(options.model))
        return options


def _refusal(error: ValidationError) -> SettingsError:
    """Return the error with our own message."""
    own = error.errors(include_url=False, include_input=False)[0].get("ctx", {}).get("error")
    return own if isinstance(own, SettingsError) else SettingsError(f"{reason_of(error)}.")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = _JSON.decode(raw.decode())
    except json.JSONDecodeError as error:
        raise SettingsError(f"Not valid JSON (column {error.colno}: {error.msg}).", hint="Correct the line.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"Not valid UTF-8 (byte {error.start + 1}).", hint="Save the file as UTF-8.") from None
    except RecursionError:
        raise SettingsError("The JSON is nested too deep.", hint="Correct the line.") from None
    if not isinstance(value, dict):
        raise SettingsError("Not a JSON object.", hint='Write {"prompt": "…"}, for example.')
    return value


def _refuse_constant(name: str) -> None:
    raise SettingsError(f"{name} is not valid JSON.", hint="Correct the line.")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _enveloped(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of a batch request in OpenAI's form."""
    if unknown := [key for key in fields if key not in _ENVELOPE]:
        raise SettingsError(
            f"{unknown[0]!r} is unknown next to 'body'.", hint=f"Remove it; allowed: {', '.join(_ENVELOPE)}."
        )
    if fields.get("method", "POST") != "POST":
        raise SettingsError("method is not POST.", hint="Write POST, or remove it.")
    if fields.get("url", URLS[0]) not in URLS:
        raise SettingsError("url names another route.", hint=f"Write {URLS[0]}, or remove it.")
    body = fields["body"]
    if not isinstance(body, dict):
        raise SettingsError("body is not a JSON object.", hint='Write {"messages": […]} there.')
    return body


def _custom_id(fields: Mapping[str, Any], raw: bytes, number: int) -> str:
    custom_id = fields.get("custom_id")
    if custom_id is None:
        return f"line-{number}-{hashlib.blake2b(raw, digest_size=8).hexdigest()}"
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= LONGEST_ID:
        raise SettingsError("custom_id is not a valid text.", hint=f"Write a text of 1 to {LONGEST_ID} characters.")
    return custom_id


def _messages(body: Mapping[str, Any]) -> list[wire.Message]:
    prompt, messages = body.get("prompt"), body.get("messages")
    if (prompt is None) == (messages is None):
        raise SettingsError("The line needs either prompt or messages.", hint='Write {"prompt": "…"}, for example.')
    if prompt is not None:
        if not isinstance(prompt, str) or not prompt:
            raise SettingsError("prompt is not a text, or empty.", hint="Write a text that is not empty.")
        return [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages:
        raise SettingsError("messages is not a list of messages.", hint='Write [{"role": "user", "content": "…"}].')
    return [_message(message, place) for place, message in enumerate(messages)]


def _message(message: Any, place: int) -> wire.Message:
    where = f"messages[{place}]"
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise SettingsError(f"{where} has no known role.", hint=f"Use one of {', '.join(_ROLES)}.")
    if not _is_content(message.get("content")):
        raise SettingsError(f"{where}.content is neither text nor a list of parts.", hint="Correct it.")
    if not _are_calls(message.get("tool_calls")):
        raise SettingsError(f"{where}.tool_calls is not a list of calls.", hint="Give each an id and its function.")
    if message["role"] == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise SettingsError(f"{where} has no tool_call_id.", hint="Set the id of the call that it answers.")
    return cast("wire.Message", {**message, "role": _ROLES[message["role"]]})


def _is_content(content: Any) -> bool:
    if not isinstance(content, list):
        return content is None or isinstance(content, str)
    return all(
        isinstance(part, dict) and (part.get("type") != "text" or isinstance(part.get("text"), str)) for part in content
    )


def _are_calls(calls: Any) -> bool:
    return calls is None or (isinstance(calls, list) and all(map(_is_call, calls)))


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(function, dict)
        and all(isinstance(function.get(key), str) for key in ("name", "arguments"))
        and isinstance(call.get("id"), str)
    )
