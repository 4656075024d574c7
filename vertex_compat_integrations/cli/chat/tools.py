"""Functions of the user's own as tools: how they are declared, and how they are called."""

import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError, validate_call
from pydantic.errors import PydanticUserError

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.named_object import find_named
from vertex_compat_integrations.core.reply.reply import ToolCall
from vertex_compat_integrations.wire import Tool


@dataclass(frozen=True, slots=True)
class LocalTool:
    """A function that the model may call.

    Attributes:
        declaration: What the model is told.
        run: The function, with its arguments validated.
    """

    declaration: Tool
    run: Callable[..., Any] = field(repr=False)

    @property
    def name(self) -> str:
        """How the model calls it."""
        return self.declaration["function"]["name"]


def load_tools(names: Sequence[str]) -> dict[str, LocalTool]:
    """The tools by the name that the model calls them.

    Raises:
        SettingsError: A name leads to no function, or a function cannot be declared.
    """
    tools = [_declare(name, _find(name)) for name in names]
    return {tool.name: tool for tool in tools}


def _find(name: str) -> Callable[..., Any]:
    found = find_named(name, "--tools")
    if not callable(found):
        raise SettingsError(f"--tools {name} is no function.", hint="Name one as --tools package.module:function.")
    if inspect.iscoroutinefunction(found):
        raise SettingsError(f"--tools {name} is asynchronous.", hint="Give a plain function.")
    function: Callable[..., Any] = found
    return function


def _declare(name: str, function: Callable[..., Any]) -> LocalTool:
    try:
        target: Any = function  # pydantic reads functions as types, which mypy does not know
        schema = TypeAdapter(target).json_schema()
        run = validate_call(function)
    except (PydanticUserError, NameError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(f"--tools {name}: {reason}", hint="Annotate its parameters with plain types.") from None
    if schema.get("type") != "object":
        raise SettingsError(f"--tools {name} has parameters without names.", hint="Take keyword parameters only.")
    called = getattr(function, "__name__", name.rpartition(":")[2])
    described = inspect.getdoc(function) or called
    return LocalTool(
        {"type": "function", "function": {"name": called, "description": described, "parameters": schema}}, run
    )


def answer_call(call: ToolCall, tools: dict[str, LocalTool]) -> str:
    """What the tool says; what goes wrong in it is told to the model, which may do better."""
    tool = tools.get(call.name)
    if tool is None:
        return f"Error: there is no tool {call.name}."
    try:
        result = tool.run(**json.loads(call.arguments or "{}"))
    except ValidationError as error:
        return f"Error: {'; '.join(_complaints(error))}"
    except Exception as error:  # noqa: BLE001 - the user's own function may raise anything
        return f"Error: {type(error).__name__}: {error}"
    return result if isinstance(result, str) else json.dumps(result, default=str, ensure_ascii=False)


def _complaints(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False):
        yield f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
