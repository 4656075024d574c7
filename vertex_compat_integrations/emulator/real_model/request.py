"""Converts a request in Vertex AI's form to one for an OpenAI-compatible server; does no I/O."""

from collections.abc import Collection
from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest, mapping, objects
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.wire import Json

_SAME = frozenset(
    {
        "max_tokens", "max_completion_tokens", "n", "frequency_penalty", "presence_penalty", "seed", "stop",
        "temperature", "top_p", "reasoning_effort", "stream",
    }
)  # fmt: skip
_MAAS_SAME = frozenset({"top_k", "chat_template_kwargs"})
_ROLES = {"model": "assistant"}
_FORMATS = frozenset({"text", "text/plain", "json_object", "json_schema", "application/json"})


def unserved(chat: ChatRequest) -> Refusal | None:
    """Refuse requests for features that only Google has; on a deployed endpoint, the model's server decides."""
    if chat.traits.surface == "deployed":
        return None
    wanted = _wanted_of_google(chat)
    return Refusal(f"The model behind the emulator has no {wanted}.", 501) if wanted else None


def build_upstream_body(chat: ChatRequest, model: str | None) -> Json:
    """Return the request for the upstream; `model` is its name there, None keeps the name in the request."""
    name = {"model": model or chat.model}
    if chat.traits.surface == "deployed":
        return {**chat.body, **name}
    names = _SAME | _MAAS_SAME if chat.traits.surface == "maas" else _SAME
    names -= {*chat.ignored}
    body: Json = {key: value for key, value in chat.body.items() if key in names and value is not None}
    hidden = {"extra_content", "reasoning_content"} if chat.traits.surface == "gemini" else {"extra_content"}
    messages = [_message(message, hidden) for message in chat.messages]
    body |= {**name, "messages": messages, **_tools(chat), **_format(chat)}
    if chat.is_stream:
        # Vertex AI reports usage in every stream, other servers only on request.
        body["stream_options"] = {"include_usage": True}
    return body


def to_json_schema(schema: Any) -> Any:
    """Convert a schema of the endpoint's subset to standard JSON Schema: types in lower case, null as a type."""
    if isinstance(schema, list):
        return [to_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _keyword(key, value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") is True else converted


def _keyword(key: str, value: Any) -> Any:
    match key:
        case "type" if isinstance(value, str):
            return value.lower()
        case "properties" | "$defs" | "defs" if isinstance(value, dict):
            return {name: to_json_schema(each) for name, each in value.items()}
        case "items" | "anyOf" | "prefixItems" | "additionalProperties":
            return to_json_schema(value)
        case _:
            return value


def _wanted_of_google(chat: ChatRequest) -> str | None:
    native = [name for tool in objects(chat.google.get("tools")) for name in tool]
    media = [name for name in chat.body.get("modalities") or () if name != "text"]
    wishes = {
        "web search": "web_search_options" in chat.body,
        "deprecated `functions`": bool(chat.body.get("functions")),
        "context cache": bool(chat.google.get("cached_content")),
        f"tool `{next(iter(native), '')}`": bool(native),
        f"answers in `{next(iter(media), '')}`": bool(media),
        f"answers in `{chat.response_format}`": chat.response_format not in _FORMATS,
    }
    return next((name for name, is_wanted in wishes.items() if is_wanted), None)


def _message(message: Json, hidden: Collection[str]) -> Json:
    plain = {key: _bare(value) for key, value in message.items() if key not in hidden}
    role = str(message.get("role"))
    return {**plain, "role": _ROLES.get(role, role)}


def _bare(value: Any) -> Any:
    """Return parts and calls without Google's extra content."""
    if not isinstance(value, list):
        return value
    return [
        {key: inner for key, inner in each.items() if key != "extra_content"} if isinstance(each, dict) else each
        for each in value
    ]


def _tools(chat: ChatRequest) -> Json:
    if not chat.functions:
        return {}
    choice = "auto" if chat.choice == "validated" else chat.choice
    tools = [{"type": "function", "function": _function(function)} for function in chat.functions]
    return {"tools": tools, **({"tool_choice": choice} if choice else {})}


def _function(function: Json) -> Json:
    if function.get("parameters") is None:
        return function
    return {**function, "parameters": to_json_schema(function["parameters"])}


def _format(chat: ChatRequest) -> Json:
    if not chat.wants_json:
        return {}
    if chat.response_schema is None:
        return {"response_format": {"type": "json_object"}}
    named = mapping(mapping(chat.body.get("response_format")).get("json_schema"))
    rest = {key: value for key, value in named.items() if key in {"description", "strict"}}
    schema = {"name": named.get("name") or "answer", **rest, "schema": to_json_schema(chat.response_schema)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}
