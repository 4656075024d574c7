"""Requests in the shapes that ready-made OpenAI clients send, and what becomes of each.

The shapes are written after the clients' own sources: instructor, agno, semantic-kernel, CrewAI, openai-agents,
pydantic-ai, DSPy, the Vercel AI SDK and langchain.js; the comment of a row names who sends it.
"""

from dataclasses import dataclass
from typing import Any

from tests.support.endpoint_bodies import assistant_calls, result

GEMINI = "google/gemini-3.5-flash"
OPEN = "deepseek-ai/deepseek-v3.2-maas"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
PDF = "JVBERi0xLjQKMSAwIG9iago8PD4+CmVuZG9iagp0cmFpbGVyCjw8Pj4KJSVFT0Y="
USER = {"role": "user", "content": "What is the weather in Paris?"}
CALLED = assistant_calls(("a", "get_weather"))
RESULT = result("a", "21 C")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NESTED = {
    "$defs": {"Home": {"type": "object", "properties": {"street": {"type": "string", "title": "Street"}}}},
    "type": "object",
    "title": "Person",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "home": {"anyOf": [{"$ref": "#/$defs/Home"}, {"type": "null"}], "default": None},
        "kind": {"const": "person"},
    },
    "required": ["name", "home", "kind"],
}


def tool(name: str = "get_weather", parameters: Any = CITY, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}


def shown(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, *parts]}]


@dataclass(frozen=True)
class Row:
    """A situation and its outcome.

    Attributes:
        situation: What is sent, and by whom.
        fields: The request but for model and, mostly, messages.
        model: Who is asked.
        refused: What the refusal says; None if the request is answered.
        sent: Fields of the body that goes out.
        absent: Fields that do not go out.
        warned: Words of the warning; None if there is none.
    """

    situation: str
    fields: dict[str, Any]
    model: str = GEMINI
    refused: str | None = None
    sent: dict[str, Any] | None = None
    absent: tuple[str, ...] = ()
    warned: str | None = None


def schema_format(**more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "Person", "schema": NESTED, **more}}


