"""Each rule of acceptance refuses its violation and accepts its neighbour."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.emulator_client import MODEL, asker, post
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.emulator.chat_request import ChatRequest, ModelResource
from vertex_compat_integrations.emulator.model_traits import find_traits
from vertex_compat_integrations.emulator.rules.first_refusal import RULES
from vertex_compat_integrations.wire import CHAT_PATH, SHARED_REQUEST_TYPE_HEADER, SKIP_SIGNATURE

USER = {"role": "user", "content": "Check the weather."}
SKIP = {"google": {"thought_signature": SKIP_SIGNATURE}}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def calls(*names: str, **more: Any) -> dict[str, Any]:
    made = [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in names]
    made[0]["extra_content"] = SKIP
    return {"role": "assistant", "tool_calls": made, **more}


def result(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "15C"}


def image(detail: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": PIXEL, "detail": detail}}


def tool(name: str = "f", **parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", **parameters}}}


def thinking(**config: Any) -> dict[str, Any]:
    return {"extra_body": {"google": {"thinking_config": config}}}


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


@dataclass(frozen=True)
class Case:
    """A body that breaks a rule, one beside it that does not, and words of the refusal."""

    rule: str
    violation: dict[str, Any]
    neighbour: dict[str, Any]
    words: str = "Request contains an invalid argument."
    code: int = 400
    places: tuple[str, str] = ("global", "global")
    status: str = field(default="")
    headers: dict[str, str] = field(default_factory=dict)


GEMINI_25 = {"model": "google/gemini-2.5-flash"}
GEMINI_31 = {"model": "google/gemini-3.1-flash-lite"}
CACHED = {"extra_body": {"google": {"cached_content": "projects/p/locations/l/cachedContents/1"}}}
PREVIEW = {"model": "google/gemini-3.1-pro-preview"}
GROK = {"model": "xai/grok-4.1-fast-reasoning"}
NEWEST = "google/gemini-9-ultra"
"""A model that no row names."""
LLAMA = {"model": "meta/llama-3.3-70b-instruct-maas"}
LLAMA_405B = {"model": "meta/llama-3.1-405b-instruct-maas"}
GPT_OSS = {"model": "openai/gpt-oss-120b-maas"}
NEWER = {"model": "google/gemini-3.8-flash"}
ARGON = {"model": "google/gemini-4-argon"}
GEMMA_4 = {"model": "google/gemma-4-26b-a4b-it-maas"}
IN_IOWA = ("us-central1", "us-central1")
NAMED = {"type": "function", "function": {"name": "f"}}

CASES = [
    Case("messages are objects", {"messages": "Hello"}, {"messages": [USER]}),
    Case("messages are objects", {"messages": ["Hello"]}, {"messages": [USER]}),
    Case("values of their kind", {"stop": 3}, {"stop": "x"}),
    Case("values of their kind", {"n": True}, {"n": None}),
    Case("the model is served in this location", PREVIEW, PREVIEW, "was not found or", 404, ("europe-west4", "global")),
    Case("the model is served in this location", LLAMA, LLAMA, "was not found or", 404, ("global", "us-central1")),
    Case(
        "the model is served in this location",
        GROK,
        GROK,
        "in region 'us-central1' is only available via global endpoint.",
        places=("us-central1", "global"),
        status="FAILED_PRECONDITION",
    ),
    *(
        Case(
            "the tier is offered in this location",
            {},
            {},
            places=(wrong, right),
            headers={SHARED_REQUEST_TYPE_HEADER: tier},
        )
        for tier, wrong, right in (("priority", "us-central1", "eu"), ("flex", "us", "global"))
    ),
    Case("one candidate", {"n": 2}, {"n": 1}, "candidateCount must be 1 but the entered value was 2."),
    Case(
        "no penalty where it is not enabled",
        {**NEWER, "frequency_penalty": 0.5},
        {**NEWER, "frequency_penalty": 0},
        "Penalty is not enabled for this model",
    ),
    Case(
        "no parameter that the model refuses",
        {"model": "google/nano-banana-2.1", "seed": 7},
        {"model": "google/nano-banana-2.1", "seed": None},
    ),
    Case(
        "max_tokens within the model's limit",
        {"max_tokens": 131072},
        {"max_tokens": 65536},
        "maxOutputTokens value of 131072 but the supported range is from 1 (inclusive) to 65537 (exclusive).",
    ),
    Case(
        "max_tokens within the model's limit",
        {"max_completion_tokens": 0},
        {"max_completion_tokens": 1},
        "maxOutputTokens",
    ),
    Case("temperature within its range", {"temperature": 2.5}, {"temperature": 2}, "temperature value of 2.5"),
    Case("temperature within its range", {"temperature": "warm"}, {"temperature": 0}),
    Case("top_p within its range", {"top_p": 1.5}, {"top_p": 1.0}, "topP value of 1.5"),
    Case(
        "a known reasoning effort",
        {"reasoning_effort": "none"},
        {"reasoning_effort": "max"},
        "one of: 'high', 'low', 'max', 'medium', 'minimal'; found 'none'.",
    ),
    Case(
        "an effort that the model family supports",
        {**GPT_OSS, "reasoning_effort": "minimal"},
        {**GPT_OSS, "reasoning_effort": "low"},
        "must be one of low, medium, high; found 'minimal'.",
    ),
    Case(
        "effort or thinking_config, not both",
        {"reasoning_effort": "low", **thinking(include_thoughts=True)},
        thinking(include_thoughts=True),
    ),
    Case(
        "thinking level or budget, not both",
        thinking(thinking_level="low", thinking_budget=100),
        thinking(thinking_level="low"),
        "thinking",
    ),
    Case(
        "thoughts only if thinking is on",
        thinking(include_thoughts=True, thinking_budget=0),
        thinking(thinking_budget=0),
        "Thinking_config.include_thoughts is only enabled when thinking is enabled.",
    ),
    Case(
        "a thinking level that the model has",
        {"model": "google/gemini-3.7-flash", "reasoning_effort": "minimal"},
        {"model": "google/gemini-3.6-flash", "reasoning_effort": "minimal"},
        "Thinking level is unsupported: THINKING_LEVEL_MINIMAL",
    ),
    Case("tools are functions", {"tools": [{"google_search": {}}]}, {"tools": [tool()]}),
    Case("function names valid and unique", {"tools": [tool("a b")]}, {"tools": [tool("a.b-c")]}, "function name"),
    Case("function names valid and unique", {"tools": [tool(), tool()]}, {"tools": [tool()]}, "Duplicate function"),
    Case(
        "tool_choice names a declared function",
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    Case(
        "tool_choice names a declared function",
        {"tools": [tool()], "tool_choice": "any"},
        {"tools": [tool()], "tool_choice": "validated"},
    ),
    *(
        Case(
            "a tool_choice that the model family supports",
            {**GPT_OSS, "tools": [tool()], "tool_choice": choice},
            {**GPT_OSS, "tools": [tool()], "tool_choice": "auto"},
            "is not supported.",
        )
        for choice in ("required", NAMED)
    ),
    Case(
        "a tool_choice that the model family supports",
        {**LLAMA_405B, "tools": [tool()], "tool_choice": "required"},
        {**LLAMA_405B, "tools": [tool()], "tool_choice": NAMED},
        "'required' is not supported.",
    ),
    *(
        Case(
            "user and assistant take turns",
            {**LLAMA, "messages": messages},
            {**LLAMA, "messages": [USER, {"role": "assistant", "content": "Hello"}, USER]},
            "must alternate",
            places=IN_IOWA,
        )
        for messages in ([USER, USER], [{"role": "assistant", "content": "Hello"}, USER])
    ),
    Case(
        "tools or a JSON format on older models",
        {**GEMINI_25, "tools": [tool()], "response_format": {"type": "json_object"}},
        {"tools": [tool()], "response_format": {"type": "json_object"}},
        "Function calling with a response mime type: 'application/json' is unsupported",
    ),
    Case(
        "known native tools",
        {"extra_body": {"google": {"tools": [{"read_minds": {}}]}}},
        {"extra_body": {"google": {"tools": [{"google_search": {}}, {"codeExecution": {}}]}}},
        'Unknown name "read_minds"',
    ),
    Case("known native tools", {"extra_body": {"google": {"tools": []}}}, {"extra_body": {"google": {}}}),
    Case(
        "known native tools",
        {"extra_body": {"google": {"tools": {"google_search": {}}}}},
        {"extra_body": {"google": {"tools": [{"google_search": {}}]}}},
    ),
    *(
        Case(
            "cached content without system, tools and tool_choice",
            {**CACHED, **more},
            CACHED,
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
            "tool_config.",
        )
        for more in (
            {"tools": [tool()]},
            {"tools": [tool()], "tool_choice": "auto"},
            {"tool_choice": "none"},
            {"messages": [{"role": "system", "content": "Be brief."}, USER]},
            {"extra_body": {"google": {**CACHED["extra_body"]["google"], "tools": [{"google_search": {}}]}}},
        )
    ),
    Case("cached content without system, tools and tool_choice", {**ARGON, **CACHED}, {**NEWER, **CACHED}),
    Case(
        "known roles",
        {"messages": [{"role": "developer", "content": "Be brief."}, USER]},
        {"messages": [{"role": "system", "content": "Be brief."}, USER]},
    ),
    Case(
        "known content parts",
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
        {"messages": [{"role": "user", "content": [image("high")]}]},
    ),
    Case("known content parts", {"messages": [{"role": "user", "content": 3}]}, {"messages": [USER]}),
    Case(
        "not only instructions",
        {"messages": [{"role": "system", "content": "Be brief."}]},
        {"messages": [{"role": "system", "content": "Be brief."}, USER]},
        "must include at least one parts field, which describes the prompt input.",
    ),
    Case(
        "no message without parts",
        {"messages": [USER, {"role": "assistant", "content": None}, USER]},
        {"messages": [USER, {"role": "assistant", "content": "Yes."}, USER]},
        "must include at least one parts field",
    ),
    Case(
        "no empty text",
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": " "}]},
        "Unable to submit request because it has an empty text parameter.",
    ),
    Case(
        "no empty text",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]},
        "empty text parameter",
    ),
    Case(
        "no empty text",
        {"messages": [USER, calls("a", content=""), result("a")]},
        {"messages": [USER, calls("a", content=None), result("a")]},
        "empty text parameter",
    ),
    Case(
        "no text next to tool calls",
        {"messages": [USER, calls("a", content="I look."), result("a")]},
        {**GEMINI_31, "messages": [USER, calls("a", content="I look."), result("a")]},
    ),
    Case(
        "no text next to tool calls",
        {"model": NEWEST, "messages": [USER, calls("a", content="I look."), result("a")]},
        {"model": NEWEST, "messages": [USER, calls("a"), result("a")]},
    ),
    Case(
        "calls follow a user turn or results",
        {"messages": [calls("a"), result("a"), USER]},
        {"messages": [USER, calls("a"), result("a"), USER]},
        "function call turn comes immediately after a user turn or after a function response turn.",
    ),
    Case(
        "calls follow a user turn or results",
        {"messages": [USER, {"role": "assistant", "content": "Yes."}, calls("a"), result("a")]},
        {"messages": [USER, calls("a"), result("a"), calls("b"), result("b")]},
        "function call turn",
    ),
    Case(
        "results follow calls",
        {"messages": [USER, result("a")]},
        {"messages": [USER, calls("a"), result("a")]},
        "function response turn comes immediately after a function call turn.",
    ),
    Case(
        "as many results as calls",
        {"messages": [USER, calls("a", "b"), result("a")]},
        {"messages": [USER, calls("a", "b"), result("a"), result("b")]},
        "number of function response parts is equal to the number of function call parts of the function call turn.",
    ),
    Case(
        "as many results as calls",
        {"messages": [USER, calls("a"), USER]},
        {"messages": [USER, calls("a"), result("a"), USER]},
        "number of function response parts",
    ),
    Case(
        "as many results as calls",
        {"messages": [USER, calls("a"), result("other")]},
        {"messages": [USER, calls("a"), result("a")]},
        "number of function response parts",
    ),
    Case(
        "results in the order of calls",
        {"messages": [USER, calls("a", "b"), result("b"), result("a")]},
        {"messages": [USER, calls("a"), result("a"), calls("b"), result("b")]},
    ),
    Case(
        "arguments are JSON objects",
        {"messages": [USER, {**calls("a"), "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "[1]"}, "extra_content": SKIP}
        ]}, result("a")]},
        {"messages": [USER, calls("a"), result("a")]},
    ),
    Case(
        "arguments are JSON objects",
        {"messages": [USER, {**calls("a"), "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a": NaN}'}, "extra_content": SKIP}
        ]}, result("a")]},
        {"messages": [USER, {**calls("a"), "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}, "extra_content": SKIP}
        ]}, result("a")]},
    ),
    Case(
        "the model's turn is not the last on Gemini",
        {"messages": [USER, {"role": "assistant", "content": "It is"}]},
        {**GEMMA_4, "messages": [USER, {"role": "assistant", "content": "It is"}]},
    ),
    Case(
        "no more images than the model accepts",
        {**GEMMA_4, "messages": [{"role": "user", "content": [image("auto")] * 5}]},
        {**GEMMA_4, "messages": [{"role": "user", "content": [image("auto")] * 4}]},
        "Expected a maximum of 4 images (inclusive); found 5",
    ),
    Case(
        "one image detail on older models",
        {**GEMINI_25, "messages": [{"role": "user", "content": [image("low"), image("high")]}]},
        {"messages": [{"role": "user", "content": [image("low"), image("high")]}]},
        "detail",
    ),
    Case(
        "tools' parameters in the schema subset",
        {"tools": [tool(properties={"a": {"type": "string", "const": "x"}})]},
        {"tools": [tool(properties={"a": {"type": "string", "enum": ["x"]}})]},
        "Unknown name \"const\" at 'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find",
    ),
    Case(
        "response schema in the schema subset",
        json_schema({"type": "object", "properties": {"a": {"type": "array"}}}),
        json_schema({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}),
        "properties[a].items: missing field",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared_emulator():
    with Emulator(models=[NEWEST]) as emulator:
        yield emulator


def identity(case: Case) -> str:
    return case.rule


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_violation_is_refused(ask, case):
    """In Google's words, and as a list."""
    reply = ask(location=case.places[0], headers=case.headers, **case.violation)
    assert reply.status == case.code, reply.raw
    assert reply.error["code"] == case.code
    assert case.words in reply.error["message"]
    assert reply.error["status"] == (case.status or {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}[case.code])
    assert reply.raw.startswith(b"[\n  {\n")


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_it_is_this_rule_that_refuses(case):
    """Not another one with the same words."""
    body = {"model": MODEL, "messages": [USER], **case.violation}
    traits = find_traits(body["model"], "openapi", [NEWEST])
    request = ChatRequest(body, ModelResource("v1", "p", case.places[0], "openapi"), traits, case.headers)
    refusing = next(rule.name for rule in RULES if traits.surface in rule.surfaces and rule.check(request))
    assert refusing == case.rule


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_its_neighbour_is_accepted(ask, case):
    reply = ask(location=case.places[1], headers=case.headers, **case.neighbour)
    assert reply.status == 200, reply.raw


