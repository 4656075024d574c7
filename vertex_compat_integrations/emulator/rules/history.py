"""Rules about the content and the order of messages.

Sources: public reports that quote the service (google-gemini/gemini-cli#26486, microsoft/vscode#299295,
NousResearch/hermes-agent#69231), Google's page "Thought signatures" for the order of calls and results, its release
notes of 2026-07-21 for the last message, and the page of Gemma 4 as an API for its images.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from vertex_compat_integrations.emulator.chat_request import (
    ChatRequest,
    function_of,
    mapping,
    media_type,
    objects,
    parts,
    texts,
    tool_calls,
)
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.emulator.rules.rule import SERVED, Rule
from vertex_compat_integrations.wire import Json

NO_PARTS = (
    "Unable to submit request because it must include at least one parts field, which describes the prompt input. "
    "Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini"
)
EMPTY_TEXT = (
    "Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again. "
    "Learn more: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini"
)
UNEQUAL = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
CALL_OUT_OF_TURN = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
)
RESULT_OUT_OF_TURN = "Please ensure that function response turn comes immediately after a function call turn."

_MODEL_ROLES = frozenset({"assistant", "model"})
_RESULT_ROLES = frozenset({"tool", "function"})


def _has_contents(request: ChatRequest) -> Refusal | None:
    return None if request.contents else Refusal(NO_PARTS)


def _no_message_without_parts(request: ChatRequest) -> Refusal | None:
    for message in request.messages:
        if message.get("role") in _RESULT_ROLES or tool_calls(message):
            continue
        if not parts(message) and not message.get("audio"):
            return Refusal(NO_PARTS)
    return None


def _no_empty_text(request: ChatRequest) -> Refusal | None:
    spoken = [message for message in request.messages if message.get("role") not in _RESULT_ROLES]
    return Refusal(EMPTY_TEXT) if any(not text for text in texts(spoken)) else None


def _no_text_beside_calls(request: ChatRequest) -> Refusal | None:
    if not request.traits.refuses_preamble:
        return None
    has_preamble = any(tool_calls(message) and any(texts([message])) for message in request.contents)
    return Refusal() if has_preamble else None


def _equal_counts(request: ChatRequest) -> Refusal | None:
    for call_message, results in _call_turns(request):
        calls = tool_calls(call_message)
        known_ids = {str(call.get("id") or "") for call in calls}
        if len(results) != len(calls):
            return Refusal(UNEQUAL)
        if any(str(result.get("tool_call_id") or "") not in known_ids for result in results if _has_id(result)):
            return Refusal(UNEQUAL)
    return None


def _results_follow_calls(request: ChatRequest) -> Refusal | None:
    before: Json = {}
    for message in request.contents:
        if message.get("role") in _RESULT_ROLES and not (tool_calls(before) or before.get("role") in _RESULT_ROLES):
            return Refusal(RESULT_OUT_OF_TURN)
        before = message
    return None


def _calls_follow_turns(request: ChatRequest) -> Refusal | None:
    may_precede = {"user"} | _RESULT_ROLES
    if request.contents and tool_calls(request.contents[0]):
        return Refusal(CALL_OUT_OF_TURN)
    for before, message in pairwise(request.contents):
        if tool_calls(message) and before.get("role") not in may_precede:
            return Refusal(CALL_OUT_OF_TURN)
    return None


def _arguments_are_objects(request: ChatRequest) -> Refusal | None:
    calls = (call for message in request.contents for call in tool_calls(message))
    return None if all(_is_object(function_of(call).get("arguments")) for call in calls) else Refusal()


def _results_in_call_order(request: ChatRequest) -> Refusal | None:
    for call_message, results in _call_turns(request):
        called = [str(call.get("id") or "") for call in tool_calls(call_message)]
        answered = [str(result.get("tool_call_id") or "") for result in results]
        if all(answered) and answered != called:
            return Refusal()
    return None


def _alternates(request: ChatRequest) -> Refusal | None:
    if not request.traits.takes_turns:
        return None
    first = request.contents[0] if request.contents else {}
    has_doubles = any(_speaks_twice(before, message) for before, message in pairwise(request.contents))
    if first.get("role") == "user" and not has_doubles:
        return None
    return Refusal("Conversation roles must alternate user/assistant/user/assistant/…, and the user must begin.")


def _speaks_twice(before: Json, message: Json) -> bool:
    is_same = before.get("role") == message.get("role") and message.get("role") in {"user", "assistant"}
    return is_same and not tool_calls(before) and not tool_calls(message)


def _user_speaks_last(request: ChatRequest) -> Refusal | None:
    # The message is not published.
    is_models = bool(request.contents) and request.contents[-1].get("role") in _MODEL_ROLES
    return Refusal() if is_models and request.traits.ends_with_user else None


def _one_detail(request: ChatRequest) -> Refusal | None:
    if request.traits.mixes_details:
        return None
    details = {str(mapping(image["image_url"]).get("detail", "auto")) for image in _images(request)}
    return Refusal("All images in the request must have the same `detail`.") if len(details) > 1 else None


def _few_images(request: ChatRequest) -> Refusal | None:
    most, count = request.traits.most_images, len(_images(request))
    if most is None or count <= most:
        return None
    return Refusal(f"Expected a maximum of {most} images (inclusive); found {count}")


def _images(request: ChatRequest) -> list[Json]:
    """Return the parts with an image; `image_url` may contain any medium."""
    shown = (part for message in request.messages for part in objects(message.get("content")))
    return [part for part in shown if (media_type(part) or "").startswith("image/") and part["type"] == "image_url"]


def _call_turns(request: ChatRequest) -> Iterator[tuple[Json, list[Json]]]:
    """Yield each message with calls, and the results that follow it directly."""
    for place, message in enumerate(request.contents):
        if not tool_calls(message):
            continue
        results: list[Json] = []
        for following in request.contents[place + 1 :]:
            if following.get("role") not in _RESULT_ROLES:
                break
            results.append(following)
        yield message, results


def _has_id(result: Json) -> bool:
    return bool(result.get("tool_call_id"))


def _is_object(arguments: Any) -> bool:
    try:
        return isinstance(json.loads(arguments, parse_constant=_refuse_constant), dict)
    except (TypeError, ValueError, RecursionError):
        return False


def _refuse_constant(name: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python reads although JSON has no such numbers."""
    raise ValueError(name)


HISTORY_RULES: tuple[Rule, ...] = (
    Rule("not only instructions", _has_contents),
    Rule("no message without parts", _no_message_without_parts),
    Rule("no empty text", _no_empty_text),
    Rule("no text next to tool calls", _no_text_beside_calls),
    Rule("calls follow a user turn or results", _calls_follow_turns),
    Rule("results follow calls", _results_follow_calls),
    Rule("as many results as calls", _equal_counts),
    Rule("results in the order of calls", _results_in_call_order),
    Rule("arguments are JSON objects", _arguments_are_objects),
    Rule("user and assistant take turns", _alternates, SERVED),
    Rule("the model's turn is not the last on Gemini", _user_speaks_last),
    Rule("one image detail on older models", _one_detail),
    Rule("no more images than the model accepts", _few_images, SERVED),
)
"""The rules in the order of checking."""
