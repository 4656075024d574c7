"""Anthropic's content blocks in a program's messages → OpenAI's calls, tool messages and parts. Pure.

Agents that switch models during a conversation have such histories. `tool_use` becomes a call, `tool_result` a separate
tool message before the rest of the user's message; `image` and `document` are media. Anthropic's thoughts are dropped:
no other model can use them. Source of the forms: Anthropic's Messages API. Blocks of other kinds (`server_tool_use`, …)
are unchanged.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import encode_json, mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.request import content
from vertex_compat_integrations.core.request.tool_message import build_tool_message

_THOUGHTS = ("thinking", "redacted_thinking")
_SPOKEN_BLOCKS = (*_THOUGHTS, "tool_use", "tool_result", "image", "document")


def without_anthropic_blocks(messages: Sequence[Any]) -> list[Any]:
    """Return the messages, with Anthropic's blocks converted to OpenAI's form.

    Raises:
        UnsupportedContentError: A block holds a medium that Google cannot fetch, or one without data.
    """
    return [each for message in messages for each in _openai_messages(message)]


def _openai_messages(message: Any) -> Iterator[Any]:
    blocks: Any = mapping_in(message).get("content")
    if not any(block.get("type") in _SPOKEN_BLOCKS for block in mappings_in(blocks)):
        yield message
    elif message.get("role") == "assistant":
        yield _assistant(message, blocks)
    else:
        yield from _results_and_rest(message, blocks)


def _assistant(message: wire.Json, blocks: list[Any]) -> wire.Json:
    calls = list(message.get("tool_calls") or ())
    # Some frameworks write a call in both forms.
    called = {mapping_in(call).get("id") for call in calls}
    uses = [block for block in blocks if _type_of(block) == "tool_use"]
    calls += [_call(block) for block in uses if block.get("id") not in called]
    rest = [_part(block) for block in blocks if _type_of(block) not in ("tool_use", *_THOUGHTS)]
    fields = {key: value for key, value in message.items() if key not in ("content", "tool_calls")}
    return {**fields, "content": rest or None, **({"tool_calls": calls} if calls else {})}


def _results_and_rest(message: wire.Json, blocks: list[Any]) -> Iterator[Any]:
    for block in blocks:
        if _type_of(block) == "tool_result":
            yield _result(block)
    rest = [_part(block) for block in blocks if _type_of(block) not in ("tool_result", *_THOUGHTS)]
    if rest:
        yield {**message, "content": rest}


def _call(block: Mapping[str, Any]) -> wire.Json:
    function = {"name": text_in(block.get("name")), "arguments": encode_json(block.get("input") or {}).decode()}
    return {"id": text_in(block.get("id")), "type": "function", "function": function}


def _result(block: Mapping[str, Any]) -> wire.Json:
    value = block.get("content")
    blocks = [{"type": "text", "text": value}] if isinstance(value, str) else mappings_in(value)
    result = dict(build_tool_message(text_in(block.get("tool_use_id")), [_part(each) for each in blocks]))
    if block.get("is_error") is True:
        # Google's reference of `FunctionResponse.response` has `error` for the details of a failure.
        result["content"] = to_json({"error": result["content"]}).decode()
    return result


def _part(block: Any) -> Any:
    if _type_of(block) not in ("image", "document"):
        return block
    source = mapping_in(block.get("source"))
    if source.get("type") == "text":
        return content.text(text_in(source.get("data")))
    url, data = text_in(source.get("url")), text_in(source.get("data"))
    return content.media(url=url or None, data=data or None, mime_type=text_in(source.get("media_type")) or None)


def _type_of(block: Any) -> str:
    return text_in(mapping_in(block).get("type"))
