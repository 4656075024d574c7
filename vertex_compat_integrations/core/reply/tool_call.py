"""The tool calls of a message → `ToolCall`s. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid4

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import EmptyReplyError, UnexpectedReplyError
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, one_or_more_in, text_in
from vertex_compat_integrations.core.reply.reply import ToolCall

NO_ARGUMENTS = "null"
"""A form of "no arguments", besides nothing and `{}`: the model's own `"arguments": null`, serialized."""

MAX_CALLS = 1_024
"""Maximum tool calls of one answer; no model needs as many, and frameworks take time quadratic in their number."""

_QUOTED = 200
"""How many characters of a broken call's arguments an error shows."""

_END_OF_TURN = re.compile(r"\s*(<[^<>]*>\s*)*")


def encode_call(call: ToolCall) -> wire.ToolCall:
    """Encode the call as in a message, with everything that the endpoint needs to get back."""
    encoded: wire.ToolCall = {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    if call.extra:
        encoded["extra_content"] = call.extra
    return encoded


def decode_calls(message: JsonObject) -> tuple[ToolCall, ...]:
    """Return the calls of a whole message, each with a unique id.

    Raises:
        EmptyReplyError: A call has no name.
        UnexpectedReplyError: There are more calls than any model makes.
    """
    calls: list[ToolCall] = []
    ids = UniqueIds()
    older = mapping_in(message.get("function_call"))
    for call in one_or_more_in(message.get("tool_calls")) or ([{"function": older}] if older else []):
        refuse_flood(len(calls) + 1)
        function = mapping_in(call.get("function"))
        name, arguments = text_in(function.get("name")), arguments_text(function.get("arguments"))
        if not name:
            name, arguments = named_in(arguments) or (name, arguments)
        if arguments == NO_ARGUMENTS:
            arguments = ""
        extra = dict(mapping_in(call.get("extra_content"))) or None
        calls.append(ToolCall(ids.take(text_in(call.get("id"))), name, arguments, extra))
    refuse_nameless(call.name for call in calls)
    return tuple(calls)


def named_in(arguments: str) -> tuple[str, str] | None:
    """Return name and arguments of a call whose name is inside its arguments; None if it is not.

    TGI 2.0 to 3.1 streams the model's text: `{"function": {"_name": …, …}}` and its end-of-turn token. (Its source,
    router/src/server.rs, and the snapshots of its integration tests.)
    """
    try:
        value, end = json.JSONDecoder().raw_decode(arguments.lstrip())
    except (ValueError, RecursionError):
        return None
    function = dict(mapping_in(mapping_in(value).get("function")))
    name = text_in(function.pop("_name", None))
    if not name or not _END_OF_TURN.fullmatch(arguments.lstrip()[end:]):
        return None
    return name, arguments_text(function)


def refuse_unreadable(calls: Sequence[ToolCall], *, partial_text: str = "", partial_thoughts: str = "") -> None:
    """Refuse a turn in which no call has a JSON object as arguments: no agent can continue from it.

    Qwen3-32B behind vLLM wrote one bracket too many (langchain-ai/deepagents#1515).

    Raises:
        EmptyReplyError: No call is readable.
    """
    if calls and not any(is_readable(call.arguments) for call in calls):
        raise unreadable_calls(calls, partial_text=partial_text, partial_thoughts=partial_thoughts)


def unreadable_calls(calls: Sequence[ToolCall], *, partial_text: str, partial_thoughts: str = "") -> EmptyReplyError:
    """Return the error for calls whose arguments are not JSON objects."""
    quoted = "; ".join(f"{call.name}({call.arguments[:_QUOTED]})" for call in calls[:3])
    return EmptyReplyError(
        f"The model wrote a tool call whose arguments are not a JSON object: {quoted}.",
        hint='Retry; if it lasts, simplify the tool\'s schema. on_empty="return" accepts such a turn as an answer.',
        partial_text=partial_text,
        partial_thoughts=partial_thoughts,
    )


def is_readable(arguments: str) -> bool:
    """Return whether a call's arguments are a JSON object, or nothing; its strings may contain raw line breaks."""
    try:
        return isinstance(json.loads(arguments.strip() or "{}", strict=False), dict)
    except (ValueError, RecursionError):
        return False


def refuse_flood(count: int) -> None:
    """Refuse too many calls.

    Raises:
        UnexpectedReplyError: There are more than `MAX_CALLS`.
    """
    if count > MAX_CALLS:
        raise UnexpectedReplyError(f"The answer has more than {MAX_CALLS:,} tool calls (MAX_CALLS).")


def refuse_nameless(names: Iterable[str], *, partial_text: str = "", partial_thoughts: str = "") -> None:
    """Refuse calls if one of them has no name.

    Raises:
        EmptyReplyError: A call has no name. Without that call, an agent would take the turn for the last one.
    """
    if not all(names):
        raise EmptyReplyError(
            "The server sent a tool call without a name.",
            hint="Retry; if it lasts, call without streaming, or update the server.",
            partial_text=partial_text,
            partial_thoughts=partial_thoughts,
        )


class UniqueIds:
    """The ids of one answer's calls; frameworks pair by them, and servers send empty or duplicate ones."""

    def __init__(self) -> None:
        """Start without ids."""
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, call_id: str | None) -> str:
        """Return the id if it is set and unused, otherwise a similar one; takes constant time for any number of ids."""
        unique = call_id or f"call_{uuid4().hex}"
        number = self._numbers.get(unique, 1)
        base = unique
        while unique in self._taken:
            number += 1
            unique = f"{base}-{number}"
        self._numbers[base] = number
        self._taken.add(unique)
        return unique


NO_FIELDS = "{}"


def arguments_text(arguments: object) -> str:
    """Return a call's arguments as JSON text."""
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    try:
        # JSON has no numbers such as NaN, and Google's servers read nothing else: their names are sent.
        return to_json(arguments, fallback=str, inf_nan_mode="strings").decode()
    except ValueError:
        # Halves of an emoji (lone surrogates) cannot be encoded as UTF-8; escaped, they are valid JSON.
        return json.dumps(arguments, default=str, separators=(",", ":"))


def signatures_in(extra: object) -> Iterator[str]:
    """Yield the thought signatures of an `extra_content`, in any namespace."""
    for value in mapping_in(extra).values():
        if signature := text_in(mapping_in(value).get("thought_signature")):
            yield signature
