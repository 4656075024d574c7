"""Replies → LlamaIndex responses. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CitationBlock,
    CompletionResponse,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.llms.llm import ToolSelection
from pydantic_core import from_json, to_json

from vertex_compat_integrations.core.errors import EmptyReplyError, RefusedAnswerError
from vertex_compat_integrations.core.reply.blocked import block_of, warn_of
from vertex_compat_integrations.core.reply.reply import (
    METADATA_KEYS,
    Citation,
    Ending,
    Media,
    Reply,
    ReplyDelta,
    ToolCall,
    Usage,
    metadata_values,
)
from vertex_compat_integrations.core.reply.tool_call import unreadable_calls
from vertex_compat_integrations.llama_index.messages.encode import EXTRA_KEY, calls_of
from vertex_compat_integrations.llama_index.messages.other_integrations import CALLS_KEY

THINKING_DELTA_KEY = "thinking_delta"
"""The key in a response's `additional_kwargs` where agents look for a chunk's thoughts."""

_NOTHING_COUNTED = Usage(0, 0)


class ResponseDecoder:
    """Converts the replies to one request into LlamaIndex responses; no two responses share a block."""

    def __init__(self, *, keep_answer_signature: bool, on_blocked: Literal["warn", "error"] = "warn") -> None:
        """Use these settings."""
        self._keep_answer_signature = keep_answer_signature
        self._on_blocked = on_blocked

    def decode(self, reply: Reply) -> ChatResponse:
        """Return the whole reply as a response.

        Raises:
            RefusedAnswerError: A filter blocked the reply, and `on_blocked` is `"error"`.
        """
        block = block_of(reply.ending, reply.refusal, text=reply.text, thoughts=reply.thoughts)
        if block is not None:
            if self._on_blocked == "error":
                raise block
            warn_of(block)
        return ChatResponse(
            message=ChatMessage(
                role=MessageRole.ASSISTANT,
                blocks=[*self._said(reply, is_whole=True), *_thinking(reply)],
                additional_kwargs=self._message_kwargs(reply),
            ),
            raw=_raw(reply),
            logprobs=_log_probabilities(reply.ending.logprobs),
            additional_kwargs=_counters(reply.ending.usage) if reply.ending.usage else {},
        )

    def decode_piece(self, reply: Reply, delta: ReplyDelta) -> ChatResponse:
        """Return the reply received so far as a response, with the new text as its `delta`.

        Data that later requests must send back are only in the last response.
        """
        if delta.ending is not None:
            return self._decode_last(reply, delta)
        if reply.tool_calls or reply.media or not reply.text:
            blocks, kwargs = self._said(reply, is_whole=False), self._call_kwargs(reply.tool_calls)
        else:
            blocks, kwargs = [TextBlock(text=reply.text)], {}
        if reply.thoughts:
            blocks.append(ThinkingBlock(content=reply.thoughts))
        # Its parts are already validated; validating them again would take a sixth of a snapshot's time.
        message = ChatMessage.model_construct(role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=kwargs)
        return ChatResponse(
            message=message,
            delta=delta.text,
            raw={"usage": dict(_NOTHING_USED)},
            additional_kwargs={THINKING_DELTA_KEY: delta.thoughts} if delta.thoughts else {},
        )

    def _decode_last(self, reply: Reply, delta: ReplyDelta) -> ChatResponse:
        response = self.decode(reply)
        response.delta = delta.text
        if delta.thoughts:
            response.additional_kwargs[THINKING_DELTA_KEY] = delta.thoughts
        return response

    def _said(self, reply: Reply, *, is_whole: bool) -> list[ContentBlock]:
        """Return the blocks, with all text in the first: LlamaIndex joins several text blocks with line breaks.

        The reason for a refusal is not included as text: LlamaIndex's extractors would store it as a title, and its
        synthesizers would refine it like an answer.
        """
        blocks: list[ContentBlock] = []
        if reply.text or not (reply.tool_calls or reply.media):
            blocks.append(TextBlock(text=reply.text))
        blocks.extend(map(_media_block, reply.media))
        blocks.extend(map(_citation_block, reply.ending.citations))
        for call in reply.tool_calls:
            arguments = _arguments(call.arguments) if is_whole else call.arguments
            blocks.append(ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=arguments))
        return blocks

    def _message_kwargs(self, reply: Reply) -> dict[str, Any]:
        kwargs = self._call_kwargs(reply.tool_calls)
        if reply.extra and self._keep_answer_signature and not reply.tool_calls:
            kwargs[EXTRA_KEY] = {"message": _json(reply.extra)}
        if reply.refusal:
            kwargs["refusal"] = reply.refusal
        return kwargs

    def _call_kwargs(self, calls: Sequence[ToolCall]) -> dict[str, Any]:
        if not calls:
            return {}
        return {CALLS_KEY: [_plain_call(call) for call in calls]}


def _plain_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _arguments(text: str) -> dict[str, Any] | str:
    """Return a call's arguments as a mapping; unchanged if they are not a JSON object."""
    try:
        # Strings may contain raw line breaks: the service sometimes sends them.
        arguments = json.loads(text or "{}", strict=False)
    except (ValueError, RecursionError):
        return text
    return arguments if isinstance(arguments, dict) else text


