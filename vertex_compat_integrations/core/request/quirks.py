"""Special requirements of some model families for tools and messages, each by a fact of the catalogue. Pure.

Sources: Google's "Function calling for open models" (gpt-oss and the largest Llama 3 do not support a forced call, Qwen
requires `tool_choice`, DeepSeek accepts no system prompt together with tools) and its Llama pages (user and assistant
must alternate).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import TRIM_HINT, HistoryError
from vertex_compat_integrations.core.request.content import parts_of


@dataclass(frozen=True, slots=True)
class FittedTools:
    """Tools and `tool_choice` in the form that the model accepts; `notes` list what it cannot do, for the user."""

    tools: Sequence[Any]
    choice: Any = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FittedMessages:
    """The conversation in the form that the model accepts; `notes` as in `FittedTools`."""

    messages: list[wire.Message]
    notes: tuple[str, ...] = ()


def fit_tools(tools: Sequence[object], choice: object, model: str, facts: ModelFacts) -> FittedTools:
    """Return the tools and the tool choice that the model accepts and that are closest to the request."""
    notes: tuple[str, ...] = ()
    if tools and not facts.calls_tools:
        notes = (f"{model} is not known to call tools; they are sent anyway.",)
    match choice:
        case None:
            return FittedTools(tools, "auto" if tools and facts.wants_tool_choice else None, notes)
        case {"function": {"name": str(name)}} if "named" not in facts.tool_choices:
            return _fit_named(tools, name, model, facts, notes)
        case str() if choice not in facts.tool_choices:
            note = f"{model} does not support tool_choice={choice!r}: 'auto' is sent."
            return FittedTools(tools, "auto", (*notes, note))
        case _:
            return FittedTools(tools, choice, notes)


def _fit_named(tools: Sequence[Any], name: str, model: str, facts: ModelFacts, notes: tuple[str, ...]) -> FittedTools:
    """Return only the named tool, the closest that the model supports."""
    named = [tool for tool in tools if tool.get("function", {}).get("name") == name]
    if "required" in facts.tool_choices:
        return FittedTools(named, "required", notes)
    note = f"{model} cannot be made to call a tool: {name!r} is sent alone, with tool_choice='auto'."
    return FittedTools(named, "auto", (*notes, note))


def fit_messages(messages: list[wire.Message], model: str, facts: ModelFacts, *, has_tools: bool) -> FittedMessages:
    """Return the messages with system text and turns where the model requires them; the caller's are not changed.

    Raises:
        HistoryError: The model requires a user message first, and the conversation begins with another.
    """
    notes: tuple[str, ...] = ()
    if has_tools and not facts.system_with_tools and any(message["role"] == "system" for message in messages):
        messages = _with_system_in_user(messages)
        notes = (f"{model} accepts no system message together with tools: it begins the user's first message.",)
    if facts.strict_turns:
        messages = _in_turns(messages, model)
    return FittedMessages(messages, notes)


def _with_system_in_user(messages: list[wire.Message]) -> list[wire.Message]:
    parts = [part for message in messages if message["role"] == "system" for part in parts_of(message)]
    rest = [message for message in messages if message["role"] != "system"]
    first = next((place for place, message in enumerate(rest) if message["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": _joined(parts)}, *rest]
    user = cast("wire.Message", {**rest[first], "content": _joined([*parts, *parts_of(rest[first])])})
    return [*rest[:first], user, *rest[first + 1 :]]


def _in_turns(messages: list[wire.Message], model: str) -> list[wire.Message]:
    turns: list[wire.Message] = []
    for message in messages:
        if turns and _continues(turns[-1], message):
            content = _joined([*parts_of(turns[-1]), *parts_of(message)])
            turns[-1] = cast("wire.Message", {**turns[-1], "content": content})
        else:
            turns.append(message)
    first = next((message for message in turns if message["role"] != "system"), None)
    if first is not None and first["role"] != "user":
        raise HistoryError(
            f"The conversation begins with the {first['role']}; {model} requires a user message first.",
            hint=TRIM_HINT,
        )
    return turns


def _continues(before: wire.Message, message: wire.Message) -> bool:
    """Return whether both messages are text of the same role, user or assistant."""
    if before["role"] != message["role"] or message["role"] not in ("user", "assistant"):
        return False
    return not (before.get("tool_calls") or message.get("tool_calls"))


def _joined(parts: list[Any]) -> Any:
    """Join several parts to one content; text parts become one string, the only form many open models accept."""
    if all(part.get("type") == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return parts
