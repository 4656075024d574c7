"""LangChain messages → wire messages. Pure; one case for each kind of message and of content block.

Content can be in many formats: LangChain's v1 and v0 blocks, OpenAI's parts, Anthropic's and Gemini's blocks.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.native.marked import MarkedMessages, ttl_seconds
from vertex_compat_integrations.core.reply.tool_call import arguments_text
from vertex_compat_integrations.core.request import content
from vertex_compat_integrations.core.request.tool_message import build_tool_message
from vertex_compat_integrations.langchain.messages.other_integrations import foreign_call_extra, foreign_message_extra
from vertex_compat_integrations.langchain.messages.recalled import REASONING_KEY, RECALLED_KEY, own_content

PROVIDER = "vertex_compat"
EXTRA_KEY = "vertex_compat"
"""The key in `additional_kwargs` for the endpoint's `extra_content`: `{"message": …, "tool_calls": {id: …}}`."""

BLOCK_EXTRA_KEY = "extra_content"
"""The key for a content block's own `extra_content`, in `extras`."""

_ANSWER_BLOCKS = frozenset(
    {
        *("text", "text-plain", "output_text", "image", "image_url", "audio", "input_audio"),
        *("video", "file", "media", "document"),
    }
)
"""Blocks of an assistant's content that are sent again.

The rest is calls, which are in `tool_calls`; thoughts; and results of other services' own tools.
"""


def encode_messages(messages: Sequence[BaseMessage]) -> list[wire.Message]:
    """Convert the messages to the endpoint's form.

    Raises:
        UnsupportedContentError: The endpoint has no form for a message or a block of this kind.
    """
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    encoded = [_encode_message(message, answered) for message in messages]
    for message in messages:
        if type(message.content) is list:
            return _with_mark(messages, encoded)
    return encoded


def _with_mark(messages: Sequence[BaseMessage], encoded: list[wire.Message]) -> list[wire.Message]:
    """Return the messages with the boundary of the part to be cached, if one of their blocks has a mark."""
    for place in range(len(messages) - 1, -1, -1):
        blocks = messages[place].content
        marks = [number for number, block in enumerate(blocks) if _mark_of(block) is not None] if blocks else []
        if not marks or isinstance(blocks, str):
            continue
        ttl = ttl_seconds(_mark_of(blocks[marks[-1]]))
        message: Any = encoded[place]
        parts = message.get("content")
        cut = len([block for block in blocks[: marks[-1] + 1] if not _is_marker(block)])
        if message["role"] not in ("system", "user") or not isinstance(parts, list) or cut >= len(parts):
            return MarkedMessages(encoded[: place + 1], encoded[place + 1 :], ttl)
        first, second = {**message, "content": parts[:cut]}, {**message, "content": parts[cut:]}
        before = [*encoded[:place], cast("wire.Message", first)] if cut else encoded[:place]
        return MarkedMessages(before, [cast("wire.Message", second), *encoded[place + 1 :]], ttl, whole=encoded)
    return encoded


def _mark_of(block: str | dict[Any, Any]) -> Any:
    """Return the mark in a block that ends a part to be cached, or that is such a mark; None if there is none."""
    if isinstance(block, str):
        return None
    return block.get("cache_control") or block.get("cachePoint") or (block if _is_marker(block) else None)


def line_of(message: wire.Message) -> str:
    """Return the line of code that creates a message which a history lacks."""
    text = json.dumps(message.get("content"), ensure_ascii=False)
    if message["role"] == "tool":
        return f"ToolMessage({text}, tool_call_id={json.dumps(message['tool_call_id'], ensure_ascii=False)})"
    return f"HumanMessage({text})"


def _encode_message(message: BaseMessage, answered: set[str]) -> wire.Message:
    match message:
        case AIMessage():
            return _encode_assistant(message, answered)
        case ToolMessage():
            return _encode_tool(message)
        case SystemMessage():
            return {"role": "system", "content": _text_or_parts(message)}
        case HumanMessage():
            return _named({"role": "user", "content": _text_or_parts(message)}, message.name)
        case FunctionMessage():
            return {"role": "tool", "tool_call_id": message.name, "name": message.name, "content": _text_of(message)}
        case ChatMessage(role="system" | "developer"):
            return {"role": "system", "content": _text_or_parts(message)}
        case ChatMessage(role="user" | "human"):
            return _named({"role": "user", "content": _text_or_parts(message)}, message.name)
        case ChatMessage(role="assistant" | "ai" | "model"):
            return {"role": "assistant", "content": _text_of(message)}
        case ChatMessage():
            raise UnsupportedContentError(
                f"A message of role {message.role!r}.", hint="Use system, user, assistant or tool."
            )
        case _:
            raise UnsupportedContentError(f"A message of type {type(message).__name__}.")


def _named(message: wire.UserMessage, name: str | None) -> wire.UserMessage:
    return {**message, "name": name} if name else message


def _text_or_parts(message: BaseMessage) -> str | list[wire.ContentPart]:
    if isinstance(message.content, str):
        return message.content
    return [_encode_own(block) for block in message.content if not _is_marker(block)]