def test_every_rule_has_a_case():
    assert {rule.name for rule in RULES} == {case.rule for case in CASES}


@pytest.mark.parametrize("model", ["google/no-such-model", "google/gemini-1.5-pro", "nobody/x", "qwen/qwen3"])
def test_a_model_that_nobody_serves_is_not_found(model):
    with Emulator(serve_retired=False) as emulator:
        reply = asker(emulator)(model=model)
    assert reply.status == 404
    publisher, _, name = model.partition("/")
    assert (
        f"Publisher Model `projects/demo/locations/global/publishers/{publisher}/models/{name}`"
        in (reply.error["message"])
    )


def test_a_model_without_publisher_is_malformed(ask):
    assert "Malformed publisher model" in ask(model="gemini-3.5-flash").error["message"]


def test_models_can_be_added():
    with Emulator(models=["google/my-tuned-model"]) as emulator:
        assert asker(emulator)(model="google/my-tuned-model").status == 200


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(emulator, raw):
    reply = post(emulator, raw)
    assert reply.status == 400
    assert "Expected a valid JSON object in the request" in reply.error["message"]


def test_unknown_parameters_are_ignored_and_noted(emulator, ask):
    assert ask(logprobs=True, user="me", strict=True).status == 200
    assert emulator.journal.last.ignored == ["logprobs", "strict", "user"]


