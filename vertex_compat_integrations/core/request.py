"""Messages, options and facts → the body of one request. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.history import SkipValues, settle_history
from vertex_compat_integrations.core.options import Options, deep_merge, wire_paths
from vertex_compat_integrations.core.schema import to_openapi, to_parameters
from vertex_compat_integrations.core.thinking import thinking_fields


@dataclass(frozen=True, slots=True)
class Resource:
    """Whose requests these are: what short resource names are completed with, once it is known."""

    project: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent.

    Attributes:
        body: The JSON body; what stays equal from turn to turn stands before the messages.
        headers: Headers besides the credential's.
        one_call: Whether only the first tool call of the answer is kept.
        marker: The tag round thoughts in the answer, if the request sets one.
        ignored: Options that were set and have no effect on this model; they are not in the body.
    """

    body: wire.Json
    headers: Mapping[str, str]
    one_call: bool = False
    marker: str | None = None
    ignored: tuple[str, ...] = ()


def build_request(
    messages: Sequence[wire.Message],
    options: Options,
    facts: ModelFacts,
    *,
    stream: bool = False,
    resource: Resource = Resource(),
    skip_values: SkipValues = "as the model demands",
) -> Request:
    """The request that says all this to a model with these facts.

    Raises:
        SettingsError: The options contradict each other or the model's facts.
        HistoryError: The messages stand in an order that the endpoint refuses.
        SchemaError: A tool's or the answer's schema cannot be said in the endpoint's subset.
    """
    tools = _encode_tools(options.tools, facts)
    top, google = thinking_fields(options, facts)
    fields, ignored = _plain_fields(options, facts)
    body: wire.Json = {"model": options.model}
    if tools:
        body["tools"] = tools
        if (choice := _encode_tool_choice(options.tool_choice, tools)) is not None:
            body["tool_choice"] = choice
    elif options.tool_choice not in (None, False, "auto", "none"):
        raise SettingsError(
            f"tool_choice={options.tool_choice!r} without tools.", hint="Pass tools=, or drop tool_choice=."
        )
    body |= top
    body = deep_merge(body, fields)
    if google:
        body = deep_merge(body, {"extra_body": {"google": google}})
    body = deep_merge(body, _nested_extra_body(options.extra_body))
    _settle_formats(body, facts, resource)
    if stream:
        body |= _stream_fields(options, facts)
    body["messages"] = settle_history(messages, facts, skip_values)
    _refuse_contradictions(body, facts)
    return Request(
        body,
        _headers(options),
        one_call=options.parallel_tool_calls is False,
        marker=_google_extras(body).get("thought_tag_marker"),
        ignored=ignored,
    )


def _plain_fields(options: Options, facts: ModelFacts) -> tuple[wire.Json, tuple[str, ...]]:
    """The options that go out as they are, each in its place; and the names of those that have no effect."""
    fields: wire.Json = {}
    ignored: list[str] = []
    for name, path in wire_paths().items():
        value = getattr(options, name)
        if value is None or name in ("tools", "tool_choice") or (name == "stop" and not value):
            continue
        if name in facts.ignores:
            ignored.append(name)
            continue
        at = fields
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = _as_wire_list(value) if name == "safety_settings" else value
    if options.parallel_tool_calls is not None and not facts.gemini and options.tools:
        fields["parallel_tool_calls"] = options.parallel_tool_calls
    return fields, tuple(ignored)


def _as_wire_list(settings: Any) -> Any:
    if isinstance(settings, Mapping):
        return [{"category": category, "threshold": threshold} for category, threshold in settings.items()]
    return settings


def _nested_extra_body(extra: Mapping[str, Any] | None) -> wire.Json:
    """The user's extra body with Google's extras where Google documents them: under `extra_body.google`."""
    if not extra:
        return {}
    nested = {key: value for key, value in extra.items() if key != "google"}
    if "google" in extra:
        nested["extra_body"] = deep_merge(nested.get("extra_body") or {}, {"google": extra["google"]})
    return nested


def _stream_fields(options: Options, facts: ModelFacts) -> wire.Json:
    if options.n is not None and options.n > 1:
        raise SettingsError(f"n={options.n} in a stream.", hint="Ask for several answers without streaming.")
    # Gemini sends usage unasked; OpenAI-compatible servers behind other models only when asked.
    return {"stream": True} if facts.gemini else {"stream": True, "stream_options": {"include_usage": True}}