def _encode_own(block: str | Mapping[str, Any]) -> wire.ContentPart:
    """Convert the caller's own block to a part, with the `extra_content` in it."""
    part = encode_block(block)
    if isinstance(block, Mapping) and (extra := content.own_extra(block)):
        part["extra_content"] = extra
    return part


def _is_marker(block: str | dict[Any, Any]) -> bool:
    """Return whether a block only marks a position for caches; that of ChatBedrockConverse has no type."""
    return isinstance(block, dict) and (block.get("type") in ("cachePoint", "cache_point") or "cachePoint" in block)


def _text_of(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(block if isinstance(block, str) else block.get("text", "") for block in message.content)


def encode_block(block: str | Mapping[str, Any]) -> wire.ContentPart:
    """Convert one content block to a part.

    Raises:
        UnsupportedContentError: The endpoint has no part for it.
    """
    if isinstance(block, str):
        return content.text(block)
    match block:
        case {"type": "text" | "text-plain" | "input_text" | "output_text", "text": str(value)}:
            return content.text(value)
        case {"type": "text" | "text-plain", "text": None}:
            # Other software writes this for missing text; the core omits empty text.
            return content.text("")
        case {"type": "image_url" | "input_audio" | "input_image" | "input_file"}:
            return _encode_openai_part(block)
        case {"type": "image" | "document", "source": Mapping() as source}:
            return _encode_anthropic_source(source)
        case {"type": "file", "file": Mapping() as file}:
            return content.openai_file(file)
        case {"type": "media"}:
            return _encode_media(block)
        case {"type": "image" | "audio" | "video" | "file" | "text-plain"}:
            return _encode_standard(block)
        case {"type": "tool_result"}:
            # Anthropic's form of a tool's result.
            text, call_id = str(block.get("content"))[:80], block.get("tool_use_id")
            raise UnsupportedContentError(
                f"A 'tool_result' block for {call_id!r} among a message's content.",
                hint=f"Send it as a separate message: ToolMessage({text!r}, tool_call_id={call_id!r}).",
            )
        case _:
            raise UnsupportedContentError(
                f"A content block of type {block.get('type')!r} (keys: {', '.join(map(str, block))})."
            )


def _encode_openai_part(block: Mapping[str, Any]) -> wire.ContentPart:
    match block:
        case {"image_url": str(url)}:
            return content.media(url=url, detail=block.get("detail"))
        case {"image_url": {"url": str(url)} as image}:
            return content.media(url=url, detail=image.get("detail"))
        case {"input_audio": {"data": str(data), "format": str(kind)}}:
            if ":" in data[:32]:
                content.refuse_unreachable(data)
            return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}
        case {"type": "input_image" | "input_file", "file_id": str(file_id)}:
            return content.openai_file({"file_id": file_id})
        case {"type": "input_file", "file_url": str(url)}:
            return content.media(url=url, mime_type=content.guess_by_name(url) or "application/pdf")
        case {"type": "input_file", "file_data": str()}:
            return content.openai_file(block)
        case _:
            raise UnsupportedContentError(f"A block of type {block['type']!r} without its content.")


def _encode_anthropic_source(source: Mapping[str, Any]) -> wire.ContentPart:
    if source.get("type") == "text":
        return content.text(source.get("data", ""))
    return content.media(url=source.get("url"), data=source.get("data"), mime_type=source.get("media_type"))


def _encode_media(block: Mapping[str, Any]) -> wire.ContentPart:
    """Convert a block of the Gemini integrations, whose data may be bytes."""
    data = block.get("data")
    data = b64encode(data).decode() if isinstance(data, bytes) else data
    return content.media(url=block.get("file_uri"), data=data, mime_type=block.get("mime_type"))


def _encode_standard(block: Mapping[str, Any]) -> wire.ContentPart:
    """Convert a block in LangChain's own format, v1 (`url`, `base64`) or v0 (`source_type`)."""
    if block.get("source_type") == "text":
        return content.text(block.get("text", ""))
    url = block.get("url") or block.get("file_id")
    data = block.get("base64") or block.get("data")
    if isinstance(data, bytes):
        raise UnsupportedContentError("Base64 data as bytes.", hint="Pass text: base64.b64encode(data).decode().")
    mime_type = block.get("mime_type") or content.guess_by_name(url)
    if url and data is None:
        content.refuse_unreachable(url)
    if url and not mime_type and block["type"] != "image":
        raise UnsupportedContentError(f"{block['type']} block by URL without mime_type.", hint='Add "mime_type".')
    return content.media(url=url, data=data, mime_type=mime_type, detail=(block.get("extras") or {}).get("detail"))


def _encode_assistant(message: AIMessage, answered: set[str]) -> wire.AssistantMessage:
    extras = message.additional_kwargs.get(EXTRA_KEY) or {}
    encoded: wire.AssistantMessage = {"role": "assistant"}
    if parts := _encode_assistant_content(message):
        encoded["content"] = parts
    if calls := list(encode_calls(message, answered, extras.get("tool_calls") or {})):
        encoded["tool_calls"] = calls
    # Thoughts of other integrations are not sent.
    if message.tool_calls and message.response_metadata.get("model_provider") == PROVIDER:
        encoded |= _thoughts_of(message)  # type: ignore[typeddict-item]
    if extra := extras.get("message") or _block_extra(message, "text") or foreign_message_extra(message):
        encoded["extra_content"] = extra
    return _with_legacy_call(encoded, message)


