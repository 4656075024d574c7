"""The endpoint's rules for a conversation; messages that break one are repaired if nothing is lost, else refused.

Sources: Google's "Thought signatures" (first call of each step of the current turn; order of calls and results), and
the service's own refusals as quoted in public issues: unequal numbers of calls and results, empty text parts, arguments
that are no JSON object, text beside tool calls.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, cast

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import LAST_ASSISTANT_MESSAGE, ModelFacts
from vertex_compat_integrations.core.errors import TRIM_HINT, HistoryError
from vertex_compat_integrations.core.http_errors import NO_MESSAGE_HINT
from vertex_compat_integrations.core.reply.tool_call import signatures_in
from vertex_compat_integrations.core.request.content import parts_of

EMPTY_RESULT = '{"output": ""}'
"""The content of a tool message without content: a function response whose `output` is empty."""

_REFERENCE = re.compile(r'"\$ref"\s*:')
_SPECIAL_KEY = re.compile(r'\A\s*\{(?s:.)*"(?:\$ref|output|error)"\s*:')
"""A JSON object with a key that means something to Gemini's side, at a glance."""

SkipValues = Literal["as the model demands", "where missing", "everywhere"]
"""Which calls of the current turn get the documented skip value for a thought signature.

`everywhere`: all of them that must be signed, and no other signature is sent, since any may be the one that was
refused: another model's, or of a call that was changed on the way.
"""


def settle_history(
    messages: Sequence[wire.Message],
    facts: ModelFacts,
    skip_values: SkipValues = "as the model demands",
    distrusted: Collection[int] = (),
) -> list[wire.Message]:
    """The messages as the model's rules demand them; the caller's are not changed.

    `distrusted` has the hashes of signatures that the service refused once; they are left out.

    Raises:
        HistoryError: A call without result, a result without call, or nothing from the user.
    """
    settled = list(
        _in_order([clean for message in messages if (clean := _clean(message, is_gemini=facts.gemini)) is not None])
    )
    if facts.gemini:
        settled = _with_calls_in_turn(settled)
    _refuse_what_cannot_start(settled, facts)
    if facts.refuses_preamble:
        settled = [_without_preamble(message) for message in settled]
    settled = list(_each_signature_once(settled))
    if skip_values == "everywhere":
        settled = without_signatures(settled)
    elif distrusted:
        settled = [_without_distrusted(message, distrusted) for message in settled]
    if facts.demands_signatures or skip_values != "as the model demands":
        return _with_skip_values(settled)
    return settled


def _clean(message: wire.Message, *, is_gemini: bool = True) -> wire.Message | None:
    """The message without empty text; None if nothing is left of a system or assistant message."""
    content = message.get("content")
    if isinstance(content, list):
        content = [part for part in content if part.get("type") != "text" or part.get("text")]
    match message["role"]:
        case "tool":
            if (
                is_gemini
                and isinstance(content, str)
                and "extra_content" not in message
                and _SPECIAL_KEY.search(content)
            ):
                content = _as_text(content)
            # The number of results must equal that of the calls, so an empty result cannot be left out.
            return cast("wire.Message", {**message, "content": content or EMPTY_RESULT})
        case "user" if not content:
            raise HistoryError("A user message is empty.", hint="Leave it out, or put text into it.")
        case "assistant":
            return _clean_assistant(message, content)
        case _ if not content:
            return None
        case _:
            return cast("wire.Message", {**message, "content": content})


def _as_text(result: str) -> str:
    """A tool's result, with JSON that Gemini's side would read in its own way put under `output` as the text it is.

    Source: Google's reference of `FunctionResponse.response`: `output` and `error` are the result and the failure, and
    only without them the whole object is the result; `{"$ref": …}` names a part of the message. Unverified live.
    """
    try:
        value = from_json(result)
    except ValueError:
        return result
    if not isinstance(value, dict):
        return result
    is_partly_read = len(value) > 1 and not value.keys().isdisjoint(("output", "error"))
    return to_json({"output": result}).decode() if is_partly_read or _REFERENCE.search(result) else result


def _clean_assistant(message: wire.AssistantMessage, content: Any) -> wire.AssistantMessage | None:
    cleaned = cast("wire.AssistantMessage", {key: value for key, value in message.items() if key != "content"})
    if content:
        cleaned["content"] = content
    if calls := message.get("tool_calls"):
        cleaned["tool_calls"] = [_with_object_arguments(call) for call in calls]
    elif not content:
        return None
    return cleaned


