"""Which tools a request declares, and which of them the model may or must call. Pure.

Sources: Google's page on OpenAI compatibility: `tool_choice` is none, auto, required or `validated` (Google's own), and
`extra_body.google.tools` takes Gemini's native tools. OpenAI's `allowed_tools` has no evidence there, so the tools that
are not allowed are left out of the request; of `strict` the nearest is `validated`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.schema.convert import to_parameters

NATIVE_TOOLS = frozenset(
    {
        *("google_search", "google_search_retrieval", "enterprise_web_search", "google_maps"),
        *("code_execution", "url_context", "retrieval", "computer_use", "external_api"),
    }
)
"""Fields of Vertex AI's native `Tool`, besides function declarations."""

_MODES: Mapping[str, Literal["required", "none", "validated"]] = {
    "any": "required",
    "required": "required",
    "none": "none",
    "validated": "validated",
}
"""Words that force or forbid a call; `any` is Anthropic's and LangChain's for `required`."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_native_tool(tool: object) -> bool:
    """Whether a tool is one of Google's own, such as `{"google_search": {}}`; in snake or in camel case."""
    return (
        isinstance(tool, Mapping)
        and bool(tool)
        and "function" not in tool
        and all(isinstance(key, str) and _HUMP.sub("_", key).lower() in NATIVE_TOOLS for key in tool)
    )


@dataclass(frozen=True, slots=True)
class Declared:
    """The tools of a request, and the choice among them.

    Attributes:
        functions: The functions that may be called, as they go out.
        native: Google's own tools.
        choice: `tool_choice` as it goes out; None is not sent.
    """

    functions: list[Any]
    native: list[Any]
    choice: wire.ToolChoice | None


def settle_tools(tools: Sequence[object] | None, choice: object, facts: ModelFacts) -> Declared:
    """The tools that are allowed, and the choice among them.

    Raises:
        SettingsError: The choice names what is no tool, or asks for a call where there is none; or a native tool of
            Gemini is given to another model.
    """
    native, functions = _split_native(tools or ())
    if native and not facts.gemini:
        raise SettingsError(
            f"{', '.join(map(str, native[0]))} is a tool of Gemini's own.", hint="Use a Gemini model, or leave it out."
        )
    names, mode = _allowed(choice)
    if names is not None:
        functions = _only(functions, names)
        choice = mode
    return Declared(
        [_encode(function) for function in functions] if facts.gemini else functions,
        native,
        _settle_choice(choice, functions, strict_is_validated=facts.gemini),
    )


def _split_native(tools: Sequence[object]) -> tuple[list[Any], list[Any]]:
    """Google's own tools, and the functions."""
    native: list[Any] = []
    functions: list[Any] = []
    for tool in tools:
        (native if is_native_tool(tool) else functions).append(tool)
    return native, functions


def _function_of(tool: object) -> JsonObject:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function if isinstance(function, Mapping) else {}


def _encode(tool: object) -> wire.Json:
    """The function as Gemini takes it.

    Raises:
        SettingsError: It is none.
    """
    function = _function_of(tool)
    if not function:
        raise SettingsError(
            f"A tool of type {type(tool).__name__} without 'function'.",
            hint="Give OpenAI's mapping, or one of Google's own tools, such as {'google_search': {}}.",
        )
    encoded = {key: function[key] for key in ("name", "description") if function.get(key)}
    if function.get("parameters"):
        encoded["parameters"] = _parameters_of(function["parameters"])
    return {"type": "function", "function": encoded}


class _Converted(NamedTuple):
    """A schema as it was, and as Gemini takes it."""

    source: wire.Json
    parameters: wire.Json


_MOST_LATEST = 512
_LATEST: dict[int, tuple[object, _Converted]] = {}
"""The latest schemas by identity: comparing one with its earlier content is three times as fast as encoding it."""


def _parameters_of(schema: object) -> wire.Json:
    latest = _LATEST.get(id(schema))
    # The entry keeps its schema alive, so the id is not another object's; but its content may have changed since.
    if latest is not None and latest[0] is schema and latest[1].source == schema:
        return latest[1].parameters
    converted = _convert(to_json(schema))
    if len(_LATEST) >= _MOST_LATEST:
        _LATEST.clear()
    _LATEST[id(schema)] = schema, converted
    return converted.parameters


# Converted once for each schema text; the results are shared, and not changed.
@lru_cache(maxsize=1024)
def _convert(schema: bytes) -> _Converted:
    return _Converted(from_json(schema), to_parameters(from_json(schema)))


def _allowed(choice: object) -> tuple[list[str] | None, str]:
    """The names that a choice allows, and its mode; None if it allows all."""
    match choice:
        case {"type": "allowed_tools", "allowed_tools": Mapping() as inner}:
            return _names(inner.get("tools")), str(inner.get("mode") or "auto")
        # The Responses API's form, without the inner mapping of Chat Completions.
        case {"type": "allowed_tools", **fields}:
            return _names(fields.get("tools")), str(fields.get("mode") or "auto")
        case list() | tuple():
            return _names(choice), "auto"
        case _:
            return None, "auto"


def _names(tools: object) -> list[str]:
    names: list[str] = []
    for tool in tools if isinstance(tools, list | tuple) else ():
        match tool:
            case str(name) | {"function": {"name": str(name)}} | {"name": str(name)}:
                names.append(name)
            case _:
                raise SettingsError(f"tool_choice allows {tool!r}, which names no tool.", hint="Give the tools' names.")
    if not names:
        raise SettingsError("tool_choice allows no tool.", hint='Name one, or use tool_choice="none".')
    return names


def _only(functions: list[object], names: Sequence[str]) -> list[object]:
    _refuse_unknown(names, functions)
    return [function for function in functions if _name_of(function) in names]


def _refuse_unknown(names: Sequence[str], functions: Sequence[object]) -> None:
    available = [_name_of(function) for function in functions]
    for name in names:
        if name not in available:
            raise SettingsError(
                f"tool_choice names {name!r}, which is no tool of this request.", hint=f"Tools are {available}."
            )


def _name_of(function: object) -> str:
    return str(_function_of(function).get("name") or "")


def _settle_choice(choice: Any, functions: Sequence[object], *, strict_is_validated: bool) -> wire.ToolChoice | None:
    """`tool_choice` as it goes out, of the forms that OpenAI's, Anthropic's and LangChain's users write.

    Raises:
        SettingsError: It names what is no tool, or asks for a call where there is no function.
    """
    if not functions:
        if choice not in (None, False, "auto", "none"):
            raise SettingsError(f"tool_choice={choice!r} without tools.", hint="Pass tools=, or drop tool_choice=.")
        return None
    match choice:
        case None | False | "auto":
            if strict_is_validated and _is_any_strict(functions):
                return "validated"
            return "auto" if choice == "auto" else None
        case True:
            return "required"
        case str() if choice in _MODES:
            return _MODES[choice]
        case {"type": "auto" | "any" | "none" as mode}:
            # Anthropic's form.
            return _settle_choice(mode, functions, strict_is_validated=strict_is_validated)
        case str(name) | {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            _refuse_unknown([name], functions)
            return {"type": "function", "function": {"name": name}}
        case _:
            unknown: wire.ToolChoice = choice
            return unknown


def _is_any_strict(functions: Sequence[object]) -> bool:
    return any(_function_of(function).get("strict") is True for function in functions)
