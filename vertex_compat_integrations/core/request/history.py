"""The endpoint's rules for a conversation; a message that breaks one is repaired if nothing is lost, otherwise refused.

Sources: Google's "Thought signatures" (first call of each step of the current turn; order of calls and results), and
the service's own refusals as quoted in public issues: unequal numbers of calls and results, empty text parts, arguments
that are not a JSON object, text next to tool calls.
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
from vertex_compat_integrations.core.request.limits import override_hint
from vertex_compat_integrations.core.request.mending import NO_LOSS, Mending, user_words, with_results_in_order

EMPTY_RESULT = '{"output": ""}'
"""The content of a tool message without content: a function response whose `output` is empty."""

_GO_ON = user_words("Go on.")
_CUT_OFF = user_words("(The beginning of the conversation is left out.)")
_REFERENCE = re.compile(r'"\$ref"\s*:')
_SPECIAL_KEY = re.compile(r'\A\s*\{(?s:.)*"(?:\$ref|output|error)"\s*:')
"""Finds, quickly, a JSON object with a key that has a special meaning for Gemini's API."""

SkipValues = Literal["as the model demands", "where missing", "everywhere"]
"""Which calls of the current turn get the documented skip value in place of a thought signature.

`everywhere`: all calls that must be signed get it, and no other signature is sent. The service refused one signature,
and it may be any of them: it may come from another model, or from a call that was changed later.
"""


def settle_history(
    messages: Sequence[wire.Message],
    facts: ModelFacts,
    skip_values: SkipValues = "as the model demands",
    distrusted: Collection[int] = (),
    mending: Mending = NO_LOSS,
) -> list[wire.Message]:
    """Return the messages in the form that the model's rules require; the caller's messages are not changed.

    `distrusted` has the hashes of signatures that the service refused before; they are omitted. `mending` defines
    whether something may be lost, and records it.

    Raises:
        HistoryError: A call has no result, a result has no call, or there is nothing from the user.
    """
    cleaned = [clean for each in messages if (clean := _clean(each, mending, is_gemini=facts.gemini)) is not None]
    settled = with_results_in_order(cleaned, mending)
    if facts.gemini:
        settled = _with_calls_in_turn(settled)
    settled = _between_the_users_words(settled, facts, mending)
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


def _clean(message: wire.Message, mending: Mending, *, is_gemini: bool) -> wire.Message | None:
    """Return the message without empty text; None if nothing is left of it, and it is not a tool message.

    Raises:
        HistoryError: Nothing is left of a user message, and the caller does not allow losses.
    """
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
            # The number of results must equal that of the calls, so an empty result cannot be omitted.
            return cast("wire.Message", {**message, "content": content or EMPTY_RESULT})
        case "user" if not content:
            mending.lose("A user message is empty", "Leave it out, or put text into it.", "it is left out")
            return None
        case "assistant":
            return _clean_assistant(message, content)
        case _ if not content:
            return None
        case _:
            return cast("wire.Message", {**message, "content": content})


def _as_text(result: str) -> str:
    """Wrap a tool's result as text under `output` if Gemini's API would interpret its JSON in a special way.

    Source: Google's reference of `FunctionResponse.response`: `output` and `error` are the result and the failure, and
    only without them the whole object is the result; `{"$ref": …}` names a part of the message. Unverified live.
    """
    try:
        value = from_json(result)
    except (TypeError, ValueError):
        # Not JSON, or with halves of an emoji (lone surrogates).
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
    """Return the call with arguments that are a JSON object; other text becomes a value in one."""
    arguments = call["function"]["arguments"]
    try:
        if isinstance(from_json(arguments, allow_inf_nan=False), dict):
            return call
    except TypeError:
        # Join halves of an emoji that were received in two chunks; a lone half becomes U+FFFD.
        joined = arguments.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return _with_object_arguments({**call, "function": {**call["function"], "arguments": joined}})
    except ValueError:
        pass
    whole = to_json({"invalid_arguments": arguments}).decode() if arguments.strip() else "{}"
    return {**call, "function": {**call["function"], "arguments": whole}}


