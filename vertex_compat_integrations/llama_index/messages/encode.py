"""LlamaIndex messages and tools → wire. Pure, except for reading media files; one case for each kind of block."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.tools import BaseTool, ToolMetadata
from pydantic_core import from_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.adapters.identity_cache import IdentityCache
from vertex_compat_integrations.core.errors import SettingsError, UnsupportedContentError
from vertex_compat_integrations.core.json_values import deep_merge
from vertex_compat_integrations.core.native.marked import MarkedMessages, ttl_seconds
from vertex_compat_integrations.core.reply.tool_call import arguments_text
from vertex_compat_integrations.core.request import content
from vertex_compat_integrations.core.request.mending import missing_result
from vertex_compat_integrations.core.request.tool_message import build_tool_message
from vertex_compat_integrations.llama_index.messages import media
from vertex_compat_integrations.llama_index.messages.other_integrations import (
    foreign_calls,
    foreign_message_extra,
    with_foreign_extras,
)

EXTRA_KEY = "vertex_compat"
"""The key for the endpoint's `extra_content`: in a ThinkingBlock's `additional_information`, or in the message's
`additional_kwargs`.

It is JSON text, because chat stores keep strings only: `{"message": "…", "tool_calls": {id: "…"}}`.
"""

NOT_CARRIED_OUT = "Not carried out: the result of another tool was returned to the user at once."

Message = TypeVar("Message", wire.UserMessage, wire.ToolMessage)


def encode_messages(messages: Sequence[ChatMessage]) -> list[wire.Message]:
    """Convert the messages to the endpoint's form, known fields only; the caller's messages are not changed.

    A `CachePoint` ends the part to be cached.

    Raises:
        UnsupportedContentError: The endpoint has no form for a block of this kind, or a message is none.
    """
    if strange := [type(each).__name__ for each in messages if not isinstance(each, ChatMessage)]:
        raise UnsupportedContentError(
            f"A message of type {strange[0]}.", hint='Pass a list of ChatMessage(role="user", content="…").'
        )
    for place in range(len(messages) - 1, -1, -1):
        for block in messages[place].blocks:
            if type(block) is CachePoint:
                return _with_mark(messages, place)
    return _encoded(messages)[0]


def _with_mark(messages: Sequence[ChatMessage], place: int) -> list[wire.Message]:
    """Return the messages, with the boundary after the last mark of the message at `place`."""
    message = messages[place]
    cut = max(number for number, block in enumerate(message.blocks) if isinstance(block, CachePoint))
    mark = cast("CachePoint", message.blocks[cut])
    ttl = ttl_seconds(getattr(mark.cache_control, "ttl", None))
    if message.role not in (MessageRole.SYSTEM, MessageRole.DEVELOPER, MessageRole.USER):
        encoded, ends = _encoded(messages)
        return MarkedMessages(encoded[: ends[place]], encoded[ends[place] :], ttl)
    halves = [
        message.model_copy(update={"blocks": blocks}) for blocks in (message.blocks[:cut], message.blocks[cut + 1 :])
    ]
    encoded, ends = _encoded([*messages[:place], *halves, *messages[place + 1 :]])
    end = ends[place]
    before, first, second, after = encoded[: end - 1], encoded[end - 1], encoded[end], encoded[end + 1 :]
    if not first["content"]:
        return MarkedMessages(before, [second, *after], ttl)
    if not second["content"]:
        return MarkedMessages([*before, first], after, ttl)
    return MarkedMessages([*before, first], [second, *after], ttl, whole=[*before, _joined(first, second), *after])


def _joined(first: wire.Message, second: wire.Message) -> wire.Message:
    """Join the halves of one message."""
    contents = (first["content"], second["content"])
    parts = [[content.text(half)] if isinstance(half, str) else half or [] for half in contents]
    return cast("wire.Message", {**second, "content": [part for half in parts for part in half]})


def _encoded(messages: Sequence[ChatMessage]) -> tuple[list[wire.Message], list[int]]:
    """Convert the messages, without regard to marks; also return where each one ends in the result.

    Raises:
        UnsupportedContentError: The endpoint has no form for a block of this kind.
    """
    encoded: list[wire.Message] = []
    ends: list[int] = []
    called: set[str] = set()
    has_lost_calls = False
    for message in messages:
        if _is_returned_directly(message):
            encoded.extend(list(_missing_results(encoded)))
        wire_message = _encode_message(message)
        if wire_message["role"] != "tool":
            has_lost_calls = wire_message["role"] == "assistant" and "tool_calls" not in wire_message
            called.update(call["id"] for call in wire_message.get("tool_calls", ()))  # type: ignore[attr-defined]  # mypy
        elif has_lost_calls and wire_message["tool_call_id"] not in called:
            # LlamaIndex's CodeActAgent stores the result of a handoff, but not the call; the result is sent as a user
            # message.
            wire_message = {"role": "user", "content": _text_or_parts(message)}
        elif not wire_message["tool_call_id"]:
            wire_message["tool_call_id"] = next(iter(_unanswered(encoded)), "")
        encoded.append(wire_message)
        ends.append(len(encoded))
    return encoded, ends


def with_cancelled_calls(messages: Sequence[wire.Message]) -> tuple[list[wire.Message], int]:
    """Add a result for each unanswered call of an earlier run; return messages and number of results.

    Such calls are in a stored history if the agent was interrupted while a tool was running
    (run-llama/llama_index#18842). The caller of an agent that continues the history cannot add the result. A call after
    the last user message is of an earlier run, too, if there is another user message: an agent's context keeps what was
    not finished, and sends it behind the next question.
    """
    users = [place for place, message in enumerate(messages) if message["role"] == "user"]
    end = len(messages) if len(users) > 1 else max(users, default=-1)
    unanswered = _unanswered_places(messages)
    mended: list[wire.Message] = []
    for place, message in enumerate(messages):
        mended.append(message)
        for call in message.get("tool_calls", ()) if message["role"] == "assistant" and place < end else ():
            if place in (waiting := unanswered.get(call["id"], [])):
                waiting.remove(place)
                mended.append(missing_result(call))
    return mended, len(mended) - len(messages)


def _unanswered_places(messages: Sequence[wire.Message]) -> Mapping[str, list[int]]:
    """Return, by id, where calls without a result are; of calls that share an id, a result belongs to the last."""
    places: dict[str, list[int]] = {}
    early: Counter[str] = Counter()
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            waiting = places.get(message["tool_call_id"])
            if waiting:
                waiting.pop()
            else:
                early[message["tool_call_id"]] += 1
        for call in message.get("tool_calls", ()) if message["role"] == "assistant" else ():
            if early[call["id"]]:
                early[call["id"]] -= 1
            else:
                places.setdefault(call["id"], []).append(place)
    return places


def marked_like(encoded: list[wire.Message], mended: list[wire.Message]) -> list[wire.Message]:
    """Return the repaired messages with the boundary of those that they were made from, if these have one."""
    if not isinstance(encoded, MarkedMessages) or not encoded.rest:
        return mended
    # The mark may divide a message, of which `mended` has the whole.
    parts, _ = with_cancelled_calls([*encoded.prefix, *encoded.rest])
    place = next(number for number, message in enumerate(parts) if message is encoded.rest[0])
    return MarkedMessages(parts[:place], parts[place:], encoded.ttl, encoded.tools, encoded.tool_choice, whole=mended)


def line_of(message: wire.Message) -> str:
    """Return a line of Python that creates the message; an error's hint shows it if a history lacks this message."""
    words = f"role={json.dumps(message['role'])}, content={json.dumps(message.get('content'), ensure_ascii=False)}"
    if message["role"] == "tool":
        kwargs = json.dumps({"tool_call_id": message["tool_call_id"]}, ensure_ascii=False)
        return f"ChatMessage({words}, additional_kwargs={kwargs})"
    return f"ChatMessage({words})"


def _encode_message(message: ChatMessage) -> wire.Message:
    match message.role:
        case MessageRole.SYSTEM | MessageRole.DEVELOPER:
            return {"role": "system", "content": _text_or_parts(message)}
        case MessageRole.USER:
            user_message: wire.UserMessage = {"role": "user", "content": _text_or_parts(message)}
            return _with_own_extra(user_message, message)
        case MessageRole.ASSISTANT | MessageRole.MODEL | MessageRole.CHATBOT:
            return _encode_assistant(message)
        case MessageRole.TOOL | MessageRole.FUNCTION:
            return _encode_result(message)


def _with_own_extra(encoded: Message, message: ChatMessage) -> Message:
    """Add the `extra_content` in the message's `additional_kwargs`; blocks have no field for one."""
    extra = content.own_extra(message.additional_kwargs)
    if extra:
        encoded["extra_content"] = deep_merge(encoded.get("extra_content") or {}, extra)
    return encoded


def _encode_result(message: ChatMessage) -> wire.ToolMessage:
    kwargs = message.additional_kwargs
    name = kwargs.get("name")
    call_id = kwargs.get("tool_call_id") or name or ""
    parts = [part for block in message.blocks for part in _encode_result_block(block)]
    encoded = build_tool_message(call_id, parts, name or None)
    return _with_own_extra(encoded, message)


def _encode_result_block(block: Any) -> list[wire.ContentPart]:
    """Convert a block of a tool's result; a link that Google cannot fetch becomes text."""
    try:
        return _encode_block(block)
    except UnsupportedContentError:
        if (url := getattr(block, "url", None)) is None:
            raise
        return [content.text(str(url))]


def _is_returned_directly(message: ChatMessage) -> bool:
    """Return whether the message is the copy of a tool's result that agents append if the tool has `return_direct`."""
    return message.role == MessageRole.ASSISTANT and "tool_call_id" in message.additional_kwargs


def _missing_results(encoded: Sequence[wire.Message]) -> Iterator[wire.ToolMessage]:
    """Yield a result for each call of the last step that has none.

    If a step calls a tool with `return_direct`, LlamaIndex's agents drop the results of the step's other calls; the
    endpoint refuses a step with fewer results than calls.
    """
    for call_id in _unanswered(encoded):
        yield {"role": "tool", "tool_call_id": call_id, "content": NOT_CARRIED_OUT}


def _unanswered(encoded: Sequence[wire.Message]) -> list[str]:
    """Return the ids of the last step's calls without a result; several calls may share an id."""
    answered: Counter[str] = Counter()
    for message in reversed(encoded):
        if message["role"] == "tool":
            answered[message["tool_call_id"]] += 1
            continue
        calls = message.get("tool_calls", ()) if message["role"] == "assistant" else ()
        called = Counter(call["id"] for call in calls)
        return list((called - answered).elements())
    return []


def _text_or_parts(message: ChatMessage) -> str | list[wire.ContentPart]:
    parts = encode_blocks(message.blocks)
    if not parts:
        return ""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def encode_blocks(blocks: Sequence[Any]) -> list[wire.ContentPart]:
    """Convert the blocks to content parts; blocks with thoughts and cache points are not sent.

    Raises:
        UnsupportedContentError: The endpoint has no part for a block.
    """
    return [part for block in blocks for part in _encode_block(block)]


def _encode_block(block: Any) -> list[wire.ContentPart]:
    match block:
        case TextBlock():
            return [content.text(block.text)] if block.text else []
        case ImageBlock() | AudioBlock() | VideoBlock() | DocumentBlock():
            return [media.encode_medium(block)]
        case CachePoint() | ThinkingBlock():
            # The first only marks a position for caches, the second is not part of the answer.
            return []
        case CitableBlock():
            return encode_blocks(block.content)
        case CitationBlock():
            return encode_blocks([block.cited_content])
        case _:
            raise UnsupportedContentError(f"{type(block).__name__} where text or media belong.")


def _encode_assistant(message: ChatMessage) -> wire.AssistantMessage:
    extras = _kept_extras(message)
    encoded: wire.AssistantMessage = {"role": "assistant"}
    # A citation repeats the text, and names its source.
    blocks = [block for block in message.blocks if not isinstance(block, ToolCallBlock | CitationBlock)]
    parts = encode_blocks(blocks)
    if parts and all(part["type"] == "text" for part in parts):
        encoded["content"] = "\n".join(part["text"] for part in parts if part["type"] == "text")
    elif parts:
        encoded["content"] = parts
    calls = [_with_extra(call, extras) for call in calls_of(message)]
    if calls:
        encoded["tool_calls"] = with_foreign_extras(calls, message)
    if calls and (thoughts := _thoughts_of(message)):
        encoded["thoughts"] = thoughts
    message_extra = _parsed_extra(extras.get("message")) or foreign_message_extra(message, has_calls=bool(calls))
    if extra := message_extra:
        encoded["extra_content"] = extra
    return encoded


def _thoughts_of(message: ChatMessage) -> wire.Thoughts | None:
    """Return the thoughts that led to the message's calls, if this package stored them together with their model."""
    for block in message.blocks:
        if isinstance(block, ThinkingBlock) and block.content:
            stored = block.additional_information.get(EXTRA_KEY)
            model = stored.get("model") if isinstance(stored, Mapping) else None
            return {"text": block.content, "model": model} if isinstance(model, str) else None
    return None


def _kept_extras(message: ChatMessage) -> Mapping[str, Any]:
    """Return the message's data that must be sent back: from a block, otherwise from `additional_kwargs`.

    Some chat engines replace the blocks of a message, but keep its `additional_kwargs`.
    """
    for block in message.blocks:
        if isinstance(block, ThinkingBlock) and (extras := block.additional_information.get(EXTRA_KEY)):
            return extras if isinstance(extras, Mapping) else {}
    extras = message.additional_kwargs.get(EXTRA_KEY)
    return extras if isinstance(extras, Mapping) else {}


def _parsed_extra(text: Any) -> wire.ExtraContent | None:
    if not isinstance(text, str):
        return None
    try:
        extra = from_json(text)
    except ValueError:
        return None
    return extra if isinstance(extra, dict) else None


def _with_extra(call: wire.ToolCall, extras: Mapping[str, Any]) -> wire.ToolCall:
    call_extras = extras.get("tool_calls")
    extra = _parsed_extra(call_extras.get(call["id"])) if isinstance(call_extras, Mapping) else None
    return {**call, "extra_content": extra} if extra else call


def calls_of(message: ChatMessage) -> list[wire.ToolCall]:
    """Return the calls of an assistant's message: its blocks, or else the calls in `additional_kwargs`."""
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if blocks:
        return [build_call(block.tool_call_id, block.tool_name, block.tool_kwargs) for block in blocks]
    return [build_call(*named) for named in foreign_calls(message)]


def build_call(call_id: str | None, name: str, arguments: Any) -> wire.ToolCall:
    """Build a call in the endpoint's form; arguments may be a mapping or JSON text.

    A call without an id uses its name as id, as with LlamaIndex's `Ollama`, whose results use the name as id.
    """
    function: wire.FunctionCall = {"name": name, "arguments": arguments_text(arguments)}
    return {"id": call_id or name, "type": "function", "function": function}


_DECLARED = IdentityCache()


def encode_tool(tool: Any, *, strict: bool | None = None) -> wire.Json:
    """Convert a LlamaIndex tool to OpenAI's mapping; a tool that is already such a mapping is returned unchanged.

    With `strict`, calls must match the schema.

    Raises:
        SettingsError: The value is not a tool.
    """
    if isinstance(tool, Mapping):
        return dict(tool)
    if not isinstance(tool, BaseTool):
        raise SettingsError(
            f"A tool of type {type(tool).__name__}.",
            hint="Pass LlamaIndex tools, such as FunctionTool.from_defaults(function), or OpenAI's mappings.",
        )
    metadata = tool.metadata
    state = metadata.name, metadata.description, metadata.fn_schema
    declared = _DECLARED.get(metadata, state, lambda: _declare(metadata))
    return declared if strict is None else {**declared, "function": {**declared["function"], "strict": strict}}


def _declare(metadata: ToolMetadata) -> wire.Json:
    declared: wire.Json = metadata.to_openai_tool(skip_length_check=True)
    # LlamaIndex uses one name for "a.b" and "a_b"; the request gives each a different valid name.
    declared = {**declared, "function": {**declared["function"], "name": metadata.name}}
    if metadata.fn_schema is None or "properties" in declared["function"]["parameters"]:
        return declared
    # LlamaIndex drops `$ref`, `anyOf` and `additionalProperties` at the root, and with them the whole schema.
    return {**declared, "function": {**declared["function"], "parameters": metadata.fn_schema.model_json_schema()}}