def _with_object_arguments(call: wire.ToolCall) -> wire.ToolCall:
    """The call with arguments that are a JSON object; text that is none goes under a name of its own."""
    arguments = call["function"]["arguments"]
    try:
        if isinstance(from_json(arguments), dict):
            return call
    except TypeError:
        # Halves of an emoji that came in two chunks are one character again; a lone half becomes U+FFFD.
        joined = arguments.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return _with_object_arguments({**call, "function": {**call["function"], "arguments": joined}})
    except ValueError:
        pass
    whole = to_json({"invalid_arguments": arguments}).decode() if arguments.strip() else "{}"
    return {**call, "function": {**call["function"], "arguments": whole}}


def _in_order(messages: list[wire.Message]) -> Iterator[wire.Message]:
    """The messages with each call's result in the order of the calls, right after them.

    Raises:
        HistoryError: Calls and results do not pair.
    """
    position = 0
    while position < len(messages):
        message = messages[position]
        position += 1
        if message["role"] == "tool":
            raise HistoryError(
                f"A tool message (tool_call_id {message['tool_call_id']!r}) follows no message that calls a tool.",
                hint=TRIM_HINT,
            )
        yield message
        if message["role"] == "assistant" and (calls := message.get("tool_calls")):
            results = _results_after(messages, position)
            position += len(results)
            yield from _paired(calls, results)


def _results_after(messages: list[wire.Message], position: int) -> list[wire.ToolMessage]:
    results: list[wire.ToolMessage] = []
    for message in messages[position:]:
        if message["role"] != "tool":
            break
        results.append(message)
    return results


def _paired(calls: list[wire.ToolCall], results: list[wire.ToolMessage]) -> Iterator[wire.ToolMessage]:
    """The results in the order of the calls: by id, and among equal ids by order."""
    waiting = list(results)
    for call in calls:
        result = next((one for one in waiting if one["tool_call_id"] == call["id"]), None)
        if result is None:
            raise HistoryError(f"The call of {call['function']['name']!r} (id {call['id']!r}) has no result.")
        waiting.remove(result)
        yield {**result, "name": result.get("name") or call["function"]["name"]}
    if waiting:
        raise HistoryError(f"The result with tool_call_id {waiting[0]['tool_call_id']!r} belongs to no call before it.")


def _with_calls_in_turn(messages: list[wire.Message]) -> list[wire.Message]:
    """The messages, with an assistant's text right before a message with calls moved into that message.

    Otherwise the service refuses: "Please ensure that function call turn comes immediately after a user turn or after a
    function response turn."
    """
    backwards: list[wire.Message] = []
    following: int | None = None
    for message in reversed(messages):
        after = backwards[following] if following is not None else None
        if following is not None and after and _is_preamble(message, after):
            backwards[following] = _with_preamble(message, after)
            continue
        backwards.append(message)
        # The service looks through system messages: they become one instruction beside the conversation.
        following = len(backwards) - 1 if message["role"] != "system" else following
    return backwards[::-1]


def _is_preamble(message: wire.Message, after: wire.Message) -> bool:
    return message["role"] == after["role"] == "assistant" and bool(after.get("tool_calls"))


def _with_preamble(preamble: wire.Message, message: wire.Message) -> wire.Message:
    """The message with the preamble's content before its own; the preamble's signature moves to its last part."""
    *parts, last = parts_of(preamble)
    if preamble["role"] == "assistant" and (extra := preamble.get("extra_content")):
        last = {"extra_content": extra, **last}
    return cast("wire.Message", {**message, "content": [*parts, last, *parts_of(message)]})


def _refuse_what_cannot_start(messages: list[wire.Message], facts: ModelFacts) -> None:
    roles = [message["role"] for message in messages if message["role"] != "system"]
    if not roles:
        raise HistoryError("There is no message to answer.", hint=NO_MESSAGE_HINT)
    first = next(message for message in messages if message["role"] != "system")
    if LAST_ASSISTANT_MESSAGE in facts.refuses and roles[-1] == "assistant":
        raise HistoryError(
            "The conversation ends with the assistant's message; this model answers the user, or a tool's result.",
            hint="Add a user message, for example: Go on.",
        )
    if facts.gemini and first.get("tool_calls"):
        raise HistoryError(
            "The conversation begins with a tool call; it must follow a user message.",
            hint=TRIM_HINT,
        )


