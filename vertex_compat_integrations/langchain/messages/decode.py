"""Conversion of replies to LangChain messages and chunks, and of these to standard content blocks. Pure."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, InvalidToolCall
from langchain_core.messages import ToolCall as LangChainToolCall
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.block_translators import register_translator
from langchain_core.messages.content import ContentBlock
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.json import parse_partial_json

from vertex_compat_integrations.core import errors as core
from vertex_compat_integrations.core.reply.blocked import block_of, warn_of
from vertex_compat_integrations.core.reply.reply import (
    METADATA_KEYS,
    Citation,
    Ending,
    Media,
    Reply,
    ReplyDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    metadata_values,
)
from vertex_compat_integrations.langchain.errors import RefusedAnswerError
from vertex_compat_integrations.langchain.messages.encode import BLOCK_EXTRA_KEY, EXTRA_KEY, PROVIDER
from vertex_compat_integrations.langchain.messages.recalled import REASONING_KEY, own_content, recalled_metadata

OnBlocked: TypeAlias = Literal["warn", "error"]
CITATIONS_KEY = "citations"
"""The key in `response_metadata` for the answer's sources; content blocks have them as annotations of the text."""


def chat_result(replies: Sequence[Reply], *, on_blocked: OnBlocked = "warn") -> ChatResult:
    """Return one generation for each reply; the first has the token counts.

    Raises:
        RefusedAnswerError: A filter blocked a reply, and `on_blocked` is `"error"`.
    """
    generations = [
        ChatGeneration(message=decode_reply(reply, with_usage=number == 0), generation_info=_finish(reply.ending))
        for number, reply in enumerate(replies)
    ]
    blocks = [block_of(each.ending, each.refusal, text=each.text, thoughts=each.thoughts) for each in replies]
    settle_blocks(zip(blocks, (each.message for each in generations), strict=True), on_blocked)
    return ChatResult(generations=generations, llm_output={"model_name": replies[0].ending.model})


def settle_blocks(blocks: Iterable[tuple[core.RefusedAnswerError | None, BaseMessage]], on_blocked: OnBlocked) -> None:
    """Report the first blocked message with a warning, or with an error that contains the message.

    Raises:
        RefusedAnswerError: A message was blocked, and `on_blocked` is `"error"`.
    """
    block, message = next((pair for pair in blocks if pair[0]), (None, None))
    if block is None:
        return
    if on_blocked == "warn":
        warn_of(block)
        return
    error = RefusedAnswerError(*block.args)
    error.__dict__.update(block.__dict__)
    error.raw_message = message
    raise error


def _finish(ending: Ending) -> dict[str, Any]:
    return {"finish_reason": ending.finish_reason}


def decode_reply(reply: Reply, *, with_usage: bool = True) -> AIMessage:
    """Return the reply as a message."""
    calls, invalid = _decode_calls(reply.tool_calls)
    extras = {call.id: call.extra for call in reply.tool_calls if call.extra}
    kwargs = _additional_kwargs(reply.extra, extras, reply.refusal)
    if reply.thoughts:
        kwargs[REASONING_KEY] = reply.thoughts
    return AIMessage(
        content=_content(reply.text, reply.media),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        additional_kwargs=kwargs,
        response_metadata=_response_metadata(reply.ending, reply.dropped),
        usage_metadata=_usage_metadata(reply.ending.usage) if with_usage else None,
    )


def _content(text: str, media: Sequence[Media]) -> Any:
    if not media:
        return text
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    return [*blocks, *map(_media_block, media)]


def _media_block(medium: Media) -> dict[str, Any]:
    kind = medium.mime_type.partition("/")[0]
    block: dict[str, Any] = {"type": kind if kind in ("image", "audio", "video") else "file"}
    if medium.data is None:
        return block | {"url": medium.url}
    return block | {"base64": medium.data, "mime_type": medium.mime_type}


