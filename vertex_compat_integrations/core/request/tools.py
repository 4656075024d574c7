"""Which tools a request declares, and which of them the model may or must call. Pure.

Sources: Google's page on OpenAI compatibility: `tool_choice` is none, auto, required or `validated` (Google's own), and
`extra_body.google.tools` takes Gemini's native tools. OpenAI's `allowed_tools` has no evidence there, so the tools that
are not allowed are left out of the request; of `strict` the nearest is `validated`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.schema.convert import to_parameters

NATIVE_TOOLS = frozenset(
    {
        *("google_search", "google_search_retrieval", "enterprise_web_search", "google_maps"),
        *("code_execution", "url_context", "retrieval", "computer_use", "external_api"),
    }
)
"""Fields of Vertex AI's native `Tool`, besides function declarations."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_native_tool(tool: Any) -> bool:
    """Whether a tool is one of Google's own, such as `{"google_search": {}}`; in snake or in camel case."""
    return (
        isinstance(tool, Mapping)
        and bool(tool)
        and "function" not in tool
        and all(isinstance(key, str) and _HUMP.sub("_", key).lower() in NATIVE_TOOLS for key in tool)
    )


@dataclass(frozen=True, slots=True)
class Declared:
    """What a request says of tools.

    Attributes:
        functions: The functions that may be called, as they go out.
        native: Google's own tools.
        choice: `tool_choice` as it goes out; None is not sent.
    """

    functions: list[Any]
    native: list[Any]
    choice: wire.ToolChoice | None


def settle_tools(tools: Sequence[Any] | None, choice: Any, facts: ModelFacts) -> Declared:
    """The tools that are allowed, and the choice among them.

    Raises:
        SettingsError: The choice names what is no tool, or asks for a call where there is none; or a native tool of
            Gemini is given to another model.
    """
    native = [tool for tool in tools or () if is_native_tool(tool)]
    functions = [tool for tool in tools or () if not is_native_tool(tool)]
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


def _function_of(tool: Any) -> Mapping[str, Any]:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function if isinstance(function, Mapping) else {}


def _encode(tool: Any) -> wire.Json:
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
_LATEST: dict[int, tuple[Any, _Converted]] = {}
"""Schemas that were given lately, by identity: comparing one with what it was is three times as fast as encoding it."""


def _parameters_of(schema: Any) -> wire.Json:
    held = _LATEST.get(id(schema))
    if held is not None and held[0] is schema and held[1].source == schema:
        return held[1].parameters
    converted = _convert(to_json(schema))
    if len(_LATEST) >= _MOST_LATEST:
        _LATEST.clear()
    _LATEST[id(schema)] = schema, converted
    return converted.parameters


# Converted once for each schema text; the results are shared, and not changed.
@lru_cache(maxsize=1024)
def _convert(schema: bytes) -> _Converted:
    return _Converted(from_json(schema), to_parameters(from_json(schema)))


def _allowed(choice: Any) -> tuple[list[str] | None, str]:
    """The names that a choice allows, and its mode; None if it does not say which."""
    match choice:
        case {"type": "allowed_tools", "allowed_tools": Mapping() as inner}:
            return _names(inner.get("tools")), str(inner.get("mode") or "auto")
        case {"type": "allowed_tools"}:
            return _names(choice.get("tools")), str(choice.get("mode") or "auto")
        case list() | tuple():
            return _names(choice), "auto"
        case _:
            return None, "auto"


def _names(tools: Any) -> list[str]:
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


def _only(functions: list[Any], names: Sequence[str]) -> list[Any]:
    _refuse_unknown(names, functions)
    return [function for function in functions if _name_of(function) in names]


def _refuse_unknown(names: Sequence[str], functions: Sequence[Any]) -> None:
    known = [_name_of(function) for function in functions]
    for name in names:
        if name not in known:
            raise SettingsError(
                f"tool_choice names {name!r}, which is no tool of this request.", hint=f"Tools are {known}."
            )


def _name_of(function: Any) -> str:
    return str(_function_of(function).get("name") or "")


def _settle_choice(choice: Any, functions: Sequence[Any], *, strict_is_validated: bool) -> wire.ToolChoice | None:
    if not functions:
        if choice not in (None, False, "auto", "none"):
            raise SettingsError(f"tool_choice={choice!r} without tools.", hint="Pass tools=, or drop tool_choice=.")
        return None
    match choice:
        case None | False | "auto":
            if strict_is_validated and any(_function_of(function).get("strict") is True for function in functions):
                return "validated"
            return "auto" if choice == "auto" else None
        case True | "any" | "required":
            return "required"
        case "none":
            return "none"
        case "validated":
            return "validated"
        case {"type": "auto" | "any" | "none" as mode}:
            # Anthropic's form.
            return _settle_choice(mode, functions, strict_is_validated=strict_is_validated)
        case str(name) | {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            _refuse_unknown([name], functions)
            return {"type": "function", "function": {"name": name}}
        case _:
            unknown: wire.ToolChoice = choice
            return unknown