def _without_preamble(message: wire.Message) -> wire.Message:
    if message["role"] == "assistant" and message.get("tool_calls") and "content" in message:
        return cast("wire.Message", {key: value for key, value in message.items() if key != "content"})
    return message


def _each_signature_once(messages: Iterable[wire.Message]) -> Iterator[wire.Message]:
    """The messages, none with a signature of its own that one of its calls or parts carries already."""
    for message in messages:
        if message["role"] == "assistant" and "extra_content" in message:
            carried = {
                signature
                for holder in (*message.get("tool_calls", ()), *parts_of(message))
                for signature in signatures_in(holder.get("extra_content"))
            }
            if carried.intersection(signatures_in(message["extra_content"])):
                yield _with_extra(message, _without_signatures(message["extra_content"], carried))
                continue
        yield message


def _without_signatures(extra: wire.ExtraContent, carried: set[str]) -> wire.ExtraContent:
    """The extra content without the signatures that are carried elsewhere, and without what is then empty."""
    rest = {
        namespace: {key: item for key, item in value.items() if key != "thought_signature" or item not in carried}
        if isinstance(value, dict)
        else value
        for namespace, value in extra.items()
    }
    return {namespace: value for namespace, value in rest.items() if value}


def without_signatures(messages: Sequence[wire.Message]) -> list[wire.Message]:
    """The messages without thought signatures, which are Gemini's: no other publisher's model shall see them."""
    return [_unsigned(message) if message["role"] == "assistant" else message for message in messages]


def signatures_of(messages: Iterable[wire.Message]) -> Iterator[str]:
    """Every thought signature that the messages carry, but for Google's skip value."""
    for message in messages:
        calls: list[Any] = message.get("tool_calls") or []  # type: ignore[assignment]
        for holder in (message, *calls, *parts_of(message)):
            for signature in signatures_in(holder.get("extra_content")):
                if signature != wire.SKIP_SIGNATURE:
                    yield signature


def _without_distrusted(message: wire.Message, distrusted: Collection[int]) -> wire.Message:
    """The message without any of its signatures, if one of them is not trusted."""
    if message["role"] == "assistant" and any(hash(each) in distrusted for each in signatures_of([message])):
        return _unsigned(message)
    return message


def _unsigned(message: wire.AssistantMessage) -> wire.Message:
    message = _unsigned_part(message)
    if isinstance(content := message.get("content"), list):
        message = {**message, "content": [_unsigned_part(part) for part in content]}
    if calls := message.get("tool_calls"):
        message = {**message, "tool_calls": [_unsigned_part(call) for call in calls]}
    return message


def _unsigned_part(part: Any) -> Any:
    """A content part, a call or a message without the signature of its own."""
    if not (extra := part.get("extra_content")):
        return part
    rest = _without_signatures(extra, set(signatures_in(extra)))
    bare = {key: value for key, value in part.items() if key != "extra_content"}
    return {**bare, "extra_content": rest} if rest else bare


def _with_extra(message: wire.AssistantMessage, extra: wire.ExtraContent) -> wire.Message:
    bare = cast("wire.AssistantMessage", {key: value for key, value in message.items() if key != "extra_content"})
    return {**bare, "extra_content": extra} if extra else bare


def _with_skip_values(messages: list[wire.Message]) -> list[wire.Message]:
    """The messages with the skip value on the first call of each step of the current turn that has no signature."""
    begin = max((number for number, message in enumerate(messages) if _is_user_text(message)), default=0)
    return [*messages[:begin], *map(_with_skip_value, messages[begin:])]


def _is_user_text(message: wire.Message) -> bool:
    if message["role"] != "user":
        return False
    content = message["content"]
    return isinstance(content, str) or any(part["type"] == "text" for part in content)


def _with_skip_value(message: wire.Message) -> wire.Message:
    if message["role"] != "assistant" or not (calls := message.get("tool_calls")):
        return message
    extra = calls[0].get("extra_content") or {}
    if next(signatures_in(extra), None) is not None:
        return message
    google = {**(extra.get("google") or {}), "thought_signature": wire.SKIP_SIGNATURE}
    first: wire.ToolCall = {**calls[0], "extra_content": {**extra, "google": google}}
    return {**message, "tool_calls": [first, *calls[1:]]}
