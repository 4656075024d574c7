"""What each body of this folder is to become, in either framework: one row for each file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertex_compat_integrations.core import errors

FOLDER = Path(__file__).parent
KOBE, CORK = {"port": "Kobe"}, {"port": "Cork"}


@dataclass(frozen=True)
class Answer:
    """What an answer is to become.

    Attributes:
        text: The answer's text.
        thoughts: The thoughts, without line breaks at their end.
        calls: Name and arguments of each call.
        media: MIME type of each medium.
        counts: Input and output tokens, and of these the thoughts; zeros if the body has none.
        refusal: Words of the refusal; None if there is none.
        warns: Words of the one warning; None if there is none.
        signatures: How many signatures the next request is to bring back.
        at: Where in the file the body stands.
        model: The model that is asked, if the body names none that this package takes.
    """

    text: str = ""
    thoughts: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    media: tuple[str, ...] = ()
    counts: tuple[int, int, int] = (0, 0, 0)
    refusal: str | None = None
    warns: str | None = None
    signatures: int = 0
    at: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Failure:
    """What an error's body is to become: its class, its status, and words of its message."""

    kind: type[errors.VertexCompatError]
    code: int
    status: str | None
    words: str


ANSWERS: Mapping[str, Answer] = {
    "aistudio_content_filter_prohibited_no_message.json": Answer(
        refusal="PROHIBITED_CONTENT", warns="blocked by a content filter", model="google/gemini-3.6-flash"
    ),
    "aistudio_gemini25pro_tool_empty_id_turn1.json": Answer(
        calls=(("tide", {}),), counts=(31, 64, 55), signatures=1, at="response_body", model="google/gemini-2.5-pro"
    ),
    "aistudio_gemini25pro_tool_empty_id_turn2.json": Answer(
        "The tide is going out.", counts=(58, 32, 25), at="response_body", model="google/gemini-2.5-pro"
    ),
    "aistudio_stream_parallel_tools_one_frame_no_index_gemini25flashlite.sse": Answer(
        calls=(("harbour_depth", KOBE), ("harbour_depth", CORK)), model="google/gemini-2.5-flash-lite"
    ),
    "aistudio_stream_text_gemini25flashlite.sse": Answer("Red, green, blue.", model="google/gemini-2.5-flash-lite"),
    "aistudio_stream_thoughts_gemini25flash.sse": Answer(
        "God morgen! Hva kan jeg gjøre?",
        "**Hearing a greeting**\n\nSomeone says “godmorgen”.\n\n\n**Choosing words**\n\nA short answer will do.",
        model="google/gemini-2.5-flash",
    ),
    "maas_deepseek_r1_0528_inline_think.json": Answer(
        "Call it “Second Wind”.", "The user wants a name for a boat.", counts=(12, 40, 0)
    ),
    "maas_deepseek_v31_thinking_no_open_tag.json": Answer(
        "It is on the pier.", "They want the smallest lighthouse. I know of one.", counts=(17, 1525, 0)
    ),
    "maas_deepseek_v32_reasoning_content.json": Answer(
        "A knot is one nautical mile an hour.", "They ask for a unit of speed.", counts=(15, 33, 0)
    ),
    "maas_doc_gemma4_reasoning_content.json": Answer(
        "I am a model that answers questions of the sea.",
        "They ask who I am.\n    *   Name: a model.",
        counts=(19, 341, 0),
    ),
    "maas_doc_llama_guard_refusal_stream.sse": Answer(
        "Not that.",
        counts=(14, 131, 0),
        refusal="S1: Violent Crimes",
        model="meta/llama-4-scout-17b-16e-instruct-maas",
    ),
    "maas_function_calling_history_response.json": Answer("Kobe is deeper, by **6 metres**.", counts=(143, 12, 0)),
    "maas_stream_usage_on_last_chunk.sse": Answer("Ahoy", counts=(6, 21, 0), model="deepseek-ai/deepseek-v3.1-maas"),
    "vertex_doc_parallel_calls_first_signed.json": Answer(
        calls=(("harbour_depth", KOBE), ("harbour_depth", CORK)), counts=(60, 18, 0), signatures=1
    ),
    "vertex_image_generation_gemini25flashimage_response_olddoc.json": Answer(
        "Here is a lighthouse: ", media=("image/png",), counts=(7, 1299, 0)
    ),
    "vertex_image_generation_gemini3proimage_response.json": Answer(
        media=("image/png",), counts=(5, 1020, 120), signatures=1
    ),
    "vertex_multimodal_tool_result_response.json": Answer("This is the chart of the bay.", counts=(801, 9, 0)),
    "vertex_stream_function_call_arguments_response.sse": Answer(
        calls=(
            ("harbour_depth", {"port": "Kobe", "unit": "metres"}),
            ("harbour_depth", {"port": "Cork", "unit": "feet"}),
        ),
        counts=(27, 549, 504),
        signatures=1,
        model="google/gemini-3.1-pro-preview",
    ),
    "vertex_text_signature_gemini31pro.json": Answer(
        "Tides follow the moon, with some delay.", counts=(9, 1512, 946), signatures=1
    ),
}
COUNTS = "usage_vertex_vs_aistudio_vs_xai.json"
"""Three ways to count one answer's tokens; the output is 35 of them, 30 of which are thoughts."""

EXHAUSTED = "RESOURCE_EXHAUSTED"
FAILURES: Mapping[str, Failure] = {
    "aistudio_error_400_missing_thought_signature.json": Failure(
        errors.ThoughtSignatureError, 400, "INVALID_ARGUMENT", "default_api:open_gate"
    ),
    "aistudio_malformed_function_call_gemini38flash.json": Failure(
        errors.EmptyReplyError, 200, None, "MALFORMED_FUNCTION_CALL"
    ),
    "gemini_error_400_corrupted_signature.json": Failure(
        errors.ThoughtSignatureError, 400, "INVALID_ARGUMENT", "Corrupted thought signature"
    ),
    "gemini_error_400_penalty.json": Failure(
        errors.InvalidRequestError, 400, "INVALID_ARGUMENT", "Penalty is not enabled"
    ),
    "maas_error_400_max_images.json": Failure(errors.InvalidRequestError, 400, "INVALID_ARGUMENT", "maximum of 4"),
    "maas_error_429_request_queue_is_full.json": Failure(errors.RateLimitError, 429, EXHAUSTED, "queue is full"),
    "maas_stream_first_event_error_503.sse": Failure(errors.ServerError, 503, None, "request queue is full"),
    "vertex_error_429_provisioned_throughput.json": Failure(
        errors.RateLimitError, 429, EXHAUSTED, "Exceeded the Provisioned Throughput"
    ),
    "vertex_openapi_error_400_candidate_count.json": Failure(
        errors.InvalidRequestError, 400, "INVALID_ARGUMENT", "candidateCount must be 1"
    ),
    "vertex_openapi_error_429_resource_exhausted.json": Failure(
        errors.RateLimitError, 429, EXHAUSTED, "Resource exhausted"
    ),
}

REQUESTS = (
    "aistudio_doc_signature_history_parallel.json",
    "maas_function_calling_history_duplicate_ids_request.json",
    "vertex_image_generation_gemini3proimage_request.json",
    "vertex_multimodal_tool_result_request.json",
    "vertex_stream_function_call_arguments_request.json",
    "vertex_thinking_config_stream_request.json",
)
"""Requests, with which `tests/langchain/test_wire.py` compares what is sent."""


def read(name: str) -> Any:
    """The JSON of a file."""
    return json.loads((FOLDER / name).read_text())