ROWS = (
    Row(
        "strict json_schema with $defs (openai-agents, the SDK's parse)",
        {"response_format": schema_format(strict=True)},
    ),
    Row(
        "json_schema under an odd name (pydantic generics)", {"response_format": schema_format(name="Reply[List[int]]")}
    ),
    Row("json_schema without a schema", {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}),
    Row("json_object (DSPy's JSONAdapter, CrewAI)", {"response_format": {"type": "json_object"}}),
    Row(
        "text as format (Vercel AI SDK)",
        {"response_format": {"type": "text"}},
        sent={"response_format": {"type": "text"}},
    ),
    Row("format null (semantic-kernel)", {"response_format": None}, absent=("response_format",)),
    Row(
        "developer role (openai-agents, Vercel AI SDK)",
        {"messages": [{"role": "developer", "content": "Be short."}, USER]},
    ),
    Row(
        "system message as parts (langchain.js)",
        {"messages": [{"role": "system", "content": [{"type": "text", "text": "Be short."}]}, USER]},
    ),
    Row(
        "several system messages (agno, CrewAI)",
        {"messages": [{"role": "system", "content": "A."}, {"role": "system", "content": "B."}, USER]},
    ),
    Row("a user's name (agno, autogen)", {"messages": [{**USER, "name": "ada"}]}),
    Row(
        "tool schema with $defs (instructor)",
        {"tools": [tool("Person", NESTED)], "tool_choice": {"type": "function", "function": {"name": "Person"}}},
    ),
    Row("strict tool (openai-agents)", {"tools": [tool(strict=True)]}, sent={"tool_choice": "validated"}),
    Row("strict null (langchain.js)", {"tools": [tool(strict=None)]}),
    Row("parameters null", {"tools": [tool(parameters=None)]}),
    Row("parameters {}", {"tools": [tool(parameters={})]}),
    Row("parameters without properties (MCP)", {"tools": [tool(parameters={"type": "object"})]}),
    Row(
        "$schema and additionalProperties (Vercel AI SDK)",
        {
            "tools": [
                tool(
                    parameters={
                        "$schema": "http://json-schema.org/draft-07/schema#",
                        "additionalProperties": False,
                        **CITY,
                    }
                )
            ]
        },
    ),
    Row("tools: [] (Vercel AI SDK, CrewAI)", {"tools": []}, absent=("tools",)),
    Row("tools: [] with tool_choice auto", {"tools": [], "tool_choice": "auto"}, absent=("tools", "tool_choice")),
    Row("tools: null (semantic-kernel)", {"tools": None, "tool_choice": None}, absent=("tools", "tool_choice")),
    Row("functions: []", {"functions": [], "function_call": "auto"}, absent=("functions", "function_call")),
    Row("tool_choice auto", {"tools": [tool()], "tool_choice": "auto"}),
    Row("tool_choice none", {"tools": [tool()], "tool_choice": "none"}),
    Row(
        "tool_choice required (pydantic-ai)",
        {"tools": [tool()], "tool_choice": "required"},
        sent={"tool_choice": "required"},
    ),
    Row("tool_choice any", {"tools": [tool()], "tool_choice": "any"}, sent={"tool_choice": "required"}),
    Row(
        "tool_choice by a bare name (langchain.js)",
        {"tools": [tool()], "tool_choice": "get_weather"},
        sent={"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
    ),
    Row(
        "tool_choice that is no tool",
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "gone"}}},
        refused="tool_choice names 'gone'",
    ),
    Row(
        "allowed_tools",
        {
            "tools": [tool(), tool("other")],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "other"}}]},
            },
        },
        sent={"tool_choice": "required"},
    ),
    Row(
        "a custom tool (openai-agents)",
        {"tools": [{"type": "custom", "custom": {"name": "shell"}}]},
        refused="without 'function'",
    ),
    Row("two tools of one name", {"tools": [tool(), tool()]}, refused="get_weather: two tools have this name"),
    Row(
        "parallel_tool_calls (instructor, agno)",
        {"tools": [tool()], "parallel_tool_calls": True},
        absent=("parallel_tool_calls",),
    ),
    Row("parallel_tool_calls without tools (CrewAI)", {"parallel_tool_calls": False}, absent=("parallel_tool_calls",)),
    Row("a name with a dot (semantic-kernel, open model)", {"tools": [tool("plugin.weather")]}, OPEN),
    Row("a name with a space (n8n)", {"tools": [tool("get the weather")]}),
    Row(
        "store, metadata, service_tier, user (openai-agents)",
        {"store": False, "metadata": {"run": "1"}, "service_tier": "auto", "user": "u1"},
    ),
    Row(
        "safety_identifier, prompt_cache_key, verbosity",
        {"safety_identifier": "x", "prompt_cache_key": "k", "verbosity": "low"},
    ),
    Row("max_completion_tokens (openai-agents)", {"max_completion_tokens": 200}, sent={"max_completion_tokens": 200}),
    Row("max_tokens null (semantic-kernel)", {"max_tokens": None}, absent=("max_tokens",)),
    Row("reasoning_effort low (pydantic-ai)", {"reasoning_effort": "low"}, sent={"reasoning_effort": "low"}),
    Row("reasoning_effort null", {"reasoning_effort": None}, absent=("reasoning_effort",)),
    Row(
        "neutral values always (semantic-kernel, langchain.js 0.x)",
        {"n": 1, "temperature": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0},
        "google/gemini-3.6-flash",
        absent=("frequency_penalty", "presence_penalty", "temperature"),
    ),
    Row(
        "temperature 0 where it has no effect (DSPy, CrewAI)",
        {"temperature": 0},
        "google/gemini-3.6-flash",
        absent=("temperature",),
        warned="temperature",
    ),
    Row(
        "a penalty where it has no effect",
        {"frequency_penalty": 0.5},
        "google/gemini-3.6-flash",
        absent=("frequency_penalty",),
        warned="frequency_penalty",
    ),
    Row("several answers where the model refuses them", {"n": 2}, "google/gemini-3.8-flash", refused="refuses n=2"),
    Row(
        "seed, stop, logit_bias",
        {"seed": 7, "stop": ["END"], "logit_bias": {"50256": -100}},
        sent={"seed": 7},
        warned="logit_bias",
    ),
    Row(
        "stop null, logit_bias null, seed null",
        {"stop": None, "logit_bias": None, "seed": None},
        absent=("stop", "logit_bias", "seed"),
    ),
    Row("logprobs (DSPy, ragas)", {"logprobs": True, "top_logprobs": 2}, absent=("logprobs",), warned="logprobs"),
    Row("logprobs false (autogen)", {"logprobs": False}, absent=("logprobs",)),
    Row("prediction", {"prediction": {"type": "content", "content": "x"}}),
    Row("modalities text (DSPy, langchain.js)", {"modalities": ["text"]}),
    Row("web_search_options", {"web_search_options": {}}),
    Row(
        "stream_options without stream (CrewAI)",
        {"stream_options": {"include_usage": True}},
        absent=("stream_options",),
    ),
    Row(
        "image with detail",
        {
            "messages": shown(
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}
            )
        },
    ),
    Row(
        "image with detail null (semantic-kernel)",
        {
            "messages": shown(
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": None}}
            )
        },
    ),
    Row(
        "image_url as bare text",
        {"messages": shown({"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"})},
    ),
    Row(
        "a local file as image (agno)",
        {"messages": shown({"type": "image_url", "image_url": {"url": "file:///tmp/a.png"}})},
        refused="Google cannot fetch",
    ),
    Row("input_audio", {"messages": shown({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}})}),
    Row(
        "file part by data (pydantic-ai)",
        {
            "messages": shown(
                {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
            )
        },
    ),
    Row(
        "file part by another service's id",
        {"messages": shown({"type": "file", "file": {"file_id": "file-abc123"}})},
        refused="Google cannot fetch",
    ),
    Row(
        "parts of the Responses API",
        {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]},
    ),
    Row(
        "assistant content '' beside calls (agno)",
        {"messages": [USER, {**CALLED, "content": ""}, RESULT], "tools": [tool()]},
    ),
    Row(
        "assistant content null, refusal null (the SDK's dump)",
        {
            "messages": [
                USER,
                {**CALLED, "content": None, "refusal": None, "audio": None, "function_call": None, "annotations": []},
                RESULT,
            ],
            "tools": [tool()],
        },
    ),
    Row(
        "result as parts (Vercel AI SDK)",
        {"messages": [USER, CALLED, {**RESULT, "content": [{"type": "text", "text": "21 C"}]}], "tools": [tool()]},
    ),
    Row("result null (CrewAI)", {"messages": [USER, CALLED, {**RESULT, "content": None}], "tools": [tool()]}),
    Row(
        "result as an object (DSPy)",
        {"messages": [USER, CALLED, {**RESULT, "content": {"degrees": 21}}], "tools": [tool()]},
    ),
    Row(
        "result with a name and without an id",
        {"messages": [USER, CALLED, {"role": "tool", "name": "get_weather", "content": "21 C"}], "tools": [tool()]},
    ),
    Row("calls without tools in the request (summaries)", {"messages": [USER, CALLED, RESULT]}),
    Row(
        "call arguments as an object (Ollama clients)",
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": "a",
                            "type": "function",
                            "function": {"name": "get_weather", "arguments": {"city": "Paris"}},
                        }
                    ],
                },
                RESULT,
            ],
            "tools": [tool()],
        },
    ),
    Row(
        "a call without its result (cancelled)",
        {"messages": [USER, CALLED, USER], "tools": [tool()]},
        refused="has no result",
    ),
    Row(
        "the assistant's word last (prefill, CrewAI)",
        {"messages": [USER, {"role": "assistant", "content": "Well"}]},
        refused="ends with the assistant",
    ),
    Row(
        "Anthropic's tool_use and tool_result",
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                        {"type": "tool_use", "id": "a", "name": "get_weather", "input": {"city": "Paris"}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "21 C"}]},
            ],
            "tools": [tool()],
        },
    ),
    Row(
        "Anthropic's tool_result without its tool_use",
        {
            "messages": [
                USER,
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "21 C"}]},
            ]
        },
        refused="does not follow a message that calls",
    ),
    Row(
        "a forced call on a model that takes none",
        {"tools": [tool()], "tool_choice": "required"},
        "openai/gpt-oss-120b-maas",
        sent={"tool_choice": "auto"},
        warned="does not support tool_choice",
    ),
    Row("strict json_schema, open model", {"response_format": schema_format(strict=True)}, OPEN),
)