def _thoughts_of(message: AIMessage) -> Mapping[str, Any]:
    """The thoughts that led to the message's calls, as the client's own record of them."""
    text = message.additional_kwargs.get(REASONING_KEY)
    if not isinstance(text, str):
        blocks = [] if isinstance(message.content, str) else message.content
        text = "".join(str(block.get("reasoning", "")) for block in blocks if _is_reasoning(block))
    return {"thoughts": {"text": text, "model": message.response_metadata.get("model_name") or ""}} if text else {}


def _is_reasoning(block: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(block, dict) and block.get("type") == "reasoning"


def _encode_assistant_content(message: AIMessage) -> str | list[wire.ContentPart]:
    own = own_content(message) if RECALLED_KEY in message.response_metadata else message.content
    if isinstance(own, str):
        return own
    blocks = [block for block in own if isinstance(block, str) or block.get("type") in _ANSWER_BLOCKS]
    parts = [encode_block(block) for block in blocks]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts if part["type"] == "text")
    return parts


def encode_calls(message: AIMessage, answered: set[str], extras: Mapping[str, Any]) -> Iterator[wire.ToolCall]:
    """Yield the calls; one whose arguments could not be read only if it has a result."""
    for call in message.tool_calls:
        arguments = arguments_text(call["args"])
        yield _encode_call(call["id"] or "", call["name"], arguments, _call_extra(message, call["id"], extras))
    for invalid in message.invalid_tool_calls:
        if invalid["id"] in answered:
            extra = _call_extra(message, invalid["id"], extras)
            yield _encode_call(invalid["id"] or "", invalid["name"] or "", invalid["args"] or "", extra)
    if not (message.tool_calls or message.invalid_tool_calls or isinstance(message.content, str)):
        # Anthropic's form, in messages that were built by hand or read from its own API.
        for block in message.content:
            if isinstance(block, dict) and block.get("type") == "tool_use" and block.get("name"):
                arguments = arguments_text(block.get("input") or {})
                yield _encode_call(str(block.get("id") or ""), str(block["name"]), arguments, None)


def _encode_call(call_id: str, name: str, arguments: str, extra: wire.ExtraContent | None) -> wire.ToolCall:
    call: wire.ToolCall = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    if extra:
        call["extra_content"] = extra
    return call


def _call_extra(message: AIMessage, call_id: str | None, extras: Mapping[str, Any]) -> wire.ExtraContent | None:
    own_id = call_id or ""
    return extras.get(own_id) or _block_extra(message, "tool_call", call_id) or foreign_call_extra(message, own_id)


def _block_extra(message: AIMessage, kind: str, call_id: str | None = None) -> wire.ExtraContent | None:
    """The `extra_content` in a content block, for messages that lost their `additional_kwargs`."""
    if isinstance(message.content, str):
        return None
    for block in message.content:
        if isinstance(block, dict) and block.get("type") == kind and (call_id is None or block.get("id") == call_id):
            extras = block.get("extras")
            if isinstance(extras, dict) and (extra := extras.get(BLOCK_EXTRA_KEY)):
                return cast("wire.ExtraContent", extra)
    return None


def _with_legacy_call(encoded: wire.AssistantMessage, message: AIMessage) -> wire.AssistantMessage:
    """Convert the deprecated `function_call` of a message to a tool call, paired by the function's name."""
    call = message.additional_kwargs.get("function_call")
    if isinstance(call, dict) and "tool_calls" not in encoded:
        encoded["tool_calls"] = [
            _encode_call(call.get("name", ""), call.get("name", ""), call.get("arguments", ""), None)
        ]
    return encoded


def _encode_tool(message: ToolMessage) -> wire.ToolMessage:
    encoded: wire.ToolMessage = {"role": "tool", "tool_call_id": message.tool_call_id, "content": ""}
    if message.name:
        encoded["name"] = message.name
    if isinstance(message.content, str):
        encoded["content"] = message.content
        return encoded
    blocks = [block for block in message.content if not _is_marker(block)]
    parts = [_encode_result(block) for block in blocks]
    return build_tool_message(message.tool_call_id, parts, message.name, [_mime_type(block) for block in blocks])


def _encode_result(block: str | Mapping[str, Any]) -> wire.ContentPart:
    """Convert a block of a tool's result to a part; other data of the tool becomes JSON text.

    LangChain distinguishes the two only by `type`, so a list of `{"type": "file", "name": …}` is passed as blocks.
    """
    try:
        return _encode_own(block)
    except UnsupportedContentError:
        if isinstance(block, str) or any(isinstance(block.get(key), str) for key in ("base64", "data")):
            raise
        return content.text(to_json(block, fallback=str).decode())


def _mime_type(block: str | Mapping[str, Any]) -> str | None:
    return None if isinstance(block, str) else block.get("mime_type")
