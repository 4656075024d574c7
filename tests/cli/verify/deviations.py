"""For each probe, an answer that is not as it is assumed; and for each fact, the line that the answer changes."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from tests.support.chosen_answers import Chosen

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "extra_properties": {"google": {"traffic_type": "ON_DEMAND"}},
}


def completion(text: str = "Hello.", *, usage: dict[str, Any] | None = None, **choice: Any) -> Chosen:
    """A good answer."""
    message = {"role": "assistant", "content": text, **choice.pop("message", {})}
    whole = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message, **choice}
    usage = USAGE if usage is None else usage
    return 200, json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [whole], "usage": usage}
    )


def thoughtful(tokens: int) -> Chosen:
    """A good answer after so many tokens of thinking."""
    more = {"completion_tokens_details": {"reasoning_tokens": tokens}, "total_tokens": 15 + tokens}
    return completion(usage={**USAGE, **more})


def refusal(message: str = "Request contains an invalid argument.", status: int = 400) -> Chosen:
    """A refusal, in Google's list."""
    word = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}.get(status, "UNKNOWN")
    return status, json.dumps([{"error": {"code": status, "message": message, "status": word}}])


def stream(*deltas: dict[str, Any], trailing_usage: bool = False) -> Chosen:
    """A stream of these deltas; the usage is on the last one, or in a chunk of its own."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    if trailing_usage:
        chunks.append({**head, "choices": []})
    chunks[-1]["usage"] = USAGE
    return 200, "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def _call(identifier: str, arguments: str) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": arguments}
    return {"index": 0, "id": identifier, "type": "function", "function": function}


_SIGNED = {**_call("c1", '{"city": "Paris"}'), "extra_content": {"google": {"thought_signature": "s"}}}

DEVIATIONS: dict[str, Chosen | list[Chosen]] = {
    "01_extras_nested": completion(),
    "02_extras_at_the_top": completion(),
    "03_effort_none": completion(),
    "04_effort_max": refusal(),
    "05_level_minimal": completion(),
    "07_two_answers": completion(),
    "08_too_many_tokens": completion(),
    "09_unknown_parameters": refusal('Unknown name "store"'),
    "10_log_probabilities": completion(logprobs={"content": []}),
    "11_a_tool_by_name": completion(),
    "12_allowed_tools": completion(),
    "15_file_parts": completion(),
    "16_empty_text": completion(),
    "17_system_only": completion(),
    "18_multi_region": refusal("not found", 404),
    "19_wrong_region": completion(),
    "20_missing_signature": completion(),
    "21_skip_value": refusal("Corrupted thought signature."),
    "22_preamble": completion(),
    "23_empty_content_beside_calls": completion(),
    "24_arguments_no_object": completion(),
    "25_missing_result": completion(),
    "26_role_model": refusal(),
    "27_signature_of_another_location": [
        completion("", message={"tool_calls": [_SIGNED]}),
        refusal("Corrupted thought signature."),
    ],
    "27_signature_of_another_project": [
        completion("", message={"tool_calls": [_SIGNED]}),
        refusal("Corrupted thought signature."),
    ],
    "27_thoughts_without_marker": stream({"reasoning_content": "Hm."}, {"content": "0.05"}),
    "28_thoughts_with_marker": stream({"content": "Hm."}, {"content": "0.05"}),
    "29_thought_tokens": completion(usage={**USAGE, "completion_tokens_details": {"reasoning_tokens": 3}}),
    "30_thinking_eats_the_answer": completion(),
    "31_usage_in_streams": stream({"content": "Hello."}, trailing_usage=True),
    "32_parallel_calls_in_streams": stream({"tool_calls": [_call("", "{}")]}, {"tool_calls": [_call("", "{}")]}),
    "33_streamed_arguments": stream({"tool_calls": [_call("c", '{"text": "a\n')]}, {"tool_calls": [_call("c", 'b"}')]}),
    "36_images": completion(message={"images": [{"image_url": {"url": "data:image/png;base64,aaaa"}}]}),
    "38_errors": (404, json.dumps({"error": {"code": 404, "message": "not found", "status": "NOT_FOUND"}})),
    "39_open_models_in_streams": stream({"content": "Hello."}, trailing_usage=True),
    "40_grok_elsewhere": refusal("not found", 404),
    "41_penalty": completion(),
    "42_temperature": refusal(),
    "43_two_answers_of_flash": completion(),
    "44_last_turn_of_the_model": completion(),
    "45_budget_zero_of_flash": completion(),
    "46_budget_zero_of_pro": completion(),
    "47_budget_zero": thoughtful(40),
    "48_long_unstreamed_answer": completion(),
    "50_speech": completion(),
    "51_flex": completion(usage=USAGE),
    "52_priority": refusal("Flex and priority are not offered here."),
    "54_references_in_results": refusal("no such part"),
    "59_small_context_cache": (200, json.dumps({"name": "projects/p/locations/l/cachedContents/1"})),
    "60_context_cache": refusal("Cached content is too small."),
    "57_token_count": (200, json.dumps({"promptTokensDetails": []})),
    "64_link_to_a_bucket": refusal("Unsupported file uri"),
    "65_link_with_a_type": refusal("Unsupported file uri"),
}
"""Of the probes that assume something."""


@dataclass(frozen=True)
class Changed:
    """What the catalogue has of a fact, an answer that contradicts it, and the line to change."""

    present: dict[str, Any]
    answer: Chosen
    table: str
    line: str
    file: str = "gemini"

    def facts_of(self, model: str) -> Any:
        """A catalogue that has just this."""
        return SimpleNamespace(prefix=f"prefix of {model}", **self.present)


_BEYOND = "it has a maxOutputTokens value of 9 but the supported range is from 1 (inclusive) to {} (exclusive)."
_FLASH = "google/gemini-3.8-flash"

CHANGES: dict[str, Changed] = {
    "05_level_minimal": Changed(
        {"thinking_levels": ("low", "medium", "high")},
        completion(),
        _FLASH,
        'thinking_levels = {value = ["minimal", "low", "medium", "high"]',
    ),
    "08_too_many_tokens": Changed(
        {"output_tokens": 65_536},
        refusal(_BEYOND.format(32_769)),
        "prefix of google/gemini-3.1-flash-lite",
        "output_tokens = {value = 32_768",
        "prefix of google",
    ),
    "20_missing_signature": Changed(
        {"demands_signatures": True},
        completion(),
        "prefix of google/gemini-3.5-flash",
        "demands_signatures = {value = false",
        "prefix of google",
    ),
    "22_preamble": Changed(
        {"refuses_preamble": True}, completion(), "google/gemini-3.6-flash", "refuses_preamble = {value = false"
    ),
    "36_images": Changed(
        {"refuses": frozenset({"n"})},
        refusal("not found", 404),
        "google/gemini-3.1-flash-image",
        'refuses = {value = ["chat", "n"]',
    ),
    "40_grok_elsewhere": Changed(
        {"locations": ("global", "us")},
        completion(),
        "xai/grok-4.7",
        'locations = {value = ["global", "us", "us-central1"]',
        "xai",
    ),
    "41_penalty": Changed(
        {"ignores": frozenset({"user", "frequency_penalty"})}, completion(), _FLASH, 'ignores = {value = ["user"]'
    ),
    "42_temperature": Changed(
        {"ignores": frozenset({"user"})}, refusal(), _FLASH, 'ignores = {value = ["temperature", "user"]'
    ),
    "43_two_answers_of_flash": Changed({"refuses": frozenset({"n"})}, completion(), _FLASH, "refuses = {value = []"),
    "44_last_turn_of_the_model": Changed(
        {"refuses": frozenset({"n", "last_assistant_message"})}, completion(), _FLASH, 'refuses = {value = ["n"]'
    ),
    "45_budget_zero_of_flash": Changed({"thinking_off": False}, completion(), _FLASH, "thinking_off = {value = true"),
    "46_budget_zero_of_pro": Changed(
        {"thinking_off": False}, completion(), "google/gemini-3.1-pro", "thinking_off = {value = true"
    ),
    "47_budget_zero": Changed(
        {"thinking_off": True},
        thoughtful(40),
        "prefix of google/gemini-3.5-flash",
        "thinking_off = {value = false",
        "prefix of google",
    ),
    "48_long_unstreamed_answer": Changed(
        {"unstreamed_output_tokens": 32_768},
        completion(),
        "google/gemini-4-argon",
        'unstreamed_output_tokens = {value = "none"',
    ),
    "49_images_of_pro": Changed(
        {"refuses": frozenset()}, refusal("no chat", 400), "google/gemini-3-pro-image", 'refuses = {value = ["chat"]'
    ),
    "50_speech": Changed(
        {"refuses": frozenset({"chat"})}, completion(), "google/gemini-3.8-flash-tts", "refuses = {value = []"
    ),
}
"""Of the probes that are about a fact."""
