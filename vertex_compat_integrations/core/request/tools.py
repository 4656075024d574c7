"""The tools that a request declares, and which of them the model may or must call. Pure.

Sources: Google's page on OpenAI compatibility: `tool_choice` is none, auto, required or `validated` (Google's own), and
`extra_body.google.tools` takes Gemini's native tools. There is no evidence for OpenAI's `allowed_tools` there, so tools
that are not allowed are omitted from the request; the closest to `strict` is `validated`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SchemaError, SettingsError
from vertex_compat_integrations.core.json_values import JsonObject
from vertex_compat_integrations.core.request.tool_names import names_on_wire
from vertex_compat_integrations.core.schema.convert import CutParameters, to_cut_parameters, to_parameters
from vertex_compat_integrations.core.schema.document import check_document

NATIVE_TOOLS = frozenset(
    {
        *("google_search", "google_search_retrieval", "enterprise_web_search", "google_maps"),
        *("code_execution", "url_context", "retrieval", "computer_use", "external_api"),
    }
)
"""Fields of Vertex AI's native `Tool`, except function declarations."""

_MODES: Mapping[str, Literal["required", "none", "validated"]] = {
    "any": "required",
    "required": "required",
    "none": "none",
    "validated": "validated",
}
"""Values that force or forbid a call; `any` is Anthropic's and LangChain's name for `required`."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_native_tool(tool: object) -> bool:
    """Return whether a tool is one of Google's own, such as `{"google_search": {}}`; in snake or camel case."""
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
        functions: The functions that may be called, as they are sent.
        native: Google's own tools.
        choice: `tool_choice` as it is sent; None is not sent.
        renamed: A function's name → its name in the request, for names that the server would refuse.
        notes: The schemas that were cut, as sentences for the user.
    """

    functions: list[Any]
    native: list[Any]
    choice: wire.ToolChoice | None
    renamed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def own_names(self) -> Mapping[str, str]:
        """Name in the request → the function's own name."""
        return {name: own for own, name in self.renamed.items()} if self.renamed else {}


OnRecursion = Literal["cut", "error"]


def settle_tools(
    tools: Sequence[object] | None, choice: object, facts: ModelFacts, on_recursion: OnRecursion = "cut"
) -> Declared:
    """Return the allowed tools, and the choice among them.

    Raises:
        SettingsError: The choice names an unknown tool, or requires a call where there is no tool; or a native Gemini
            tool is passed to another model; or a tool cannot be declared (the message begins with its name).
    """
    native, functions = _split_native(tools or ())
    if native and not facts.gemini:
        raise SettingsError(
            f"{', '.join(map(str, native[0]))} is one of Gemini's own tools.",
            hint="Use a Gemini model, or leave it out.",
        )
    choice = _from_native(choice)
    names, mode = _allowed(choice)
    if names is not None:
        functions = _only(functions, names)
        choice = mode
    settled = _settle_choice(choice, functions, is_gemini=facts.gemini)
    if not functions:
        return Declared([], native, settled)
    declared, names, notes = _declared(functions, on_recursion, is_gemini=facts.gemini)
    renamed = names_on_wire(names, is_gemini=facts.gemini)
    if not renamed:
        return Declared(declared, native, settled, notes=notes)
    chosen = settled if isinstance(settled, str) or settled is None else _with_name(settled, renamed)
    return Declared([_with_name(each, renamed) for each in declared], native, chosen, renamed, notes)


def _with_name(holder: Any, renamed: Mapping[str, str]) -> Any:
    """Return the tool or the choice with its name in the request."""
    function = _function_of(holder)
    name = str(function.get("name"))
    return {**holder, "function": {**function, "name": renamed[name]}} if name in renamed else holder


def _split_native(tools: Sequence[object]) -> tuple[list[Any], list[Any]]:
    """Separate Google's own tools from the functions."""
    native: list[Any] = []
    functions: list[Any] = []
    for tool in tools:
        (native if is_native_tool(tool) else functions).append(tool)
    return native, functions


def _function_of(tool: object) -> JsonObject:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function if isinstance(function, Mapping) else {}


def _declared(
    functions: Sequence[Any], on_recursion: OnRecursion, *, is_gemini: bool
) -> tuple[list[Any], list[str], tuple[str, ...]]:
    """Return the functions in the form that the model accepts, their names, and notes about cuts.

    Raises:
        SettingsError: A tool is not a function, or has no name, or its schema cannot be converted.
    """
    declared, names, notes = [], [], []
    for number, tool in enumerate(functions):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if not function or not isinstance(function, Mapping):
            kind = repr(tool["type"]) if isinstance(tool, Mapping) and "type" in tool else type(tool).__name__
            raise SettingsError(
                f"A tool of type {kind} without 'function'.",
                hint="Pass OpenAI's mapping, or one of Google's own tools, such as {'google_search': {}}.",
            )
        name, parameters = function.get("name"), function.get("parameters")
        if not name or not isinstance(name, str):
            raise SettingsError(f"tools[{number}]: a tool without a name.", hint="Give each tool a name.")
        names.append(name)
        if not is_gemini:
            _refuse_broken(name, parameters)
            declared.append(tool)
            continue
        encoded: wire.Json = {"name": name}
        if function.get("description"):
            encoded["description"] = function["description"]
        if parameters:
            converted = _parameters_of(parameters, name, on_recursion)
            encoded["parameters"] = converted.schema
            if converted.cuts:
                notes.append(_cut_note(name, converted.cuts))
        declared.append({"type": "function", "function": encoded})
    return declared, names, tuple(notes)


