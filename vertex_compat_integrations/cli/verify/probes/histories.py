"""Probes of what a conversation's history may contain: calls, results, signatures."""

from typing import Any

from vertex_compat_integrations.cli.verify.probes.probe import (
    LONG,
    MODEL,
    Probe,
    ask,
    good,
    good_and,
    is_refused,
    is_so,
    refused,
)
from vertex_compat_integrations.cli.verify.probes.requests import WEATHER
from vertex_compat_integrations.cli.verify.service import Answer, Place

SKIP = "skip_thought_signature_validator"


def history(*, model: str = MODEL, call: dict[str, Any] | None = None, **assistant: Any) -> dict[str, Any]:
    """Return a request whose history ends with a tool call and its result."""
    tool_call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
        "extra_content": {"google": {"thought_signature": SKIP}},
        **(call or {}),
    }
    return {
        **ask(model=model),
        "tools": [WEATHER],
        "messages": [
            {"role": "user", "content": "The weather in Paris, please."},
            {"role": "assistant", "tool_calls": [tool_call], **assistant},
            {"role": "tool", "tool_call_id": "call_1", "content": "It rains."},
        ],
    }


def _without_signature() -> dict[str, Any]:
    body = history()
    del body["messages"][1]["tool_calls"][0]["extra_content"]
    return body


def _without_result() -> dict[str, Any]:
    body = history()
    calls = body["messages"][1]["tool_calls"]
    calls.append({**calls[0], "id": "call_2"})
    return body


def _answered_by(role: str) -> dict[str, Any]:
    return {
        **ask(),
        "messages": [
            {"role": "user", "content": "Say hello."},
            {"role": role, "content": "Hello."},
            {"role": "user", "content": "And goodbye."},
        ],
    }


_QUESTION = "The weather in Paris, please."


def _with_its_result(answer: Answer) -> dict[str, Any] | None:
    """Return the next turn after a signed call; None if no call is signed."""
    calls = answer.message.get("tool_calls") or []
    if not any("thought_signature" in str(call.get("extra_content")) for call in calls):
        return None
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "It rains."} for call in calls]
    body = ask(_QUESTION, tools=[WEATHER], max_tokens=LONG)
    body["messages"] += [{"role": "assistant", "tool_calls": calls}, *results]
    return body


def _says_something(answer: Answer) -> bool:
    """Whether the answer has text; an answer with calls, as to the first of two requests, has none."""
    return bool(answer.content)


PROBES = (
    Probe(
        "20_missing_signature",
        "Is a call without its signature refused on this endpoint, as on the native one?",
        "quoted in issues of dify and pydantic-ai",
        "refused, and the message contains thought_signature",
        refused("thought_signature"),
        _without_signature(),
        fact=is_so("demands_signatures", is_refused),
    ),
    Probe(
        "21_skip_value",
        "Is the documented skip value accepted on this endpoint?",
        "Google's page on signatures names it for the native one",
        "accepted; a tool message needs no name",
        good,
        history(),
    ),
    Probe(
        "22_preamble",
        "Is text next to tool calls refused by newer models?",
        "NousResearch/hermes-agent#69231 and discuss.ai.google.dev 175801, for 3.6 Flash and 3.5 Flash-Lite",
        "refused, so it is left out for them",
        refused(),
        history(model="google/gemini-3.6-flash", content="Let me look."),
        fact=is_so("refuses_preamble", is_refused, "google/gemini-3.6-flash"),
    ),
    Probe(
        "23_empty_content_beside_calls",
        'Is content "" next to tool calls refused?',
        "measured by one client",
        "refused, so it is left out",
        refused(),
        history(content=""),
    ),
    Probe(
        "24_arguments_no_object",
        "Are arguments that are not a JSON object refused?",
        "measured by one client",
        "refused",
        refused(),
        history(call={"function": {"name": "get_weather", "arguments": '["Paris"]'}}),
    ),
    Probe(
        "25_missing_result",
        "Is a call without its result refused?",
        "quoted in an issue of llumiverse",
        "refused",
        refused("function response parts"),
        _without_result(),
    ),
    Probe(
        "26_role_model",
        "Is the role model accepted in a history?",
        "Google's page for the Gemini API uses it; nothing on Vertex AI",
        "accepted",
        good,
        _answered_by("model"),
    ),
    Probe(
        "27_signature_of_another_location",
        "Is a thought signature from one location valid at another?",
        "not documented; with several locations a conversation may move",
        "valid",
        good_and(_says_something),
        ask(_QUESTION, tools=[WEATHER], tool_choice="required", max_tokens=LONG),
        Place("global"),
        then=_with_its_result,
        then_place=Place("us"),
    ),
    Probe(
        "27_signature_of_another_project",
        "Is a thought signature from one project valid in another?",
        "not documented; with several projects a conversation may move",
        "valid",
        good_and(_says_something),
        ask(_QUESTION, tools=[WEATHER], tool_choice="required", max_tokens=LONG),
        then=_with_its_result,
        then_place=Place(in_second_project=True),
    ),
)