def _with_calls_in_turn(messages: list[wire.Message]) -> list[wire.Message]:
    """Return the messages with an assistant's text moved into the message with tool calls that follows it.

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
        # The service ignores the position of system messages: they become one instruction outside the conversation.
        following = len(backwards) - 1 if message["role"] != "system" else following
    return backwards[::-1]


def _is_preamble(message: wire.Message, after: wire.Message) -> bool:
    return message["role"] == after["role"] == "assistant" and bool(after.get("tool_calls"))


def _with_preamble(preamble: wire.Message, message: wire.Message) -> wire.Message:
    """Return the message with the preamble's content before its own content.

    If the preamble has a signature, the last part of the preamble's content gets it.
    """
    *parts, last = parts_of(preamble)
    if preamble["role"] == "assistant" and (extra := preamble.get("extra_content")):
        last = {"extra_content": extra, **last}
    return cast("wire.Message", {**message, "content": [*parts, last, *parts_of(message)]})


def _between_the_users_words(messages: list[wire.Message], facts: ModelFacts, mending: Mending) -> list[wire.Message]:
    """Return the messages, with a user message at the start and end if the model requires that.

    Raises:
        HistoryError: There is nothing to answer; or a user message is missing, and the caller does not allow adding
            one.
    """
    spoken = [message for message in messages if message["role"] != "system"]
    if not spoken:
        raise HistoryError("There is no message to answer.", hint=NO_MESSAGE_HINT)
    if LAST_ASSISTANT_MESSAGE in facts.refuses and spoken[-1]["role"] == "assistant":
        problem = "The conversation ends with the assistant's message; this model answers the user, or a tool's result"
        line = mending.line_of(_GO_ON)
        way_out = f"Add a user message: {line} {override_hint(facts, LAST_ASSISTANT_MESSAGE)}"
        mending.lose(problem, way_out, f"the user message {_GO_ON['content']!r} is added")
        messages = [*messages, _GO_ON]
    if facts.gemini and spoken[0].get("tool_calls"):
        problem = "The conversation begins with a tool call; it must follow a user message"
        mending.lose(problem, TRIM_HINT, "a user message before it says that the beginning is missing")
        place = messages.index(spoken[0])
        messages = [*messages[:place], _CUT_OFF, *messages[place:]]
    return messages


def _without_preamble(message: wire.Message) -> wire.Message:
    if message["role"] == "assistant" and message.get("tool_calls") and "content" in message:
        return cast("wire.Message", {key: value for key, value in message.items() if key != "content"})
    return message


def _each_signature_once(messages: Iterable[wire.Message]) -> Iterator[wire.Message]:
    """Yield the messages; a message loses its own signature if one of its calls or parts has the same signature."""
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
    """Return the extra content without the signatures in `carried`, and without values that are then empty."""
    rest = {
        namespace: {key: item for key, item in value.items() if key != "thought_signature" or item not in carried}
        if isinstance(value, dict)
        else value
        for namespace, value in extra.items()
    }
    return {namespace: value for namespace, value in rest.items() if value}


def without_signatures(messages: Sequence[wire.Message]) -> list[wire.Message]:
    """Return the messages without thought signatures, which are Gemini's and must not reach other publishers."""
    return [_unsigned(message) if message["role"] == "assistant" else message for message in messages]


def signatures_of(messages: Iterable[wire.Message]) -> Iterator[str]:
    """Yield every thought signature in the messages, except Google's skip value."""
    for message in messages:
        calls: list[Any] = message.get("tool_calls") or []  # type: ignore[assignment]
        for holder in (message, *calls, *parts_of(message)):
            for signature in signatures_in(holder.get("extra_content")):
                if signature != wire.SKIP_SIGNATURE:
                    yield signature


def _without_distrusted(message: wire.Message, distrusted: Collection[int]) -> wire.Message:
    """Return the message; without any of its signatures if one of them is not trusted."""
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
    """Return a content part, a call or a message without its own signature."""
    if not (extra := part.get("extra_content")):
        return part
    rest = _without_signatures(extra, set(signatures_in(extra)))
    bare = {key: value for key, value in part.items() if key != "extra_content"}
    return {**bare, "extra_content": rest} if rest else bare


def _with_extra(message: wire.AssistantMessage, extra: wire.ExtraContent) -> wire.Message:
    bare = cast("wire.AssistantMessage", {key: value for key, value in message.items() if key != "extra_content"})
    return {**bare, "extra_content": extra} if extra else bare


def _with_skip_values(messages: list[wire.Message]) -> list[wire.Message]:
    """Return the messages; in the current turn, the first call of each step gets the skip value if it is unsigned."""
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