def _cut_note(name: str, cuts: Sequence[str]) -> str:
    more = f" and {len(cuts) - 1} more places" if len(cuts) > 1 else ""
    return (
        f"{name}: its schema contains itself; at {cuts[0]}{more} any value of that type is accepted instead, and "
        'the tool must check it. on_recursion="error" refuses such tools.'
    )


def _refuse_broken(name: str, parameters: object) -> None:
    """Refuse parameters that no server can read; the model's own server checks the rest of the JSON Schema.

    Raises:
        SchemaError: The parameters are not a mapping, a property is null, or a local reference has no target.
    """
    if parameters is None:
        return
    if not isinstance(parameters, Mapping):
        raise SchemaError("The parameters are not a JSON Schema").of_tool(name)
    try:
        check_document(parameters)
    except SchemaError as error:
        raise error.of_tool(name) from None


class _Converted(NamedTuple):
    """A schema as passed, and as Gemini accepts it."""

    source: wire.Json
    parameters: CutParameters


_MOST_LATEST = 512
_LATEST: dict[tuple[int, OnRecursion], tuple[object, _Converted]] = {}
"""The latest schemas by identity: comparing a schema with its earlier content is three times as fast as encoding it."""


def _parameters_of(schema: object, name: str, on_recursion: OnRecursion) -> CutParameters:
    key = id(schema), on_recursion
    latest = _LATEST.get(key)
    # The entry keeps its schema alive, so no other object can have this id; but the content may have changed.
    if latest is not None and latest[0] is schema and latest[1].source == schema:
        return latest[1].parameters
    try:
        converted = _convert(to_json(schema), on_recursion)
    except SchemaError as error:
        raise error.of_tool(name) from None
    except (ValueError, TypeError, RecursionError) as error:
        raise SchemaError(f"The schema is not JSON: {str(error)[:200]}").of_tool(name) from None
    if len(_LATEST) >= _MOST_LATEST:
        _LATEST.clear()
    _LATEST[key] = schema, converted
    return converted.parameters


# Converted once per schema text; results are shared, and must not be changed.
@lru_cache(maxsize=1024)
def _convert(schema: bytes, on_recursion: OnRecursion) -> _Converted:
    document = from_json(schema)
    if on_recursion == "cut":
        return _Converted(from_json(schema), to_cut_parameters(document))
    return _Converted(from_json(schema), CutParameters(to_parameters(document)))


def _from_native(choice: object) -> object:
    """Return Gemini's `FunctionCallingConfig` as OpenAI's choice; any other choice unchanged."""
    match choice:
        case {"function_calling_config": Mapping() as config} | {"functionCallingConfig": Mapping() as config}:
            pass
        case Mapping() if "mode" in choice and "type" not in choice:
            config = choice
        case _:
            return choice
    mode = config.get("mode") or "auto"
    mode = str(getattr(mode, "name", mode)).lower()
    mode = "auto" if mode == "mode_unspecified" else mode
    names = config.get("allowed_function_names") or config.get("allowedFunctionNames")
    return {"type": "allowed_tools", "mode": mode, "tools": names} if names else mode


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
                raise SettingsError(
                    f"tool_choice allows {tool!r}, which is not a tool's name.", hint="Pass the tools' names."
                )
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
                f"tool_choice names {name!r}, which is not a tool of this request.", hint=f"Name one of {available}."
            )


def _name_of(function: object) -> str:
    return str(_function_of(function).get("name") or "")


def _settle_choice(choice: Any, functions: Sequence[object], *, is_gemini: bool) -> wire.ToolChoice | None:
    """Return `tool_choice` as it is sent; OpenAI's, Anthropic's and LangChain's forms are accepted.

    Raises:
        SettingsError: The choice names an unknown tool, or requires a call where there is no function.
    """
    if not functions:
        if choice not in (None, False, "auto", "none"):
            raise SettingsError(f"tool_choice={choice!r} without tools.", hint="Pass tools=, or drop tool_choice=.")
        return None
    match choice:
        case None | False | "auto":
            if is_gemini and _is_any_strict(functions):
                return "validated"
            return "auto" if choice == "auto" else None
        case True:
            return "required"
        case str() if choice in _MODES:
            return _MODES[choice]
        case {"type": "auto" | "any" | "none" as mode}:
            # Anthropic's form.
            return _settle_choice(mode, functions, is_gemini=is_gemini)
        case str(name) | {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            _refuse_unknown([name], functions)
            return {"type": "function", "function": {"name": name}}
        case _ if is_gemini:
            raise SettingsError(
                f"tool_choice={choice!r} is not a valid choice.",
                hint='Pass "auto", "none", "required", a tool\'s name, or a list of names.',
            )
        case _:
            unknown: wire.ToolChoice = choice
            return unknown


def _is_any_strict(functions: Sequence[object]) -> bool:
    return any(_function_of(function).get("strict") is True for function in functions)
