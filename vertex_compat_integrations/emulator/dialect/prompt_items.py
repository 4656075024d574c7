"""The counted items of a prompt, in one form for chat completions and for native requests.

So that `countTokens` and the usage of the same chat request agree: texts, calls, results and declarations, without ids,
roles and signatures. Media of the model's card are counted apart (`media_tokens`), others by their data.
"""

import json
from collections.abc import Iterator
from typing import Any

from vertex_compat_integrations.emulator.chat_request import (
    ChatRequest,
    function_of,
    mapping,
    media_type,
    parts,
    text_of,
    tool_calls,
)
from vertex_compat_integrations.emulator.dialect.media_tokens import counted_kind, result_media
from vertex_compat_integrations.wire import Json


def chat_items(request: ChatRequest) -> list[Any]:
    """Return the items of a chat request."""
    items = [item for message in request.messages for item in _message_items(message)]
    return [*items, *map(declaration_item, request.own_functions)]


def declaration_item(function: Json) -> list[Any]:
    """Return the item of a declared function."""
    return [function.get(name) for name in ("name", "description", "parameters")]


def call_item(name: Any, arguments: Any) -> list[Any]:
    """Return the item of a call, with its arguments as an object."""
    return [name, _parsed(arguments)]


def result_item(result: Any) -> Any:
    """Return the item of a tool's result; a text and an object with the text as `output` are the same."""
    value = _parsed(result)
    return value["output"] if isinstance(value, dict) and set(value) == {"output"} else value


def _message_items(message: Json) -> Iterator[Any]:
    if message.get("role") in ("tool", "function"):
        yield result_item(text_of(message))
    else:
        yield from (str(part.get("text", "")) for part in parts(message) if part.get("type") == "text")
    for part in parts(message):
        kind = media_type(part)
        if kind is not None and not counted_kind(kind):
            yield mapping(part.get("input_audio")).get("data")
    yield from (data for kind, data in result_media(message) if not counted_kind(kind))
    yield from (call_item(function.get("name"), function.get("arguments")) for function in _calls(message))


def _calls(message: Json) -> Iterator[Json]:
    yield from map(function_of, tool_calls(message))
    if old := mapping(message.get("function_call")):
        yield old


def _parsed(value: Any) -> Any:
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, dict) else value