def _thinking(reply: Reply) -> Iterator[ThinkingBlock]:
    """Yield a block with the thoughts, and with data that later requests must send back.

    Chat stores keep such a block, and memories do not count it.
    """
    stored: dict[str, Any] = {}
    if reply.extra:
        stored["message"] = _json(reply.extra)
    if extras := {call.id: _json(call.extra) for call in reply.tool_calls if call.extra}:
        stored["tool_calls"] = extras
    if reply.thoughts and reply.tool_calls:
        stored["model"] = reply.ending.model or ""
    if reply.thoughts or stored:
        yield ThinkingBlock(
            content=reply.thoughts or None,
            num_tokens=(reply.ending.usage.thought or None) if reply.ending.usage else None,
            additional_information={EXTRA_KEY: stored} if stored else {},
        )


def _json(value: Any) -> str:
    return to_json(value).decode()


def _citation_block(citation: Citation) -> CitationBlock:
    """Return a part of the answer, and its source; positions count characters of the answer's text."""
    place = {"start_index": citation.start, "end_index": citation.end}
    return CitationBlock(
        cited_content=TextBlock(text=citation.text or ""),
        source=citation.url or "",
        title=citation.title or "",
        additional_location_info={name: index for name, index in place.items() if index is not None},
    )


def _media_block(medium: Media) -> ContentBlock:
    data = medium.data.encode() if medium.data is not None else None
    kind, _, subtype = medium.mime_type.partition("/")
    match kind:
        case "image":
            mime_type = None if subtype == "*" else medium.mime_type
            return ImageBlock(image=data, url=medium.url, image_mimetype=mime_type)
        case "audio":
            return AudioBlock(audio=data, url=medium.url, format=subtype)
        case "video":
            return VideoBlock(video=data, url=medium.url, video_mimetype=medium.mime_type)
        case _:
            return DocumentBlock(data=data, url=medium.url, document_mimetype=medium.mime_type)


def _counters(usage: Usage) -> dict[str, int]:
    """Return token counts under the names that LlamaIndex's handlers read; thoughts are part of the completion."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
    }


def _usage(usage: Usage) -> dict[str, int]:
    return {**_counters(usage), "reasoning_tokens": usage.thought, "cached_tokens": usage.cached}


_NOTHING_USED = _usage(_NOTHING_COUNTED)


def _raw(reply: Reply) -> dict[str, Any]:
    """Return the completion's data other than its message: only plain JSON values."""
    ending = reply.ending
    counted = ending.usage or _NOTHING_COUNTED
    # Tracers look for these counts under OpenAI's names.
    parts = {
        "prompt_tokens_details": {"cached_tokens": counted.cached},
        "completion_tokens_details": {"reasoning_tokens": counted.thought},
    }
    usage = {**_usage(counted), **parts}
    return {"usage": usage, **{name: value for name, value in _told(reply, ending).items() if value is not None}}


def _told(reply: Reply, ending: Ending) -> dict[str, Any]:
    return {
        "model": ending.model,
        **dict(zip(METADATA_KEYS, metadata_values(ending), strict=True)),
        "refusal": reply.refusal,
        "emulator": ending.emulated or None,
        "dropped_tool_calls": [_plain_call(call) for call in reply.dropped] or None,
    }


