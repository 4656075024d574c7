"""Converts LangChain's tools and schemas, of any kind, to OpenAI's mappings."""

import re
from collections.abc import Callable, Mapping
from inspect import isroutine
from typing import Any, NotRequired, Required, get_args, get_origin, get_type_hints

from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel, Field, create_model
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic_core import to_json
from typing_extensions import is_typeddict

from vertex_compat_integrations.core.adapters.identity_cache import IdentityCache
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.request.tools import is_native_tool

_REFERENCE = re.compile(rb'"\$ref":"#/(?:\$defs|definitions)/([^"/]+)"')


def declare_tool(tool: Any, *, strict: bool | None) -> dict[str, Any]:
    """Return a tool as OpenAI's mapping, with `strict` if calls must match the schema; see `convert_tool`."""
    converted = convert_tool(tool)
    if strict is None or "function" not in converted:
        return converted
    return {**converted, "function": {**converted["function"], "strict": strict}}


def convert_tool(tool: Any) -> dict[str, Any]:
    """Return a tool as OpenAI's mapping; Google's own tools, such as `{"google_search": {}}`, are unchanged.

    Raises:
        SettingsError: The value cannot be a tool.
    """
    if isinstance(tool, Mapping):
        if ("function" in tool and tool.get("type") == "function") or is_native_tool(tool):
            return dict(tool)
        _refuse_other_services(tool)
        return _convert(tool)
    return _CONVERTED.get(tool, _state_of(tool), lambda: _convert(tool))


def _refuse_other_services(tool: Mapping[str, Any]) -> None:
    """Refuse a tool that another service runs itself; LangChain would declare it as a function without arguments.

    Raises:
        SettingsError: The tool is one, such as OpenAI's `{"type": "web_search"}` or Anthropic's `{"type":
            "web_search_20250305", "name": "web_search"}`; or it is Google's list of declarations.
    """
    if declarations := tool.get("function_declarations") or tool.get("functionDeclarations"):
        raise SettingsError(
            f"A tool with {len(declarations)} function_declarations, Google's native form.",
            hint="Pass the declarations themselves: bind_tools([*tool['function_declarations']]).",
        )
    kind = tool.get("type")
    is_schema = "title" in tool or not _JSON_SCHEMA_WORDS.isdisjoint(tool)
    if isinstance(kind, str) and kind not in _DECLARED_TYPES and ("name" in tool or not is_schema):
        raise SettingsError(
            f"A tool of type {kind!r} is another service's own.",
            hint="Pass your own function, or one of Google's own tools, such as {'google_search': {}}.",
        )


_DECLARED_TYPES = frozenset({"function", "object", "custom"})
"""Types of mappings that declare a function: OpenAI's, a JSON schema's, Anthropic's."""

_JSON_SCHEMA_WORDS = frozenset({"$defs", "$ref", "anyOf", "items", "properties"})
"""Keywords of a JSON schema."""

_PLAIN = (str, int, float, bool, list, tuple, dict)
_HINT = 'Pass a tool, a function, a pydantic class, or a JSON schema of an object with a "title".'
_HINT_FOR_CLASSES = "Pass a pydantic class that has such a field: class Answer(BaseModel): value: …"

_CONVERTED = IdentityCache()


def _state_of(tool: Any) -> tuple[Any, ...]:
    """The parts of a tool that can change after its creation."""
    if isinstance(tool, BaseTool):
        schema = tool.args_schema
        return tool.name, tool.description, to_json(schema, fallback=str) if isinstance(schema, dict) else schema
    return (getattr(tool, "__doc__", None),)


def _convert(tool: Any) -> dict[str, Any]:
    if isinstance(tool, BaseTool) and isinstance(parameters := tool.tool_call_schema, dict):
        # Unchanged, as from an MCP server: LangChain's conversion follows references, and drops recursive ones.
        function = {"name": tool.name, "description": tool.description, "parameters": parameters}
        return {"type": "function", "function": function}
    if isinstance(tool, Mapping) and "title" not in tool and _JSON_SCHEMA_WORDS & tool.keys() and "name" not in tool:
        raise SettingsError(
            'The JSON schema has no "title", which is its name in the request.',
            hint='Add one at its root, e.g. {"title": "Answer", …}.',
        )
    converted = _by_langchain(tool, convert_to_openai_tool)
    if isroutine(tool) and b"{}" not in to_json(converted, fallback=str):
        # LangChain leaves an empty schema where a function's schema contains itself; without one, it is complete.
        return converted
    if (schema := _schema_that_contains_itself(tool)) is not None:
        return {**converted, "function": {**converted["function"], "parameters": schema}}
    return converted