def _headers(options: Options) -> dict[str, str]:
    headers = dict(options.default_headers or {})
    if options.request_type is not None:
        headers[wire.REQUEST_TYPE_HEADER] = options.request_type
    if options.shared_request_type is not None:
        headers[wire.SHARED_REQUEST_TYPE_HEADER] = options.shared_request_type
    return headers


def _encode_tools(tools: Sequence[Any] | None, facts: ModelFacts) -> list[Any]:
    if not tools:
        return []
    return [_encode_tool(tool) for tool in tools] if facts.gemini else list(tools)


def _encode_tool(tool: Any) -> Any:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        raise SettingsError(
            f"A tool of type {type(tool).__name__} without 'function'.",
            hint="Give OpenAI's mapping; Google's own tools go into extra_body={'google': {'tools': […]}}.",
        )
    encoded = {key: function[key] for key in ("name", "description") if function.get(key)}
    if function.get("parameters"):
        encoded["parameters"] = _parameters(to_json(function["parameters"]))
    return {"type": "function", "function": encoded}


# Converted once for each schema text; the results are shared, and not changed.
@lru_cache(maxsize=1024)
def _parameters(schema: bytes) -> wire.Json:
    return to_parameters(from_json(schema))


@lru_cache(maxsize=1024)
def _answer_schema(schema: bytes) -> wire.Json:
    return to_openapi(from_json(schema))


def _encode_tool_choice(choice: Any, tools: Sequence[wire.Tool]) -> Any:
    match choice:
        case None | False:
            return None
        case True | "any" | "required":
            return "required"
        case "auto" | "none" | "validated":
            return choice
        case str():
            name = choice
        case {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            pass
        case _:
            return choice
    names = [tool["function"]["name"] for tool in tools]
    if name not in names:
        raise SettingsError(
            f"tool_choice names {name!r}, which is no tool of this request.", hint=f"Tools are {names}."
        )
    return {"type": "function", "function": {"name": name}}


def _google_extras(body: wire.Json) -> wire.Json:
    extras: wire.Json = body.get("extra_body", {}).get("google", {})
    return extras


def _settle_formats(body: wire.Json, facts: ModelFacts, resource: Resource) -> None:
    """Complete in place what has a short form: the answer's schema, the cache's name."""
    google = _google_extras(body)
    if facts.gemini and isinstance(schema := body.get("response_format", {}).get("json_schema"), Mapping):
        inner = schema.get("schema")
        converted = {"schema": _answer_schema(to_json(inner))} if isinstance(inner, Mapping) else {}
        kept = {key: value for key, value in schema.items() if key != "strict"}
        body["response_format"] = {**body["response_format"], "json_schema": {**kept, **converted}}
    cache = google.get("cached_content")
    if cache and "/" not in cache and resource.project and resource.location:
        full = f"projects/{resource.project}/locations/{resource.location}/cachedContents/{cache}"
        body["extra_body"] = deep_merge(body["extra_body"], {"google": {"cached_content": full}})


def _refuse_contradictions(body: wire.Json, facts: ModelFacts) -> None:
    google = _google_extras(body)
    if facts.embedding is not None:
        raise SettingsError(
            f"{body['model']} gives embeddings, not answers.",
            hint="Use it with VertexCompatEmbeddings (LangChain) or VertexCompatEmbedding (LlamaIndex).",
        )
    if "reasoning_effort" in body and "thinking_config" in google:
        raise SettingsError(
            "reasoning_effort together with a thinking_config.",
            hint="Keep one of them, or say it with thinking= alone.",
        )
    if google.get("cached_content"):
        forbidden: list[str] = [name for name in ("tools", "tool_choice") if name in body]
        if any(message["role"] == "system" for message in body["messages"]):
            forbidden.append("a system message")
        if forbidden:
            raise SettingsError(
                f"cached_content together with {' and '.join(forbidden)}.",
                hint="Put them into the cache when you create it.",
            )
    format_type = cast("str", body.get("response_format", {}).get("type", "text"))
    if not facts.tools_with_json and body.get("tools") and "json" in format_type:
        raise SettingsError(
            f"{body['model']} takes either tools or a JSON response_format, not both.",
            hint='Use with_structured_output(method="function_calling"), or a Gemini 3 model.',
        )
