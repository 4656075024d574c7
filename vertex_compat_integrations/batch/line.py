"""One line of the input → what to ask. Pure.

Two forms: OpenAI's batch request, `{"custom_id", "method", "url", "body"}`, and the body alone, in which `prompt` may
stand for the messages and `custom_id` beside them.
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
from vertex_compat_integrations.core.settings.connection import Destination, resolve_model_name
from vertex_compat_integrations.core.settings.options import TOLERATED, Options, effective_options

URLS = ("/v1/chat/completions", "/chat/completions")
LONGEST_ID = 512
_ENVELOPE = ("custom_id", "method", "url", "body")
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
"""OpenAI's roles → those that the endpoint lists."""
_HEADERS = ("default_headers", "extra_headers", "headers")
_KEPT_OPTIONS = 256


@dataclass(frozen=True, slots=True)
class Line:
    """What one line asks.

    Attributes:
        number: Its place in the file, from 1; empty lines count.
        custom_id: What it is known by: its own id, or one made of its number and a digest of its bytes.
        messages: The conversation.
        options: All else that the request says.
    """

    number: int
    custom_id: str
    messages: list[wire.Message]
    options: Options


class LineDecoder:
    """Reads lines with the options that hold where a line says nothing."""

    def __init__(self, defaults: Options, destination: Destination) -> None:
        """`destination` decides which model names can be."""
        self._defaults = defaults
        self._destination = destination
        self._known: dict[str, Options] = {}

    def decode(self, raw: bytes, number: int) -> Line:
        """The line's meaning.

        Raises:
            SettingsError: It is of no known form, or its request cannot be.
        """
        held = _object(raw)
        body = _enveloped(held) if "body" in held else {key: held[key] for key in held if key != "custom_id"}
        messages = _messages(body)
        said = {key: value for key, value in body.items() if key not in ("messages", "prompt") and value is not None}
        return Line(number, _custom_id(held, raw, number), messages, self._options(said))

    def _options(self, said: dict[str, Any]) -> Options:
        """The options that hold for a line; most lines say the same, so they are checked once."""
        key = json.dumps(said)
        options = self._known.get(key)
        if options is None:
            if len(self._known) >= _KEPT_OPTIONS:
                self._known.clear()
            options = self._known[key] = self._checked(said)
        return options

    def _checked(self, said: dict[str, Any]) -> Options:
        if said.pop("stream", False):
            raise SettingsError("stream is on.", hint="An answer in a file comes whole: leave stream out.")
        if named := [name for name in _HEADERS if name in said]:
            raise SettingsError(f"{named[0]} is no field of a request.", hint="Leave it out.")
        try:
            own = Options.model_validate(said)
            options = effective_options(self._defaults, said)
        except ValidationError as error:
            raise _refusal(error) from None
        # What frameworks set by themselves is left out of a call; in a file it was written down by somebody.
        options = options.model_copy(update={name: getattr(own, name) for name in own.model_fields_set & TOLERATED})
        options = options.model_copy(update={"model": resolve_model_name(options.model, self._destination)})
        # The same request with other messages: what cannot be sent is found before anything is.
        build_request([{"role": "user", "content": "."}], options, facts_for(options.model))
        return options


def _refusal(error: ValidationError) -> SettingsError:
    """The error in our own words."""
    own = error.errors(include_url=False, include_input=False)[0].get("ctx", {}).get("error")
    return own if isinstance(own, SettingsError) else SettingsError(reason_of(error))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        held = _JSON.decode(raw.decode())
    except json.JSONDecodeError as error:
        raise SettingsError(f"It is no JSON (column {error.colno}: {error.msg}).", hint="Correct the line.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"It is no UTF-8 (byte {error.start + 1}).", hint="Save the file as UTF-8.") from None
    except RecursionError:
        raise SettingsError("It is nested too deep.", hint="Correct the line.") from None
    if not isinstance(held, dict):
        raise SettingsError("It is no JSON object.", hint='Write {"prompt": "…"}, for example.')
    return held


def _refuse_constant(name: str) -> None:
    raise SettingsError(f"{name} is no JSON.", hint="Correct the line.")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _enveloped(held: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of a batch request in OpenAI's form."""
    if unknown := [key for key in held if key not in _ENVELOPE]:
        raise SettingsError(f"{unknown[0]!r} is unknown beside 'body'.", hint=f"Known are {', '.join(_ENVELOPE)}.")
    if held.get("method", "POST") != "POST":
        raise SettingsError("method is not POST.", hint="Write POST, or leave it out.")
    if held.get("url", URLS[0]) not in URLS:
        raise SettingsError("url names another route.", hint=f"Only {URLS[0]} is asked.")
    body = held["body"]
    if not isinstance(body, dict):
        raise SettingsError("body is no JSON object.", hint='Write {"messages": […]} there.')
    return body


def _custom_id(held: Mapping[str, Any], raw: bytes, number: int) -> str:
    given = held.get("custom_id")
    if given is None:
        return f"line-{number}-{hashlib.blake2b(raw, digest_size=8).hexdigest()}"
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_ID:
        raise SettingsError("custom_id is no text.", hint=f"Write a text of 1 to {LONGEST_ID} characters.")
    return given


def _messages(body: Mapping[str, Any]) -> list[wire.Message]:
    prompt, messages = body.get("prompt"), body.get("messages")
    if (prompt is None) == (messages is None):
        raise SettingsError("It needs either prompt or messages.", hint='Write {"prompt": "…"}, for example.')
    if prompt is not None:
        if not isinstance(prompt, str) or not prompt:
            raise SettingsError("prompt is no text.", hint="Write a text that is not empty.")
        return [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages:
        raise SettingsError("messages is no list of messages.", hint='Write [{"role": "user", "content": "…"}].')
    return [_message(message, place) for place, message in enumerate(messages)]


def _message(message: Any, place: int) -> wire.Message:
    where = f"messages[{place}]"
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise SettingsError(f"{where} has no known role.", hint=f"Known are {', '.join(_ROLES)}.")
    if not _is_content(message.get("content")):
        raise SettingsError(f"{where}.content is neither text nor a list of parts.", hint="Correct it.")
    if not _are_calls(message.get("tool_calls")):
        raise SettingsError(f"{where}.tool_calls is no list of calls.", hint="Give each an id and its function.")
    if message["role"] == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise SettingsError(f"{where} names no tool_call_id.", hint="Name the call that it answers.")
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
