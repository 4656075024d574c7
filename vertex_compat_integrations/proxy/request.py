"""A program's request → the endpoint's: the model's name, signatures, and what Vertex AI is known to refuse. Pure.

The rest goes on as it came, and so does what cannot be converted: then the endpoint's own refusal says why.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.errors import InvalidRequestError, SettingsError, VertexCompatError
from vertex_compat_integrations.core.json_values import deep_merge, mapping_in, mappings_in
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.history import settle_history, without_signatures
from vertex_compat_integrations.core.request.tools import settle_tools
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.proxy.signature_memory import SignatureMemory

_SPOKEN = ("system", "user")
_SYSTEM_ROLES = {"developer": "system"}
"""`developer` is not in Google's list of roles."""


def decode_request(content: bytes) -> wire.Json:
    """The JSON object that a program sent.

    Raises:
        InvalidRequestError: It is none.
    """
    try:
        body = decode_json(content)
    except VertexCompatError:
        body = None
    if not isinstance(body, dict):
        raise InvalidRequestError("The request's body is no JSON object.", hint="Send Chat Completions.", code=400)
    return body


def chat_body(body: wire.Json, model: str, memory: SignatureMemory) -> wire.Json:
    """The chat request for this model."""
    facts = facts_for(model)
    fitted = {**body, "model": model, "messages": _messages(body.get("messages"), model, facts, memory)}
    if facts.gemini:
        fitted = _with_answer_schema(_with_tools(fitted, facts))
    return fitted


def embeddings_body(body: wire.Json, model: str) -> wire.Json:
    """The request for vectors from this model."""
    return {**body, "model": model}


def _messages(given: Any, model: str, facts: ModelFacts, memory: SignatureMemory) -> Any:
    messages = [_plain(message) for message in given] if isinstance(given, list) else given
    if not _are_messages(messages):
        return given
    # As for the library's classes: signatures are Gemini's, and no other publisher's model shall see them.
    is_gemini = facts.gemini or "/" not in model
    messages = memory.restore(messages, model) if is_gemini else without_signatures(messages)
    try:
        return settle_history(messages, facts)
    except SettingsError:
        return messages


def _plain(message: Any) -> Any:
    """The message without what is null, under a role that the endpoint has."""
    if not isinstance(message, dict):
        return message
    said = {key: value for key, value in message.items() if value is not None}
    return {**said, "role": _SYSTEM_ROLES.get(role, role)} if isinstance(role := said.get("role"), str) else said


def _are_messages(value: Any) -> TypeGuard[list[wire.Message]]:
    """Whether these are messages whose rules are known; others are for the endpoint to judge."""
    return isinstance(value, list) and all(isinstance(item, dict) and _is_message(item) for item in value)


def _is_message(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    is_told = isinstance(content, str) or _is_list(content, _is_part)
    match message.get("role"):
        case "assistant":
            calls = message.get("tool_calls")
            return (content is None or is_told) and (calls is None or _is_list(calls, _is_call))
        case "tool":
            return is_told and isinstance(message.get("tool_call_id"), str)
        case role:
            return is_told and role in _SPOKEN


def _is_list(value: Any, is_item: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and is_item(item) for item in value)


def _is_part(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("type"), str)


def _is_call(call: Mapping[str, Any]) -> bool:
    function = mapping_in(call.get("function"))
    return all(isinstance(text, str) for text in (call.get("id"), function.get("name"), function.get("arguments")))


def _with_tools(body: wire.Json, facts: ModelFacts) -> wire.Json:
    """The body with its tools in the endpoint's subset of JSON Schema, and Google's own in their place."""
    tools = body.get("tools")
    if not tools or len(mappings_in(tools)) < len(tools):
        return body
    try:
        declared = settle_tools(tools, body.get("tool_choice"), facts)
    except SettingsError:
        return body
    said = {"tools": declared.functions, "tool_choice": declared.choice}
    kept = {key: value for key, value in body.items() if key not in said}
    fitted = {**kept, **{key: value for key, value in said.items() if value}}
    if not declared.native:
        return fitted
    known = mapping_in(mapping_in(body.get("extra_body")).get("google")).get("tools") or []
    return deep_merge(fitted, {"extra_body": {"google": {"tools": [*known, *declared.native]}}})


def _with_answer_schema(body: wire.Json) -> wire.Json:
    """The body with the answer's schema in the endpoint's subset."""
    wanted = mapping_in(mapping_in(body.get("response_format")).get("json_schema"))
    schema = wanted.get("schema")
    if not isinstance(schema, dict):
        return body
    try:
        converted = {**wanted, "schema": to_openapi(schema)}
    except SettingsError:
        return body
    converted.pop("strict", None)
    return {**body, "response_format": {**body["response_format"], "json_schema": converted}}
