"""Token counts, in any of the endpoint's forms, → `Usage`. Pure."""

from vertex_compat_integrations.core.json_values import JsonObject, mapping_in
from vertex_compat_integrations.core.reply.reply import Usage

_MOST_TOKENS = 2**53
"""Larger than any answer: most programs cannot read larger numbers exactly."""


def decode_usage(usage: JsonObject) -> Usage | None:
    """Return token counts that add up, from any of the endpoint's forms; None if there are none.

    Gemini counts thoughts in addition to `completion_tokens`, open models as a part of them; the total shows which
    applies.
    """
    prompt, completion, total = (_count(usage, f"{name}_tokens") for name in ("prompt", "completion", "total"))
    if not (prompt or completion or total):
        return None
    prompt_details = mapping_in(usage.get("prompt_tokens_details"))
    completion_details = mapping_in(usage.get("completion_tokens_details"))
    reasoning = _count(completion_details, "reasoning_tokens") or _count(usage, "reasoning_tokens")
    beside = max(total - prompt - completion, 0)
    if not total and reasoning > completion:
        beside = reasoning
    output = completion + beside
    return Usage(
        input=prompt,
        output=output,
        thought=min(reasoning or beside, output),
        cached=_count(prompt_details, "cached_tokens"),
        input_audio=_count(prompt_details, "audio_tokens"),
        output_audio=_count(completion_details, "audio_tokens"),
    )


def _count(counts: JsonObject, name: str) -> int:
    """Return the count of that name; 0 if it is missing, invalid, or larger than any token count."""
    count = counts.get(name)
    return count if type(count) is int and 0 < count < _MOST_TOKENS else 0
