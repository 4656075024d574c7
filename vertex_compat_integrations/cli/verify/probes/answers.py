"""Probes of the form of answers: thoughts, tokens, streams, calls, media, errors."""

import json
from typing import Any

from vertex_compat_integrations.cli.verify.probes.probe import (
    GLOBAL,
    LONG,
    FactCheck,
    Probe,
    any_answer,
    ask,
    good_and,
    is_not_served,
    membership,
    nested,
    refused,
)
from vertex_compat_integrations.cli.verify.probes.requests import PUZZLE, WEATHER
from vertex_compat_integrations.cli.verify.service import Answer, Json, Place

_THINK = {"include_thoughts": True, "thinking_level": "high"}
_TWO_CITIES = "What is the weather in Paris and Oslo? Ask for both at once."
_NOTE = {
    "type": "function",
    "function": {
        "name": "write_note",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
}


def _no_reasoning_field(answer: Answer) -> bool:
    return not any("reasoning_content" in delta for delta in answer.deltas)


def _counts_add_up(answer: Answer) -> bool:
    usage = answer.usage
    return bool(usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + answer.thought_tokens)


def _usage_on_last_chunk(answer: Answer) -> bool:
    holders = [chunk for chunk in answer.chunks if chunk.get("usage")]
    return holders == answer.chunks[-1:] and bool(holders[0]["choices"])


def _pieces(answer: Answer) -> list[Json]:
    return [piece for delta in answer.deltas for piece in delta.get("tool_calls") or ()]


def _parallel_calls(answer: Answer) -> bool:
    pieces = _pieces(answer)
    identifiers = [piece.get("id") for piece in pieces]
    signed = ["thought_signature" in json.dumps(piece.get("extra_content") or {}) for piece in pieces]
    return len(set(identifiers)) == 2 and all(identifiers) and signed[0] and not any(signed[1:])


def _fragments_are_json(answer: Answer) -> bool:
    joined: dict[str, str] = {}
    for piece in _pieces(answer):
        joined[piece["id"]] = joined.get(piece["id"], "") + (piece["function"].get("arguments") or "")
    return bool(joined) and all(isinstance(json.loads(arguments), dict) for arguments in joined.values())


def _image_as_audio_or_refusal(answer: Answer) -> bool:
    if not answer.is_good:
        return answer.status in (400, 404) and "message" in answer.error
    audio = answer.message.get("audio") or {}
    return bool(audio["extra_content"]["google"]["mime_type"].startswith("image/") and audio["data"])


def _list_of_errors(answer: Answer) -> bool:
    return answer.status == 404 and isinstance(answer.json, list) and "message" in answer.json[0]["error"]


def _with_its_region(answer: Answer, present: Any) -> tuple[str, ...]:
    """Return the locations, with the region added if it answered after all."""
    return (*present, "us-central1") if answer.is_good and "us-central1" not in present else tuple(present)


PROBES = (
    Probe(
        "27_thoughts_without_marker",
        "How are thoughts streamed without a marker: marked in extra_content, or not at all?",
        "Google's page says untagged; clients also strip extra_content.google.thought",
        "in content, never in reasoning_content",
        good_and(_no_reasoning_field),
        ask(PUZZLE, stream=True, max_tokens=2 * LONG, **nested(thinking_config=_THINK)),
    ),
    Probe(
        "28_thoughts_with_marker",
        "Do the marker's tags also enclose the thoughts in a stream?",
        "documented for plain answers; NousResearch/hermes-agent#64035",
        "both tags are in the content",
        good_and(lambda answer: "<think>" in answer.content and "</think>" in answer.content),
        ask(
            PUZZLE,
            stream=True,
            max_tokens=2 * LONG,
            **nested(thinking_config=_THINK, thought_tag_marker="think"),
        ),
    ),
    Probe(
        "29_thought_tokens",
        "Are thought tokens counted in addition to completion_tokens?",
        "inferred from the numbers in Google's examples",
        "total = prompt + completion + reasoning",
        good_and(_counts_add_up),
        ask(PUZZLE, reasoning_effort="high", max_tokens=2 * LONG),
    ),
    Probe(
        "30_thinking_eats_the_answer",
        "What is the answer if thinking uses up max_tokens?",
        "ServiceNow/eva: no message, and completion_tokens may be missing",
        "the finish reason is length",
        good_and(lambda answer: answer.choice.get("finish_reason") == "length"),
        ask(PUZZLE, reasoning_effort="high", max_tokens=4),
    ),
    Probe(
        "31_usage_in_streams",
        "Where is the usage in a stream, and does include_usage change it?",
        "Google's example shows the last chunk; include_usage is not listed",
        "on the last chunk, which has choices",
        good_and(_usage_on_last_chunk),
        ask(stream=True, stream_options={"include_usage": True}),
    ),
    Probe(
        "32_parallel_calls_in_streams",
        "How are parallel calls streamed: index, ids, signature?",
        "no capture of Vertex AI's default is public",
        "two ids; the signature on the first call only",
        good_and(_parallel_calls),
        ask(_TWO_CITIES, stream=True, tools=[WEATHER], tool_choice="required", max_tokens=LONG),
    ),
    Probe(
        "33_streamed_arguments",
        "Are streamed arguments of several lines valid JSON, and which index do they have?",
        "one client measured raw newlines",
        "the fragments of each id join to an object",
        good_and(_fragments_are_json),
        ask(
            "Write a note with a poem of four lines, one line each.",
            stream=True,
            tools=[_NOTE],
            tool_choice="required",
            max_tokens=LONG,
            **nested(stream_function_call_arguments=True),
        ),
    ),
    Probe(
        "34_grounding",
        "Where are the citations in the answer to a grounded request?",
        "undocumented; one gateway has message.extra_content.google.grounding_metadata",
        "",
        any_answer,
        ask("Who won the last football world cup?", web_search_options={}),
    ),
    Probe(
        "35_grounding_in_streams",
        "Where are the citations in a stream?",
        "undocumented",
        "",
        any_answer,
        ask("Who won the last football world cup?", stream=True, web_search_options={}),
    ),
    Probe(
        "36_images",
        "Is an image model refused here, with which message? If not: is an image still returned as `audio`?",
        'its page says "Chat completions: Not supported", an example of Google\'s shows one',
        "an image as message.audio, or a refusal",
        _image_as_audio_or_refusal,
        ask("A red dot.", model="google/gemini-3.1-flash-image", modalities=["image"], max_tokens=1_300),
        GLOBAL,
        fact=membership("refuses", "chat", is_not_served, "google/gemini-3.1-flash-image"),
    ),
    Probe(
        "37_sound",
        "In which form is sound returned?",
        "documented as a modality, its shape is not",
        "",
        any_answer,
        ask("Say hello.", modalities=["audio"]),
    ),
    Probe(
        "38_errors",
        "Are errors lists, as in public reports?",
        "fixtures of several clients",
        "a list with one error",
        _list_of_errors,
        ask(model="google/gemini-0.1-nobody", max_tokens=16),
    ),
    Probe(
        "39_open_models_in_streams",
        "Where is an open model's usage in a stream?",
        "Google's example of one model",
        "on the last chunk, which has choices",
        good_and(_usage_on_last_chunk),
        ask(model="openai/gpt-oss-120b-maas", stream=True, max_tokens=64),
    ),
    Probe(
        "40_grok_elsewhere",
        "How does a model that is served only at global refuse a region?",
        "a captured body in a public repository; status 400, not 404",
        "FAILED_PRECONDITION that names the global endpoint",
        refused("via global endpoint"),
        ask(model="xai/grok-4.7", max_tokens=16),
        Place(location="us-central1"),
        fact=FactCheck("locations", _with_its_region, "xai/grok-4.7"),
    ),
)