def _decode_calls(calls: Sequence[ToolCall]) -> tuple[list[LangChainToolCall], list[InvalidToolCall]]:
    valid: list[LangChainToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in calls:
        arguments, problem = _decode_arguments(call.arguments)
        if problem is None:
            valid.append(LangChainToolCall(name=call.name, args=arguments, id=call.id, type="tool_call"))
        else:
            invalid.append(
                InvalidToolCall(
                    type="invalid_tool_call", name=call.name, args=call.arguments, id=call.id, error=problem
                )
            )
    return valid, invalid


def _decode_arguments(arguments: str) -> tuple[dict[str, Any], str | None]:
    """Return the arguments of a call, and a reason if they are invalid.

    Strings may contain raw line breaks: the service sometimes sends them.
    """
    try:
        decoded = json.loads(arguments or "{}", strict=False)
    except ValueError as error:
        return {}, str(error)
    except RecursionError:
        return {}, "The arguments are nested too deeply."
    return (decoded, None) if isinstance(decoded, dict) else ({}, "The arguments are not a JSON object.")


def spoiling_end(arguments: str) -> str:
    """Return text to append to broken arguments of a streamed call, so that LangChain sees that they are broken.

    LangChain closes all open brackets at the end of a stream, and would execute an incomplete call as a whole one. It
    cannot repair a closing bracket without an opening one.
    """
    if _decode_arguments(arguments)[1] is None:
        return ""
    return next((end for end in _SPOILING_ENDS if not _is_repaired(arguments + end)), "")


_SPOILING_ENDS = ("", "]", "}", '"]', '"}', 'x"]', 'x"}')


def _is_repaired(arguments: str) -> bool:
    try:
        return parse_partial_json(arguments) is not None
    except (ValueError, RecursionError):
        return False


def _additional_kwargs(message_extra: Any, call_extras: Mapping[str, Any], refusal: str | None) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if message_extra:
        extras["message"] = message_extra
    if call_extras:
        extras["tool_calls"] = dict(call_extras)
    kwargs: dict[str, Any] = {EXTRA_KEY: extras} if extras else {}
    return kwargs | {"refusal": refusal} if refusal else kwargs


def _response_metadata(ending: Ending, dropped: Sequence[ToolCall]) -> dict[str, Any]:
    metadata = {
        "model_provider": PROVIDER,
        "model_name": ending.model,
        **dict(zip(METADATA_KEYS, metadata_values(ending), strict=True)),
        CITATIONS_KEY: [_citation(citation) for citation in ending.citations] or None,
        "emulator": ending.emulated or None,
        "dropped_tool_calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in dropped]
        or None,
    }
    return {name: value for name, value in metadata.items() if value is not None}


def _citation(citation: Citation) -> dict[str, Any]:
    """Return LangChain's citation of a part of the answer."""
    citation_block = {
        "url": citation.url,
        "title": citation.title,
        "start_index": citation.start,
        "end_index": citation.end,
        "cited_text": citation.text,
    }
    return {"type": "citation", **{name: value for name, value in citation_block.items() if value is not None}}


def _usage_metadata(usage: Usage | None) -> UsageMetadata | None:
    if usage is None:
        return None
    metadata = UsageMetadata(input_tokens=usage.input, output_tokens=usage.output, total_tokens=usage.total)
    input_details = InputTokenDetails()
    if usage.cached:
        input_details["cache_read"] = usage.cached
    if usage.input_audio:
        input_details["audio"] = usage.input_audio
    output_details = OutputTokenDetails()
    if usage.thought:
        output_details["reasoning"] = usage.thought
    if usage.output_audio:
        output_details["audio"] = usage.output_audio
    if input_details:
        metadata["input_token_details"] = input_details
    if output_details:
        metadata["output_token_details"] = output_details
    return metadata


class ChunkDecoder:
    """Converts deltas of one answer to chunks; stores the calls' ids, which only the first piece of a call has."""

    def __init__(self, *, with_usage: bool = True, on_blocked: OnBlocked = "warn") -> None:
        """Start an answer; `with_usage`: whether the last chunk has the token counts."""
        self._with_usage = with_usage
        self._on_blocked = on_blocked
        self._text: list[str] = []
        self._ids: dict[int, str] = {}
        self._arguments: defaultdict[int, list[str]] = defaultdict(list)
        self._media_count = 0

    def decode(self, delta: ReplyDelta) -> ChatGenerationChunk:
        """Return the delta as a chunk.

        Raises:
            RefusedAnswerError: The delta is the last of an answer that a filter blocked, and `on_blocked` is `"error"`.
        """
        if delta.recalled:
            self._text.clear()
        self._text.append(delta.text)
        if delta.ending is not None:
            return self._decode_last(delta, delta.ending)
        if not (delta.tool_calls or delta.thoughts or delta.media):
            return _text_chunk(delta.text)
        for call in delta.tool_calls:
            self._arguments[call.index].append(call.arguments)
        kwargs = _additional_kwargs(None, self._call_extras(delta.tool_calls), None)
        if delta.thoughts:
            kwargs[REASONING_KEY] = delta.thoughts
        message = AIMessageChunk(
            content=self._content(delta),
            tool_call_chunks=[
                tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=call.index)
                for call in delta.tool_calls
            ],
            additional_kwargs=kwargs,
            response_metadata=_STREAMED | recalled_metadata(delta.recalled),
        )
        return ChatGenerationChunk(message=message)

    def _content(self, delta: ReplyDelta) -> Any:
        """Return text and media, each with its own index: LangChain joins blocks with the same index."""
        content = _content(delta.text, delta.media)
        for block in content if delta.media else ():
            if block["type"] != "text":
                block["index"] = f"lc_md_{self._media_count}"
                self._media_count += 1
        return content

    def _decode_last(self, delta: ReplyDelta, ending: Ending) -> ChatGenerationChunk:
        kwargs = _additional_kwargs(delta.extra, {}, delta.refusal)
        if delta.thoughts:
            kwargs[REASONING_KEY] = delta.thoughts
        message = AIMessageChunk(
            content=delta.text,
            tool_call_chunks=[
                tool_call_chunk(args=end, index=index)
                for index, pieces in self._arguments.items()
                if (end := spoiling_end("".join(pieces)))
            ],
            additional_kwargs=kwargs,
            response_metadata=_response_metadata(ending, delta.dropped) | recalled_metadata(delta.recalled),
            usage_metadata=_usage_metadata(ending.usage) if self._with_usage else None,
            chunk_position="last",
        )
        block = block_of(ending, delta.refusal, text="".join(self._text))
        settle_blocks([(block, message)], self._on_blocked)
        return ChatGenerationChunk(message=message, generation_info=_finish(ending))

    def _call_extras(self, calls: Sequence[ToolCallDelta]) -> dict[str, Any]:
        for call in calls:
            if call.id is not None:
                self._ids[call.index] = call.id
        return {self._ids[call.index]: call.extra for call in calls if call.extra and call.index in self._ids}