@pytest.mark.parametrize(
    "model", ["deepseek-ai/deepseek-v3.2-maas", "qwen/qwen3-coder-480b-a35b-instruct-maas", "openai/gpt-oss-120b-maas"]
)
def test_open_models_take_what_gemini_refuses(ask, model):
    """No signatures, JSON Schema untouched, text beside calls, n above one."""
    unsigned = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [USER, {"role": "assistant", "content": "I look.", "tool_calls": [unsigned]}, result("a")]
    schema = {"$defs": {"A": {"const": 1}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}
    reply = ask(model=model, messages=history, tools=[tool(**schema)], n=2)
    assert reply.status == 200, reply.raw
    assert [choice["index"] for choice in reply.body["choices"]] == [0, 1]


def test_a_deployed_endpoint_refuses_in_the_shape_of_openai(ask):
    reply = ask(endpoint="1234567890", model="", messages="no list")
    assert reply.status == 400
    assert set(reply.body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("model", ["", "1234567890", "irrelevant", None])
def test_a_deployed_endpoint_takes_any_model(emulator, model):
    body = {"messages": [USER]} if model is None else {"messages": [USER], "model": model}
    path = emulator.base_url(endpoint="mg-endpoint-5f0c", version="v1beta1").removeprefix(emulator.url) + CHAT_PATH
    assert post(emulator, json.dumps(body).encode(), path=path).status == 200


def test_a_tuned_gemini_at_its_endpoint_keeps_geminis_rules(ask):
    reply = ask(endpoint="1234567890", model="google/gemini-3.5-flash", n=2)
    assert "candidateCount" in reply.error["message"]
