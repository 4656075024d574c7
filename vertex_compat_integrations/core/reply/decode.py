"""One completion, in any of the endpoint's dialects, → `Reply`. Pure."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import EmptyReplyError, UnexpectedReplyError
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.reply.calls_in_text.finder import SentTools, separate_calls
from vertex_compat_integrations.core.reply.citations import decode_citations, decode_grounding, without_grounding
from vertex_compat_integrations.core.reply.reply import Ending, Media, Reply
from vertex_compat_integrations.core.reply.thought_tags import split_thoughts
from vertex_compat_integrations.core.reply.tool_call import decode_calls, refuse_unreadable
from vertex_compat_integrations.core.reply.usage import decode_usage

_FINISH_REASONS = {
    "function_call": "tool_calls",
    "max_tokens": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
}
"""Other servers' names for the four finish reasons of Chat Completions."""

_OF_A_MESSAGE = (
    *("role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls", "function_call"),
    *("audio", "images", "extra_content", "thought_signature"),
)
"""Fields that some servers put on the choice itself instead of on a message."""


MAX_CHOICES = 256
"""Answers to one request; OpenAI's API accepts `n` up to 128, the endpoint up to 8."""

_EMPTY_STOP_HINT = 'Retry, or rephrase the prompt; on_empty="return" accepts such a turn as an answer.'


def decode_replies(
    completion: object,
    *,
    marker: str | None = None,
    unopened: bool = False,
    lone_end: bool = False,
    one_call: bool = False,
    takes_empty: bool = True,
    checks_calls: bool = False,
    tools: SentTools | None = None,
) -> list[Reply]:
    """Return the answers of a completion, one for each choice.

    Args:
        completion: The decoded JSON.
        marker: The tag that wraps thoughts, if the request set one.
        unopened: Whether the text begins with thoughts without an opening tag.
        lone_end: Whether the text may begin in this way, but does not always do so.
        one_call: Whether to keep only the first tool call.
        takes_empty: Whether an empty answer is accepted.
        checks_calls: Whether calls that cannot be read are an error.
        tools: The tools whose calls are searched for in the text, if the server reported no calls.

    Raises:
        UnexpectedReplyError: The value is not a completion, or has more choices than can be requested.
        EmptyReplyError: The only answer holds nothing, or no readable call; or a call has no name.
    """
    if not isinstance(completion, Mapping) or not isinstance(completion.get("choices"), list):
        raise UnexpectedReplyError("The answer is JSON, but not a completion.")
    choices = mappings_in(completion["choices"]) or [{}]
    if len(choices) > MAX_CHOICES:
        raise UnexpectedReplyError(f"The answer has more than {MAX_CHOICES:,} choices (MAX_CHOICES).")
    decoder = partial(
        _decode_choice,
        marker=marker,
        unopened=unopened,
        lone_end=lone_end,
        one_call=one_call,
        tools=tools,
        checks_calls=checks_calls and len(choices) == 1,
    )
    replies = [decoder(completion, choice) for choice in choices]
    if len(replies) == 1:
        reply = replies[0]
        refuse_empty(reply.ending, empty=_is_empty(reply), partial_thoughts=reply.thoughts, takes_empty=takes_empty)
        if checks_calls and reply.ending.finish_reason != "length":
            refuse_unreadable(reply.tool_calls, partial_text=reply.text, partial_thoughts=reply.thoughts)
    return replies


def is_whole(finish: object, *, has_calls: bool) -> bool:
    """Return whether the model finished an answer in words."""
    return decode_finish(text_in(finish), has_calls=has_calls)[0] == "stop"


def message_in(choice: JsonObject) -> JsonObject:
    """Return the choice's message, or its piece of one; message fields on the choice itself are included.

    Google's page on image generation of 2025 has `role`, `content` and `image` on the choice, and no message; OpenAI's
    older completions have `text` there.
    """
    message = mapping_in(choice.get("delta") or choice.get("message"))
    beside = {name: choice[name] for name in _OF_A_MESSAGE if choice.get(name) and not message.get(name)}
    if "text" in choice and not (message or "content" in beside):
        beside["content"] = text_in(choice["text"])
    return {**message, **beside} if beside else message


