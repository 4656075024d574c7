"""Probes of what a request may contain: Google's extra fields, thinking, parameters, schemas, tools."""

import re
from typing import Any

from vertex_compat_integrations.cli.verify.probes.probe import (
    LONG,
    FactCheck,
    Probe,
    any_answer,
    ask,
    good,
    good_and,
    level,
    nested,
    refused,
)
from vertex_compat_integrations.cli.verify.service import Answer, Place

_CONTRADICTION = {"thinking_config": {"include_thoughts": True, "thinking_budget": 0}}
"""Refused if it is read, silently ignored if not: so the answer shows which one is the case."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PUZZLE = "A bat and a ball cost 1.10; the bat costs 1 more than the ball. What does the ball cost?"
_NAMED = {"type": "function", "function": {"name": "get_weather"}}
_ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [_NAMED]}}
REFERRING = {
    "type": "object",
    "properties": {"home": {"$ref": "#/$defs/City"}},
    "required": ["home"],
    "$defs": {"City": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}
_FILE = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,SGVsbG8="}}


def _names_the_weather(answer: Answer) -> bool:
    calls = answer.message.get("tool_calls") or []
    return [call["function"]["name"] for call in calls] == ["get_weather"]


def highest(answer: Answer) -> int | None:
    """Return the largest `max_tokens` that a refusal names; None if it names none."""
    match = re.search(r"to (\d+) \(exclusive\)", answer.text)
    return int(match.group(1)) - 1 if answer.status == 400 and match else None


def _limit(fact: str) -> FactCheck:
    def read(answer: Answer, present: Any) -> Any:
        return highest(answer) or present

    return FactCheck(fact, read)


def _user(*parts: Any) -> dict[str, Any]:
    return {**ask(), "messages": [{"role": "user", "content": list(parts)}]}


PROBES = (
    Probe(
        "01_extras_nested",
        "Is `extra_body.google` inside the REST body read?",
        "Google's examples show it; one client reports that a thinking_config there is silently ignored",
        "read: the contradiction in it is refused",
        refused("include_thoughts"),
        ask(**nested(**_CONTRADICTION)),
    ),
    Probe(
        "02_extras_at_the_top",
        "Is a top-level `google` read, too?",
        "measured by ServiceNow/eva and others; not on Google's page",
        "read: the contradiction in it is refused",
        refused("include_thoughts"),
        ask(google=_CONTRADICTION),
    ),
    Probe(
        "03_effort_none",
        "Is reasoning_effort='none' accepted?",
        "a public report quotes the refusal; Google's notebook maps it to a budget of 0",
        "refused, so `none` is sent as a budget of 0",
        refused("reasoning_effort"),
        ask(reasoning_effort="none"),
    ),
    Probe(
        "04_effort_max",
        "Is reasoning_effort='max' accepted?",
        "a public report quotes a validator that lists it",
        "accepted",
        good,
        ask(reasoning_effort="max"),
    ),
    Probe(
        "05_level_minimal",
        "Do the newer Flash models refuse the level minimal?",
        "a public report quotes the refusal for 3.7 and 3.8 Flash",
        "refused",
        refused("THINKING_LEVEL_MINIMAL"),
        ask(model="google/gemini-3.8-flash", **nested(thinking_config={"thinking_level": "minimal"})),
        fact=level("minimal", "google/gemini-3.8-flash"),
    ),
    Probe(
        "07_two_answers",
        "Is n=2 refused, and with which message?",
        "the message is quoted in an issue of llama-stack",
        "refused with candidateCount",
        refused("candidateCount"),
        ask(n=2),
    ),
    Probe(
        "08_too_many_tokens",
        "How is a max_tokens beyond the model's limit refused?",
        "the message is quoted in public reports",
        "refused with the range",
        refused("supported range"),
        ask(model="google/gemini-3.1-flash-lite", max_tokens=1_000_000),
        fact=_limit("output_tokens"),
    ),
    Probe(
        "09_unknown_parameters",
        'Are unlisted OpenAI parameters ignored ("it is ignored" is documented, but these are not named)?',
        "inferred, because the page omits them",
        "ignored",
        good,
        ask(parallel_tool_calls=False, store=True, user="u", service_tier="auto", top_k=3, metadata={"a": "b"}),
    ),
    Probe(
        "10_log_probabilities",
        "Are log probabilities ever returned?",
        "never seen",
        "null",
        good_and(lambda answer: answer.choice.get("logprobs") is None),
        ask(logprobs=True, top_logprobs=2),
    ),
    Probe(
        "11_a_tool_by_name",
        "Can tool_choice name a function, as with OpenAI?",
        "measured by one client on 3.5 Flash",
        "the named function is called",
        good_and(_names_the_weather),
        ask("The weather in Paris, please.", tools=[WEATHER], tool_choice=_NAMED, max_tokens=LONG),
    ),
    Probe(
        "12_allowed_tools",
        "Is OpenAI's allowed_tools accepted?",
        "no evidence",
        "refused, so only the allowed tools are sent",
        refused(),
        ask("The weather in Paris, please.", tools=[WEATHER], tool_choice=_ALLOWED),
    ),
    Probe(
        "13_schema_with_references",
        "Is a schema with $defs accepted for the answer?",
        "one client measured that it is; reports on the native API say no",
        "",
        any_answer,
        ask(
            "A person lives in Paris.",
            response_format={"type": "json_schema", "json_schema": {"name": "Person", "schema": REFERRING}},
        ),
    ),
    Probe(
        "14_developer",
        "Is the role developer known?",
        "not listed by Google; clients avoid it",
        "",
        any_answer,
        {**ask(), "messages": [{"role": "developer", "content": "Be brief."}, *ask()["messages"]]},
    ),
    Probe(
        "15_file_parts",
        "Is OpenAI's part of type file accepted?",
        "not documented",
        "refused, so files are sent as data URIs",
        refused(),
        _user(_FILE),
    ),
    Probe(
        "16_empty_text",
        "Is an empty text part refused?",
        "quoted in public reports",
        "refused",
        refused("empty text"),
        _user({"type": "text", "text": ""}),
    ),
    Probe(
        "17_system_only",
        "Is a request without a user message refused?",
        "quoted in public reports",
        "refused",
        refused("parts field"),
        {**ask(), "messages": [{"role": "system", "content": "Be brief."}]},
    ),
    Probe(
        "18_multi_region",
        "Is `aiplatform.eu.rep.googleapis.com` the host of location eu?",
        "two open-source gateways use it",
        "it answers",
        good,
        ask(),
        Place(location="eu"),
    ),
    Probe(
        "19_wrong_region",
        "What is the answer in a location that does not serve the model?",
        "quoted in public reports",
        "404 that names the publisher model",
        refused("Publisher Model", 404),
        ask(model="google/gemini-3-flash-preview"),
        Place(location="us-central1"),
    ),
)