_FAILURES = (TypeError, ValueError, AttributeError, RuntimeError, LookupError, NameError)
"""What LangChain's conversion and pydantic raise for a value that they cannot convert."""


def _by_langchain(tool: Any, convert: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the result of LangChain's conversion.

    Raises:
        SettingsError: The value cannot be a tool.
    """
    try:
        return convert(tool)
    except _FAILURES as error:
        failure: Exception = error
    if is_typeddict(tool):
        # LangChain's conversion fails for `Required` and `NotRequired`.
        try:
            return convert(_class_of(tool))
        except _FAILURES as error:
            failure = error
    name = getattr(tool, "name", None) or getattr(tool, "__name__", None)
    head = f"{name}: a" if isinstance(name, str) else "A"
    reason = str(failure).partition("\n")[0].removesuffix(".")
    if reason == "Unsupported function":
        reason = "its type is not supported"
    raise SettingsError(
        f"{head} tool or schema of type {type(tool).__name__} cannot be declared: {reason}.",
        hint=_HINT_FOR_CLASSES if get_origin(tool) or tool in _PLAIN else _HINT,
    )


def _class_of(typed_dict: type) -> type[BaseModel]:
    """Return the pydantic class with the keys of a TypedDict."""
    described = get_type_hints(typed_dict, include_extras=True)
    required = typed_dict.__required_keys__  # type: ignore[attr-defined]
    fields: dict[str, Any] = {
        name: (kind, Field(default=... if name in required else None, description=_description(described[name])))
        for name, kind in get_type_hints(typed_dict).items()
    }
    return create_model(typed_dict.__name__, __doc__=typed_dict.__doc__, **fields)


def _description(annotation: Any) -> str | None:
    """The last text in an `Annotated`, which LangChain reads as the description."""
    while get_origin(annotation) in (Required, NotRequired):
        (annotation,) = get_args(annotation)
    texts = [each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, str)]
    return texts[-1] if texts else None


def json_schema_of(schema: Any) -> dict[str, Any]:
    """Return the JSON schema of a class or mapping.

    Raises:
        SettingsError: The value cannot be a schema.
    """
    return _by_langchain(schema, convert_to_json_schema)


def answer_schema(schema: Any) -> dict[str, Any]:
    """Return the JSON schema of an answer.

    Raises:
        SettingsError: The value cannot be a schema.
    """
    if isinstance(schema, Mapping) and "title" in schema and "properties" not in schema:
        # LangChain's conversion is for functions, whose arguments are objects; answers may be of any type.
        return dict(schema)
    convert_tool(schema)
    if (whole := _schema_that_contains_itself(schema)) is not None:
        return whole
    return json_schema_of(schema)


def _schema_that_contains_itself(tool: Any) -> dict[str, Any] | None:
    """Return the schema of a class, function or tool if it contains itself: LangChain's conversion drops such parts."""
    kind = tool.tool_call_schema if isinstance(tool, BaseTool) else tool
    if isroutine(tool):
        # With the arguments of LangChain's own conversion of functions.
        kind = create_schema_from_function(
            tool.__name__, tool, filter_args=(), parse_docstring=True, include_injected=False
        )
    if not isinstance(kind, type):
        return None
    if issubclass(kind, BaseModel):
        schema = kind.model_json_schema()
    elif issubclass(kind, BaseModelV1):
        schema = kind.schema()
    else:
        return None
    return schema if _contains_itself(schema) else None


def _contains_itself(schema: Mapping[str, Any]) -> bool:
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    uses = {
        name: {reference.decode() for reference in _REFERENCE.findall(to_json(of))} for name, of in definitions.items()
    }
    # Names without further references are removed repeatedly; cycles remain.
    while done := {name for name, used in uses.items() if not used & uses.keys()}:
        uses = {name: used for name, used in uses.items() if name not in done}
    return bool(uses)