def _decode_choice(
    completion: JsonObject,
    choice: JsonObject,
    *,
    marker: str | None,
    unopened: bool,
    lone_end: bool,
    one_call: bool,
    tools: SentTools | None,
    checks_calls: bool,
) -> Reply:
    message = message_in(choice)
    content, media = decode_content(message.get("content"))
    whole = is_whole(choice.get("finish_reason"), has_calls=bool(message.get("tool_calls")))
    reasoning = decode_reasoning(message)
    split = split_thoughts(content, marker, unopened=unopened, lone_end=lone_end and not reasoning, whole=whole)
    text, calls = split.text, decode_calls(message)
    if tools is not None and not calls:
        refuses = checks_calls and decode_finish(text_in(choice.get("finish_reason")), has_calls=False)[0] != "length"
        text, calls = separate_calls(split.text, reasoning + split.thoughts, tools, refuses=refuses)
    wanted = calls[:1] if one_call else calls
    grounding = decode_grounding(message) or decode_grounding(choice)
    ending = decode_ending(completion, choice, has_calls=bool(wanted), grounding=grounding, text=text)
    return Reply(
        text=text,
        thoughts=reasoning + split.thoughts,
        tool_calls=wanted,
        extra=message_extra(message),
        media=(*media, *decode_media(message, choice)),
        refusal=text_in(message.get("refusal")) or refusal_of(ending),
        ending=ending,
        dropped=calls[1:] if one_call else (),
    )


def _is_empty(reply: Reply) -> bool:
    return not (reply.text or reply.tool_calls or reply.media or reply.refusal)


def decode_content(content: object) -> tuple[str, tuple[Media, ...]]:
    """Return text and media of a `content`: a string, a list of parts, or nothing."""
    if isinstance(content, str):
        return content, ()
    parts = mappings_in(content)
    text = "".join(text_in(part.get("text")) for part in parts if part.get("type") in ("text", "output_text"))
    urls = [_url_in(part.get("image_url")) for part in parts if part.get("type") == "image_url"]
    return text, tuple(_media_at(url) for url in urls if url)


def _url_in(image: object) -> str:
    """Return the URL of an `image_url`, which is an object or the bare URL."""
    return text_in(image.get("url") if isinstance(image, Mapping) else image)


def decode_reasoning(message: JsonObject) -> str:
    """Return thoughts that are in a separate field, as open models send them."""
    return text_in(message.get("reasoning_content") or message.get("reasoning"))


def decode_media(message: JsonObject, choice: JsonObject) -> tuple[Media, ...]:
    """Return media next to the text: Google sends a generated image as `message.audio`, or as the choice's `image`."""
    media: list[Media] = []
    images = [choice.get("image"), *mappings_in(message.get("images"))]
    for value, usual in [(message.get("audio"), "audio/wav"), *((image, "image/png") for image in images)]:
        holder = mapping_in(value)
        if url := _url_in(holder.get("image_url")):
            media.append(_media_at(url))
        elif data := text_in(holder.get("data")):
            google = mapping_in(mapping_in(holder.get("extra_content")).get("google"))
            media.append(Media(text_in(google.get("mime_type") or holder.get("mime_type")) or usual, data=data))
    return tuple(media)


def _media_at(url: str) -> Media:
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:"):
        return Media(head.removeprefix("data:").partition(";")[0] or "image/png", data=data)
    return Media("image/*", url=url)


def message_extra(message: JsonObject) -> wire.ExtraContent | None:
    """Return the message's `extra_content`, which later requests send back, with an older dialect's bare signature.

    Grounding metadata are only about this answer; they are kept with its ending.
    """
    extra = {
        namespace: without_grounding(value) for namespace, value in mapping_in(message.get("extra_content")).items()
    }
    if signature := text_in(message.get("thought_signature")):
        extra["google"] = {"thought_signature": signature, **mapping_in(extra.get("google"))}
    return extra or None


