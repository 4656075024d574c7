"""Rules about single parameters and about those that exclude each other.

The messages are Google's, as quoted in public reports; if only the rule is documented, the message is the generic
"Request contains an invalid argument."
"""

import re
from collections.abc import Mapping
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, objects
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.emulator.rules.rule import EVERYWHERE, SERVED, Rule

ROLES = frozenset({"system", "user", "assistant", "model", "tool", "function"})
PART_TYPES = frozenset({"text", "image_url", "input_audio", "refusal"})
TOOL_CHOICES = frozenset({"none", "auto", "required", "validated"})
NATIVE_TOOLS = frozenset(
    {
        *("google_search", "google_search_retrieval", "enterprise_web_search", "google_maps", "retrieval"),
        *("code_execution", "url_context", "computer_use", "function_declarations", "external_api"),
    }
)

_UNKNOWN_NAME = "Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SHAPES: Mapping[str, type | tuple[type, ...]] = {
    "model": str,
    "tools": list,
    "tool_choice": (str, dict),
    "response_format": dict,
    "stop": (str, list),
    "modalities": list,
    "n": int,
    "max_tokens": int,
    "max_completion_tokens": int,
    "reasoning_effort": str,
    "stream": bool,
    "extra_body": dict,
    "google": dict,
}

_FUNCTION_NAME = re.compile(r"[A-Za-z_][\w.:-]{0,63}", re.ASCII)
_CACHED = (
    "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config. "
    "Proposed fix: move those values to CachedContent from GenerateContent request."
)
_BAD_NAME = (
    "Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), "
    "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
)


def _messages_are_objects(request: ChatRequest) -> Refusal | None:
    messages = request.body.get("messages")
    is_list = isinstance(messages, list) and all(isinstance(mapping(message).get("role"), str) for message in messages)
    return None if is_list else Refusal()


def _values_of_their_kind(request: ChatRequest) -> Refusal | None:
    for name, kind in _SHAPES.items():
        value = request.body.get(name)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            return Refusal()
    return None


def _choice_is_declared(request: ChatRequest) -> Refusal | None:
    choice = request.choice
    if choice is None or choice in ("none", "auto"):
        return None
    if isinstance(choice, dict):
        is_known = request.named_choice in request.function_names
    else:
        is_known = str(choice) in TOOL_CHOICES and bool(request.functions)
    return None if is_known else Refusal()


def _choice_of_family(request: ChatRequest) -> Refusal | None:
    choice = request.body.get("tool_choice")
    form = "named" if isinstance(choice, dict) else choice
    return Refusal(f"tool_choice {form!r} is not supported.") if form in request.traits.refused_choices else None


def _function_names(request: ChatRequest) -> Refusal | None:
    for name in request.function_names:
        if not _FUNCTION_NAME.fullmatch(name):
            return Refusal(_BAD_NAME)
        if request.function_names.count(name) > 1:
            return Refusal(f"Duplicate function declaration found: {name}")
    return None


def _tools_are_functions(request: ChatRequest) -> Refusal | None:
    tools = request.body.get("tools")
    if tools is None:
        return None
    is_complete = len(objects(tools)) == len(tools) == len([name for name in request.function_names if name])
    are_objects = all(isinstance(function.get("parameters", {}), dict) for function in request.functions)
    return None if is_complete and are_objects else Refusal()


def _tools_or_json(request: ChatRequest) -> Refusal | None:
    kind = "application/json" if request.wants_json else request.response_format
    if request.functions and "/" in kind and kind != "text/plain" and not request.traits.joins_tools_and_json:
        return Refusal(f"Function calling with a response mime type: '{kind}' is unsupported")
    return None


def _native_tools(request: ChatRequest) -> Refusal | None:
    tools = request.google.get("tools")
    if tools is None:
        return None
    if not isinstance(tools, list) or not tools:
        return Refusal()
    for tool in tools:
        for name in mapping(tool) or {"": None}:
            if _HUMP.sub("_", name).lower() not in NATIVE_TOOLS:
                return Refusal(_UNKNOWN_NAME.format(name=name, place="tools[0]"))
    return None


def _cached_content_alone(request: ChatRequest) -> Refusal | None:
    if not request.google.get("cached_content"):
        return None
    if not request.traits.has_cache:
        # The service's message for this is not published.
        return Refusal()
    has_system = any(message.get("role") == "system" for message in request.messages)
    has_tools = bool(request.functions or request.google.get("tools")) or request.choice is not None
    return Refusal(_CACHED) if has_system or has_tools else None


def _known_roles(request: ChatRequest) -> Refusal | None:
    return None if all(message["role"] in ROLES for message in request.messages) else Refusal()


def _known_parts(request: ChatRequest) -> Refusal | None:
    for message in request.messages:
        content = message.get("content")
        if isinstance(content, list) and any(not _is_known_part(part) for part in content):
            return Refusal()
        if not isinstance(content, list | str | None):
            return Refusal()
    return None


def _is_known_part(part: Any) -> bool:
    kind = str(mapping(part).get("type"))
    if kind == "text":
        return isinstance(part.get("text"), str)
    return kind in PART_TYPES and kind in mapping(part)


SHAPE_RULES: tuple[Rule, ...] = (
    Rule("messages are objects", _messages_are_objects, EVERYWHERE),
    Rule("values of their kind", _values_of_their_kind, EVERYWHERE),
)
"""Checks that the later rules rely on."""

PARAMETER_RULES: tuple[Rule, ...] = (
    Rule("tools are functions", _tools_are_functions, EVERYWHERE),
    Rule("function names valid and unique", _function_names),
    Rule("tool_choice names a declared function", _choice_is_declared, EVERYWHERE),
    Rule("a tool_choice that the model family supports", _choice_of_family, SERVED),
    Rule("tools or a JSON format on older models", _tools_or_json),
    Rule("known native tools", _native_tools),
    Rule("cached content without system, tools and tool_choice", _cached_content_alone),
    Rule("known roles", _known_roles),
    Rule("known content parts", _known_parts),
)
"""The rules in the order of checking."""
