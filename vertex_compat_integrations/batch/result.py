"""Encodes a line's answer or error in the form of OpenAI's batch output. Does no I/O."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.batch.line import Line
from vertex_compat_integrations.core.errors import VertexCompatError
from vertex_compat_integrations.core.reply.reply import Media, Reply, Usage
from vertex_compat_integrations.core.reply.tool_call import encode_call

BEGINNING = b'{"id":"batch_req_'
"""Beginning of every result; an incomplete line with another beginning is not ours."""


def encode_answer(line: Line, replies: Sequence[Reply]) -> wire.Json:
    """Return the result of a line that was answered."""
    ending = replies[0].ending
    response = {"status_code": 200, "request_id": ending.id or "", "body": encode_completion(replies, line)}
    return {"id": _id(line), "custom_id": line.custom_id, "response": response, "error": None}


def encode_failure(line: Line, error: VertexCompatError) -> wire.Json:
    """Return the result of a line that failed."""
    fields = {
        "code": error.status or type(error).__name__,
        "message": error.message,
        "type": type(error).__name__,
        "status_code": error.code,
        "reason": _reason(error),
        "hint": error.hint,
        "model": error.model or line.options.model,
        "location": error.location,
        "attempts": error.attempts,
        "details": error.details,
        "line": line.number,
    }
    return {"id": _id(line), "custom_id": line.custom_id, "response": None, "error": fields}


def encode_record(record: wire.Json) -> bytes:
    """Return the result as one line of the file."""
    try:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Models send lone surrogates when they cut an emoji; UTF-8 cannot encode them, but escaped JSON can.
        text = json.dumps(record, separators=(",", ":")).encode()
    return text + b"\n"


def encode_completion(replies: Sequence[Reply], line: Line) -> wire.Json:
    """Return the answers as a chat completion, with Google's additions where Google puts them."""
    ending = replies[0].ending
    completion: wire.Json = {
        "id": ending.id or "",
        "object": "chat.completion",
        "created": ending.created or 0,
        "model": ending.model or line.options.model,
        "choices": [_choice(reply, index) for index, reply in enumerate(replies)],
        "usage": _usage(ending.usage, ending.traffic_type) if ending.usage else None,
        "system_fingerprint": ending.fingerprint,
    }
    return completion


def _choice(reply: Reply, index: int) -> wire.Json:
    ending = reply.ending
    detail = f": {ending.finish_detail}" if ending.finish_detail else ""
    return {
        "index": index,
        "message": _message(reply),
        "finish_reason": f"{ending.finish_reason}{detail}" if ending.finish_reason else None,
        "logprobs": ending.logprobs,
    }


def _message(reply: Reply) -> wire.Json:
    google = {**(reply.extra or {}).get("google", {})}
    if reply.ending.grounding:
        google["grounding_metadata"] = reply.ending.grounding
    fields: dict[str, Any] = {
        "reasoning_content": reply.thoughts,
        "tool_calls": [encode_call(call) for call in reply.tool_calls],
        "refusal": reply.refusal,
        "images": [{"image_url": {"url": _url(medium)}} for medium in reply.media],
        "extra_content": {**(reply.extra or {}), **({"google": google} if google else {})},
    }
    return {"role": "assistant", "content": reply.text or None} | {key: value for key, value in fields.items() if value}


def _url(medium: Media) -> str:
    return medium.url or f"data:{medium.mime_type};base64,{medium.data}"


def _usage(usage: Usage, traffic_type: str | None) -> wire.Json:
    """Return the counts as OpenAI defines them: completion tokens include thoughts."""
    counts: wire.Json = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": usage.input_audio},
        "completion_tokens_details": {"reasoning_tokens": usage.thought, "audio_tokens": usage.output_audio},
    }
    if traffic_type:
        counts["extra_properties"] = {"google": {"traffic_type": traffic_type}}
    return counts


def _reason(error: VertexCompatError) -> str | None:
    """Return Google's own reason code, from `google.rpc.ErrorInfo`."""
    reasons = (detail.get("reason") for detail in error.details)
    return next((reason for reason in reasons if isinstance(reason, str)), None)


def _id(line: Line) -> str:
    """Return an id that is the same for a line in every run."""
    return f"batch_req_{hashlib.blake2b(line.custom_id.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()}"