def decode_ending(
    completion: Mapping[str, Any],
    choice: Mapping[str, Any],
    *,
    has_calls: bool,
    grounding: object = None,
    text: str = "",
) -> Ending:
    """Return the completion's finish reason, usage and names; `text` is the answer that grounding metadata refer to."""
    reason, detail = decode_finish(text_in(choice.get("finish_reason")), has_calls=has_calls)
    usage = mapping_in(completion.get("usage"))
    google = mapping_in(mapping_in(usage.get("extra_properties")).get("google"))
    metadata = grounding or decode_grounding(completion)
    if reason == "error":
        detail = detail or _failure_in(choice.get("error"))
    return Ending(
        finish_reason=reason,
        finish_detail=detail,
        usage=decode_usage(usage),
        traffic_type=text_in(google.get("traffic_type")) or None,
        # A name or a number of the wrong type is dropped: later readers would fail on it.
        id=text_in(completion.get("id")) or None,
        model=text_in(completion.get("model")) or None,
        created=created if type(created := completion.get("created")) is int else None,
        fingerprint=text_in(completion.get("system_fingerprint")) or None,
        logprobs=choice.get("logprobs"),
        grounding=metadata,
        citations=decode_citations(metadata, text) if metadata else (),
    )


def _failure_in(error: object) -> str | None:
    """The text of a gateway's finish reason `error`: OpenRouter has an object with a message on the choice."""
    return text_in(mapping_in(error).get("message")) or text_in(error) or None


def decode_finish(raw: str | None, *, has_calls: bool) -> tuple[str | None, str | None]:
    """Return finish reason and detail; a compound value is split, and calls turn a `stop` into `tool_calls`."""
    if not raw:
        return None, None
    head, _, tail = raw.partition(":")
    reason = _FINISH_REASONS.get(head.strip().lower(), head.strip().lower())
    if reason == "stop" and has_calls:
        reason = "tool_calls"
    return reason, tail.strip() or None


def refusal_of(ending: Ending) -> str | None:
    """Return why a filter blocked the answer; None if none did."""
    if ending.finish_reason != "content_filter":
        return None
    return f"The answer was blocked by a content filter ({ending.finish_detail or 'no reason given'})."


def refuse_empty(ending: Ending, *, empty: bool, partial_thoughts: str = "", takes_empty: bool = True) -> None:
    """Refuse an empty answer; with `takes_empty`, one is accepted if the model finished it.

    Gemini and vLLM send such answers, mostly after a tool's result (BerriAI/litellm#24442, vllm-project/vllm#41902).

    Raises:
        EmptyReplyError: The answer is empty; retryable if the same request can get another answer.
    """
    if not empty or ending.finish_reason == "content_filter" or (takes_empty and ending.finish_reason == "stop"):
        return
    error = _empty_reply(ending, partial_thoughts)
    error.finish_reason = ending.finish_reason
    raise error


def _empty_reply(ending: Ending, thoughts: str) -> EmptyReplyError:
    if ending.finish_reason == "length":
        error = EmptyReplyError(
            "max_tokens was used up before the answer began (thoughts also count).",
            hint="Raise max_tokens, or lower the thinking setting.",
            partial_thoughts=thoughts,
        )
        error.is_retryable = False
        return error
    if ending.finish_detail == "MALFORMED_FUNCTION_CALL":
        return EmptyReplyError(
            "The model wrote a tool call that the service could not read (MALFORMED_FUNCTION_CALL).",
            hint="Retry; if it lasts, simplify the tools' schemas or shorten long string arguments.",
            partial_thoughts=thoughts,
        )
    reason = ending.finish_detail or ending.finish_reason or "no finish reason"
    instead = "only thoughts, " if thoughts else ""
    return EmptyReplyError(
        f"The model returned {instead}neither text nor a tool call ({reason}).",
        hint=_EMPTY_STOP_HINT if ending.finish_reason == "stop" else None,
        partial_thoughts=thoughts,
    )