_STREAMED = {"model_provider": PROVIDER}


def _text_chunk(text: str) -> ChatGenerationChunk:
    """Return a chunk that contains only this text, as nearly every piece of a stream does.

    Its parts already have the right types; the constructors' checks would call 25 more functions.
    """
    message = AIMessageChunk.model_construct(
        {"content", "response_metadata"},
        content=text,
        additional_kwargs={},
        response_metadata=dict(_STREAMED),
        type="AIMessageChunk",
        name=None,
        id=None,
        tool_calls=[],
        invalid_tool_calls=[],
        usage_metadata=None,
        tool_call_chunks=[],
        chunk_position=None,
    )
    return ChatGenerationChunk.model_construct(
        {"message", "text"}, text=message.text, generation_info=None, type="ChatGenerationChunk", message=message
    )


_CALL_BLOCKS = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call"})
"""Blocks that repeat the calls in `tool_calls`."""


def content_blocks(message: AIMessage) -> list[ContentBlock]:
    """Return a whole message as standard content blocks; `extras` also have the data that later requests send back."""
    extra = message.additional_kwargs.get(EXTRA_KEY) or {}
    call_extras = extra.get("tool_calls") or {}
    blocks = _answer_blocks(message, extra.get("message"), index=None)
    for call in message.tool_calls:
        block: dict[str, Any] = {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
        blocks.append(_with_extra(block, call_extras.get(call["id"])))
    return cast("list[ContentBlock]", blocks)


def content_block_chunks(message: AIMessageChunk) -> list[ContentBlock]:
    """Return a chunk as standard content blocks; LangChain merges blocks by their index, so each has its own."""
    extra = message.additional_kwargs.get(EXTRA_KEY) or {}
    if message.chunk_position == "last" and any(call.get("id") for call in message.tool_call_chunks):
        # Chunks that were added up to a whole message: its calls are complete.
        return content_blocks(message)
    call_extras = extra.get("tool_calls") or {}
    blocks = _answer_blocks(message, extra.get("message"), index="lc_{}")
    ids = list(call_extras)
    for call in message.tool_call_chunks:
        block = {"type": "tool_call_chunk", **{key: call.get(key) for key in ("id", "name", "args")}}
        block["index"] = f"lc_tc_{call.get('index')}"
        call_id = call.get("id") or (ids[0] if len(ids) == 1 else None)
        blocks.append(_with_extra(block, call_extras.get(call_id)))
    return cast("list[ContentBlock]", blocks)


def _answer_blocks(message: AIMessage, extra: Any, *, index: str | None) -> list[dict[str, Any]]:
    """Return thoughts, text, media and refusal; the first text gets the message's own extra and the citations."""
    blocks: list[dict[str, Any]] = []
    if thoughts := message.additional_kwargs.get(REASONING_KEY):
        blocks.append(_indexed({"type": "reasoning", "reasoning": thoughts}, index, "rs"))
    annotations = message.response_metadata.get(CITATIONS_KEY)
    is_first_text = True
    for number, block in enumerate(_content_list(own_content(message))):
        if block.get("type") in _CALL_BLOCKS:
            continue
        if block.get("type") != "text":
            blocks.append(_indexed(block, index, f"md_{number}"))
        elif is_first_text and (block.get("text") or extra or annotations):
            cited = block | ({"annotations": annotations} if annotations else {})
            blocks.append(_with_extra(_indexed(cited, index, "txt"), extra))
            is_first_text = False
        elif block.get("text"):
            blocks.append(_indexed(block, index, "txt"))
    return [*blocks, *_refusal_blocks(message, index)]


def _content_list(content: str | list[str | dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a message's content as blocks; LangChain may store text as a plain string, alone or in a list."""
    for block in [content] if isinstance(content, str) else content:
        yield {"type": "text", "text": block} if isinstance(block, str) else dict(block)


def _refusal_blocks(message: AIMessage, index: str | None) -> list[dict[str, Any]]:
    """Return a refusal of the model or a filter as LangChain's block (since langchain-core 1.7.5)."""
    if not (refusal := message.additional_kwargs.get("refusal")):
        return []
    block: dict[str, Any] = {"type": "refusal", "refusal": refusal}
    if detail := message.response_metadata.get("finish_detail"):
        block["extras"] = {"category": detail}
    return [_indexed(block, index, "rf")]


def _indexed(block: dict[str, Any], pattern: str | None, name: str) -> dict[str, Any]:
    return block if pattern is None else {"index": pattern.format(name)} | block


def _with_extra(block: dict[str, Any], extra: Any) -> dict[str, Any]:
    return block | {"extras": {BLOCK_EXTRA_KEY: extra}} if extra else block


register_translator(PROVIDER, content_blocks, content_block_chunks)