def _log_probabilities(logprobs: Any) -> list[list[LogProb]] | None:
    """Return each token's likeliest alternatives in LlamaIndex's form; without alternatives, only the token."""
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not tokens:
        return None
    return [[_log_probability(one) for one in token.get("top_logprobs") or [token]] for token in tokens]


def _log_probability(token: Mapping[str, Any]) -> LogProb:
    return LogProb(token=token.get("token") or "", logprob=token.get("logprob") or 0.0, bytes=token.get("bytes") or [])


def completion_response(response: ChatResponse) -> CompletionResponse:
    """Convert the response to a completion response."""
    return CompletionResponse(
        text=response.message.content or "",
        additional_kwargs={**response.message.additional_kwargs, **response.additional_kwargs},
        raw=response.raw,
        logprobs=response.logprobs,
        delta=response.delta,
    )


def refused_answer(response: ChatResponse) -> RefusedAnswerError | None:
    """Return the error if the model or a filter refused the answer; None if the answer was not refused."""
    raw = response.raw if isinstance(response.raw, dict) else {}
    if not (refusal := raw.get("refusal")):
        return None
    error = RefusedAnswerError(refusal, partial_text=response.message.content or "")
    error.finish_reason, error.finish_detail = raw.get("finish_reason"), raw.get("finish_detail")
    counts = raw.get("usage") or {}
    names = {"input": "prompt_tokens", "output": "completion_tokens", "thought": "reasoning_tokens"}
    if any(counts.values()):
        error.usage = {**{name: counts[theirs] for name, theirs in names.items()}, "cached": counts["cached_tokens"]}
    return error


def broken_calls(response: ChatResponse) -> EmptyReplyError | None:
    """Return the error if a whole answer has a call whose arguments are not a JSON object; None otherwise.

    No tool may run with a part of its arguments.
    """
    raw = response.raw if isinstance(response.raw, dict) else {}
    calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    broken = [
        ToolCall(call.tool_call_id or "", call.tool_name, call.tool_kwargs)
        for call in calls
        if isinstance(call.tool_kwargs, str)
    ]
    # A piece of a stream has its token counts only.
    if not broken or raw.keys() <= {"usage"}:
        return None
    if raw.get("finish_reason") != "length":
        return unreadable_calls(broken, partial_text=response.message.content or "")
    error = EmptyReplyError(
        f"The call of {broken[-1].name} was cut by max_tokens.",
        hint="Raise max_tokens, or lower thinking=.",
        partial_text=response.message.content or "",
    )
    error.is_retryable, error.finish_reason = False, "length"
    return error


def tool_selections(response: ChatResponse) -> list[ToolSelection]:
    """Return the response's calls; for arguments that are still being streamed, the part received so far."""
    blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    if blocks:
        return [_selection(block.tool_call_id or "", block.tool_name, block.tool_kwargs) for block in blocks]
    return [
        _selection(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in calls_of(response.message)
    ]


def _selection(call_id: str, name: str, arguments: dict[str, Any] | str) -> ToolSelection:
    return ToolSelection(tool_id=call_id, tool_name=name, tool_kwargs=_partial_arguments(arguments))


def _partial_arguments(arguments: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(arguments, dict):
        return arguments
    try:
        partial = from_json(arguments or "{}", allow_partial="trailing-strings")
    except ValueError:
        return {}
    return partial if isinstance(partial, dict) else {}


def first_call_only(response: ChatResponse) -> ChatResponse:
    """Return the response with its first call only; unchanged if it has at most one call."""
    calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    if len(calls) <= 1:
        return response
    kwargs = dict(response.message.additional_kwargs)
    if CALLS_KEY in kwargs:
        kwargs[CALLS_KEY] = kwargs[CALLS_KEY][:1]
    others = calls[1:]
    blocks = [block for block in response.message.blocks if not any(block is other for other in others)]
    message = response.message.model_copy(update={"blocks": blocks, "additional_kwargs": kwargs})
    return response.model_copy(update={"message": message})
