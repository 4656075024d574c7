"""The user's functions as tools: declaring and calling them."""

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
        declaration: The declaration that is sent to the model.
        run: The function, with its arguments validated.
    """

    declaration: Tool
    run: Callable[..., Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The name that the model uses."""
        return self.declaration["function"]["name"]


def load_tools(names: Sequence[str]) -> dict[str, LocalTool]:
    """Load the tools, keyed by the name that the model uses.

    Raises:
        SettingsError: A name does not lead to a function, or a function cannot be declared as a tool.
    """
    tools = [_declare(name, _find(name)) for name in names]
    return {tool.name: tool for tool in tools}


def _find(name: str) -> Callable[..., Any]:
    value = find_named(name, "--tools")
    if not callable(value):
        raise SettingsError(f"--tools {name} is not a function.", hint="Write --tools package.module:function.")
    if inspect.iscoroutinefunction(value):
        raise SettingsError(f"--tools {name} is asynchronous.", hint="Pass a synchronous function.")
    function: Callable[..., Any] = value
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
        raise SettingsError(f"--tools {name} has parameters without names.", hint="Use keyword parameters only.")
    called = getattr(function, "__name__", name.rpartition(":")[2])
    described = inspect.getdoc(function) or called
    return LocalTool(
        {"type": "function", "function": {"name": called, "description": described, "parameters": schema}}, run
    )


def answer_call(call: ToolCall, tools: dict[str, LocalTool]) -> str:
    """Run the tool; returns its result, or its error as text so that the model can correct the call."""
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
