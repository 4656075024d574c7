"""A whole completion → OpenAI's form of it: shapes, names, ids, finish reasons and token counts. Pure.

Programs written for OpenAI rely on it: completion tokens include those of thoughts, and the sum is the total (Vertex AI
counts thoughts separately); a turn of calls ends with `tool_calls`; a call has an id and JSON text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import UnexpectedReplyError
from vertex_compat_integrations.core.json_values import JsonObject, mapping_in, mappings_in, one_or_more_in, text_in
from vertex_compat_integrations.core.reply.decode import decode_finish
from vertex_compat_integrations.core.reply.tool_call import (
    NO_ARGUMENTS,
    NO_FIELDS,
    UniqueIds,
    arguments_text,
    named_in,
)
from vertex_compat_integrations.core.reply.usage import decode_usage


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What a request requires of the form of its answer.

    Attributes:
        own_names: A function's name in the request → the program's own name.
        one_call: Whether only the first tool call is kept, since Gemini has no `parallel_tool_calls`.
        wants_usage: Whether a stream must end with a chunk of token counts.
        raw_usage: Whether the endpoint's token counts are kept unchanged.
    """

    own_names: Mapping[str, str] = field(default_factory=dict)
    one_call: bool = False
    wants_usage: bool = False
    raw_usage: bool = False


def fit_completion(value: object, form: AnswerForm) -> wire.Json:
    """Return the completion in OpenAI's form; the same object if it already has that form.

    Raises:
        UnexpectedReplyError: The value is not a completion.
    """
    if not isinstance(value, dict) or not isinstance(choices := value.get("choices"), list):
        raise UnexpectedReplyError("The answer is JSON, but not a completion: it has no list of choices.")
    fitted = {**value, "choices": [_fit_choice(choice, form) for choice in mappings_in(choices)]}
    if choices and not fitted["choices"]:
        raise UnexpectedReplyError("The answer's choices are not objects.")
    if not form.raw_usage and (usage := openai_usage(value.get("usage"))):
        fitted["usage"] = usage
    return value if fitted == value else fitted


def openai_usage(usage: object) -> wire.Json | None:
    """Return token counts in OpenAI's form, with all other fields; None if there are none."""
    counts = mapping_in(usage)
    decoded = decode_usage(counts)
    if decoded is None:
        return None
    total = decoded.input + decoded.output
    fitted = {
        **counts,
        "prompt_tokens": decoded.input,
        "completion_tokens": decoded.output,
        "total_tokens": total,
    }
    if decoded.thought:
        details = mapping_in(counts.get("completion_tokens_details"))
        fitted["completion_tokens_details"] = {**details, "reasoning_tokens": decoded.thought}
    return fitted


def openai_finish(reason: object, *, has_calls: bool) -> Any:
    """Return a finish reason in OpenAI's words; a value that is not text is unchanged."""
    return decode_finish(reason, has_calls=has_calls)[0] if isinstance(reason, str) and reason else reason


def _fit_choice(choice: JsonObject, form: AnswerForm) -> wire.Json:
    message = choice.get("message")
    fields = dict(message) if isinstance(message, dict) else {"role": "assistant", "content": None}
    calls = _fit_calls(fields.get("tool_calls"), form)
    if calls:
        fields["tool_calls"] = calls
    elif fields.get("tool_calls") is not None:
        del fields["tool_calls"]
    fitted = {**choice, "message": fields}
    if "finish_reason" in choice:
        fitted["finish_reason"] = openai_finish(choice["finish_reason"], has_calls=bool(calls))
    return fitted


def _fit_calls(calls: object, form: AnswerForm) -> list[wire.Json]:
    fitted: list[wire.Json] = []
    ids = UniqueIds()
    for call in one_or_more_in(calls):
        fitted.append(_fit_call(call, ids, form.own_names))
        if form.one_call:
            break
    return fitted


def _fit_call(call: JsonObject, ids: UniqueIds, own_names: Mapping[str, str]) -> wire.Json:
    function = mapping_in(call.get("function"))
    name, arguments = text_in(function.get("name")), arguments_text(function.get("arguments"))
    if not name:
        name, arguments = named_in(arguments) or (name, arguments)
    if arguments in ("", NO_ARGUMENTS):
        arguments = NO_FIELDS
    return {
        **call,
        "id": ids.take(text_in(call.get("id"))),
        "type": "function",
        "function": {**function, "name": own_names.get(name, name), "arguments": arguments},
    }
