"""Rules about single parameters and about those that exclude each other.

The wording is Google's, as public reports quote it; where only the rule is documented, the bare "Request contains an
invalid argument." stands.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, objects
from vertex_compat_integrations.emulator.refusal import Refusal, unknown_model
from vertex_compat_integrations.emulator.rules.rule import EVERYWHERE, SERVED, Rule

EFFORTS = ("high", "low", "max", "medium", "minimal")
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
_ONE_CANDIDATE = (
    "Unable to submit request because candidateCount must be 1 but the entered value was {value}. "
    "Update the candidateCount value and try again."
)
_RANGE = (
    "Unable to submit request because it has a {name} value of {value} but the supported range is from {low} "
    "(inclusive) to {high} (exclusive). Update the value and try again."
)
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


def _served_here(request: ChatRequest) -> Refusal | None:
    traits, location = request.traits, request.place.location
    if not traits.locations or location in traits.locations:
        return None
    if traits.surface == "xai":
        message = f"Publisher model '{request.model}' in region '{location}' is only available via global endpoint."
        return Refusal(message, 400, "FAILED_PRECONDITION")
    return unknown_model(request.model, request.place)


def _one_candidate(request: ChatRequest) -> Refusal | None:
    count = request.body.get("n")
    return None if count is None or count == 1 else Refusal(_ONE_CANDIDATE.format(value=count))


def _output_limit(request: ChatRequest) -> Refusal | None:
    return _range("maxOutputTokens", request.max_tokens, 1, request.traits.output_limit + 1)


def _temperature(request: ChatRequest) -> Refusal | None:
    return _range("temperature", request.body.get("temperature"), 0, 2.0001)


def _top_p(request: ChatRequest) -> Refusal | None:
    return _range("topP", request.body.get("top_p"), 0, 1.0001)


def _range(name: str, value: Any, low: float, high: float) -> Refusal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refusal()
    is_inside = low <= value < high
    return None if is_inside else Refusal(_RANGE.format(name=name, value=value, low=low, high=high))


def _effort(request: ChatRequest) -> Refusal | None:
    effort = request.body.get("reasoning_effort")
    if effort is None or effort in EFFORTS:
        return None
    expected = ", ".join(f"'{allowed}'" for allowed in EFFORTS)
    return Refusal(f"Expected 'reasoning_effort' to be one of: {expected}; found '{effort}'.")


def _effort_of_family(request: ChatRequest) -> Refusal | None:
    effort, efforts = request.body.get("reasoning_effort"), request.traits.efforts
    if effort is None or not efforts or effort in efforts:
        return None
    return Refusal(f"reasoning_effort must be one of {', '.join(efforts)}; found {effort!r}.")


def _effort_alone(request: ChatRequest) -> Refusal | None:
    has_both = request.body.get("reasoning_effort") is not None and "thinking_config" in request.google
    return Refusal() if has_both else None


def _level_or_budget(request: ChatRequest) -> Refusal | None:
    has_both = request.thinking.get("thinking_level") is not None and "thinking_budget" in request.thinking
    return Refusal("You can only set only one of thinking budget and thinking level.") if has_both else None


def _thoughts_need_thinking(request: ChatRequest) -> Refusal | None:
    thinking = request.thinking
    if thinking.get("include_thoughts") and thinking.get("thinking_budget") == 0:
        return Refusal("Thinking_config.include_thoughts is only enabled when thinking is enabled.")
    return None


def _minimal_level(request: ChatRequest) -> Refusal | None:
    level = request.thinking.get("thinking_level") or request.body.get("reasoning_effort")
    if request.traits.refuses_minimal and str(level).lower() == "minimal":
        return Refusal("Thinking level is unsupported: THINKING_LEVEL_MINIMAL")
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


def _rule(name: str, check: Callable[[ChatRequest], Refusal | None]) -> Rule:
    return Rule(name, check)


PARAMETER_RULES: tuple[Rule, ...] = (
    Rule("messages are objects", _messages_are_objects, EVERYWHERE),
    Rule("values of their kind", _values_of_their_kind, EVERYWHERE),
    Rule("the model is served in this location", _served_here, SERVED),
    _rule("one candidate", _one_candidate),
    _rule("max_tokens within the model's limit", _output_limit),
    _rule("temperature within its range", _temperature),
    _rule("top_p within its range", _top_p),
    _rule("a known reasoning effort", _effort),
    Rule("an effort that the family knows", _effort_of_family, SERVED),
    _rule("effort or thinking_config, not both", _effort_alone),
    _rule("thinking level or budget, not both", _level_or_budget),
    _rule("thoughts only of who thinks", _thoughts_need_thinking),
    _rule("no MINIMAL level where it is unsupported", _minimal_level),
    Rule("tools are functions", _tools_are_functions, EVERYWHERE),
    _rule("function names valid and unique", _function_names),
    Rule("tool_choice names a declared function", _choice_is_declared, EVERYWHERE),
    Rule("a tool_choice that the family knows", _choice_of_family, SERVED),
    _rule("tools or a JSON format on older models", _tools_or_json),
    _rule("known native tools", _native_tools),
    _rule("cached content without system, tools and tool_choice", _cached_content_alone),
    _rule("known roles", _known_roles),
    _rule("known content parts", _known_parts),
)
"""The rules in the order in which they are asked."""
