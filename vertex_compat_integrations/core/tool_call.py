"""The tool calls of a message → `ToolCall`s. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.shapes import mapping_in, mappings_in, text_in


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for; `arguments` is the JSON string as it came, `extra` its `extra_content`."""

    id: str
    name: str
    arguments: str
    extra: wire.ExtraContent | None = None


def decode_calls(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """The calls of a whole message, each with an id of its own."""
    calls: list[ToolCall] = []
    for call in mappings_in(message.get("tool_calls")):
        function = mapping_in(call.get("function"))
        taken = {known.id for known in calls}
        calls.append(
            ToolCall(
                id=unique_id(text_in(call.get("id")), taken),
                name=text_in(function.get("name")),
                arguments=arguments_text(function.get("arguments")),
                extra=dict(mapping_in(call.get("extra_content"))) or None,
            )
        )
    if not calls and (function := mapping_in(message.get("function_call"))):
        name, arguments = text_in(function.get("name")), arguments_text(function.get("arguments"))
        calls.append(ToolCall(unique_id(None, set()), name, arguments))
    return tuple(calls)


def unique_id(given: str | None, taken: set[str]) -> str:
    """The given id if it is one and not taken; frameworks pair by it, and servers send it empty or twice."""
    if not given:
        return f"call_{uuid4().hex}"
    number = 2
    unique = given
    while unique in taken:
        unique = f"{given}-{number}"
        number += 1
    return unique


def arguments_text(arguments: Any) -> str:
    """A call's arguments as JSON text."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else to_json(arguments).decode()
