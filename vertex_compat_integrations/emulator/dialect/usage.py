"""Token counts of the emulator's answers, in the form of each front end.

Source: the usage objects on Google's pages (OpenAI compatibility, Thinking of open models) and public gateway tests.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest
from vertex_compat_integrations.emulator.dialect.media_tokens import media_tokens
from vertex_compat_integrations.emulator.dialect.prompt_items import chat_items
from vertex_compat_integrations.emulator.scripting.answer import Draft
from vertex_compat_integrations.wire import Json

_CACHED_TOKENS = 2048
_EFFORT_TOKENS = {"minimal": 8, "low": 16, "medium": 64, "high": 256, "max": 512}
_DEFAULT_THOUGHT_TOKENS = 32
_MEDIUM_TOKENS = {"image": 1120, "audio": 25}
"""Tokens of a 1K image, and of one second of sound."""
_TRAFFIC_OF_TIER = {"priority": "ON_DEMAND_PRIORITY", "flex": "ON_DEMAND_FLEX"}


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens of a prompt, of its answer, and of the thoughts (not part of the answer)."""

    prompt: int
    answer: int
    thought: int = 0


def count_tokens(text: str) -> int:
    """Estimate the tokens of a text: one per four characters, at least one."""
    return max(1, (len(text) + 3) // 4)


def build_usage(draft: Draft, request: ChatRequest) -> Json:
    """Return the usage object for a draft."""
    prompt = prompt_tokens(request)
    spoken = (draft.text or "") + "".join(call.name + call.arguments for call in draft.calls)
    answer = _MEDIUM_TOKENS[draft.medium] if draft.medium else count_tokens(spoken)
    return shape_usage(Counts(prompt, answer, thought_tokens(draft, request)), request)


def prompt_tokens(request: ChatRequest) -> int:
    """Return the tokens of messages and tools; of Gemini as `countTokens` counts them, with the media of its card."""
    messages, media = request.body.get("messages"), request.traits.media
    if media is not None:
        return count_items(chat_items(request)) + media_tokens(request.messages, media)
    return count_tokens(json.dumps([messages, request.body.get("tools")], ensure_ascii=False))


def count_items(items: Sequence[Any]) -> int:
    """Return the tokens of a prompt's items, see `prompt_items`."""
    return count_tokens(json.dumps(items, ensure_ascii=False, sort_keys=True)) if items else 0


def shape_usage(counts: Counts, request: ChatRequest) -> Json:
    """Return the usage object for the counts, in the form of the front end."""
    prompt, answer, thought = counts.prompt, counts.answer, counts.thought
    match request.traits.surface:
        case "gemini":
            return _gemini_usage(prompt, answer, thought, request)
        case "maas":
            return _maas_usage(prompt, answer, thought)
        case "xai":
            return _xai_usage(prompt, answer, thought)
        case "deployed":
            return {"completion_tokens": answer, "prompt_tokens": prompt, "total_tokens": prompt + answer}


def thought_tokens(draft: Draft, request: ChatRequest) -> int:
    """Return the tokens used for thinking."""
    if draft.thoughts:
        return count_tokens(draft.thoughts)
    if request.traits.surface != "gemini":
        return _DEFAULT_THOUGHT_TOKENS if request.traits.surface == "xai" else 0
    effort = request.body.get("reasoning_effort") or request.thinking.get("thinking_level")
    budget = request.thinking.get("thinking_budget")
    if budget == 0 and request.traits.stops_thinking:
        return 0
    if effort is not None:
        return _EFFORT_TOKENS.get(str(effort).lower(), _DEFAULT_THOUGHT_TOKENS)
    return _DEFAULT_THOUGHT_TOKENS if request.traits.thinks or budget is not None else 0


def _gemini_usage(prompt: int, answer: int, thought: int, request: ChatRequest) -> Json:
    # Thoughts are not part of the completion tokens; the total includes all three.
    stored = _CACHED_TOKENS if request.cached_tokens is None else request.cached_tokens
    cached = stored if request.google.get("cached_content") else 0
    traffic = "PROVISIONED_THROUGHPUT" if request.is_dedicated else _TRAFFIC_OF_TIER.get(request.tier, "ON_DEMAND")
    usage: Json = {"completion_tokens": answer}
    if thought:
        usage["completion_tokens_details"] = {"reasoning_tokens": thought}
    usage["extra_properties"] = {"google": {"traffic_type": traffic}}
    usage["prompt_tokens"] = prompt + cached
    if cached:
        usage["prompt_tokens_details"] = {"cached_tokens": cached}
    usage["total_tokens"] = prompt + cached + answer + thought
    return usage


def _maas_usage(prompt: int, answer: int, thought: int) -> Json:
    # Thoughts are part of the completion tokens.
    return {
        "completion_tokens": answer + thought,
        "extra_properties": {"google": {"traffic_type": "ON_DEMAND"}},
        "prompt_tokens": prompt,
        "prompt_tokens_details": None,
        "reasoning_tokens": thought,
        "total_tokens": prompt + answer + thought,
    }


def _xai_usage(prompt: int, answer: int, thought: int) -> Json:
    return {
        "completion_tokens": answer,
        "completion_tokens_details": {"reasoning_tokens": thought},
        "cost_in_usd_ticks": 100 * (prompt + answer + thought),
        "num_sources_used": 0,
        "prompt_tokens": prompt,
        "total_tokens": prompt + answer + thought,
    }
