"""A program's request → the endpoint's: the model's name, signatures, and what Vertex AI is known to refuse. Pure.

The rest goes on as it came, and so does what cannot be converted: then the endpoint's own refusal says why.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.errors import (
    InvalidRequestError,
    SchemaError,
    SettingsError,
    VertexCompatError,
)
from vertex_compat_integrations.core.json_values import deep_merge, mapping_in, mappings_in
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request import content
from vertex_compat_integrations.core.request.history import settle_history, without_signatures
from vertex_compat_integrations.core.request.tool_message import show_tool_media
from vertex_compat_integrations.core.request.tools import settle_tools
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.proxy.signature_memory import SignatureMemory

NAME_HINT = "Begin with a letter or _, and use at most 64 of A-Z, a-z, 0-9, _, ., : and -."

_SPOKEN = ("system", "user")
_SYSTEM_ROLES = {"developer": "system"}
"""`developer` is not in Google's list of roles."""


def decode_request(raw: bytes) -> wire.Json:
    """The JSON object that a program sent.

    Raises:
        InvalidRequestError: It is none.
    """
    try:
        body = decode_json(raw)
    except VertexCompatError:
        body = None
    if not isinstance(body, dict):
        raise InvalidRequestError("The request's body is no JSON object.", hint="Send Chat Completions.", code=400)
    return body


def chat_body(body: wire.Json, model: str, memory: SignatureMemory) -> wire.Json:
    """The chat request for this model."""
    facts = facts_for(model)
    fitted = {**body, "model": model, "messages": _messages(body.get("messages"), model, facts, memory)}
    if not facts.gemini and isinstance(tools := body.get("tools"), list):
        # Only what is wrong wherever it goes; the tools go on as they came.
        _with_tools({"tools": tools}, facts)
    if facts.gemini:
        fitted = _with_answer_schema(_with_tools(fitted, facts))
    return fitted


def embeddings_body(body: wire.Json, model: str) -> wire.Json:
    """The request for vectors from this model."""
    return {**body, "model": model}


def _messages(value: Any, model: str, facts: ModelFacts, memory: SignatureMemory) -> Any:
    messages = [_plain(message) for message in value] if isinstance(value, list) else value
    if not _are_messages(messages):
        return value
    # As for the library's classes: signatures are Gemini's, and no other publisher's model shall see them.
    is_gemini = facts.gemini or "/" not in model
    messages = memory.restore(messages, model) if is_gemini else without_signatures(messages)
    try:
        settled = settle_history(messages, facts)
    except SettingsError:
        return messages
    return settled if is_gemini else show_tool_media(settled, model, facts).messages


def _plain(message: Any) -> Any:
    """The message without what is null, under a role that the endpoint has."""
    if not isinstance(message, dict):
        return message
    fields = {key: value for key, value in message.items() if value is not None}
    if fields.get("role") == "tool":
        # JavaScript writes null where a tool gave nothing.
        fields.setdefault("content", "")
    if isinstance(parts := fields.get("content"), list):
        fields["content"] = [_as_medium(part) for part in parts]
    return {**fields, "role": _SYSTEM_ROLES.get(role, role)} if isinstance(role := fields.get("role"), str) else fields


def _as_medium(part: Any) -> Any:
    """OpenAI's `file` part as the endpoint takes it; any other part as it is.

    Raises:
        UnsupportedContentError: Google cannot fetch what the part names.
    """
    match part:
        case {"type": "file", "file": dict() as file}:
            return content.openai_file(file)
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            content.refuse_unreachable(url)
            return part
        case _:
            return part


def _are_messages(value: Any) -> TypeGuard[list[wire.Message]]:
    """Whether these are messages whose rules are known; others are for the endpoint to judge."""
    return isinstance(value, list) and all(isinstance(item, dict) and _is_message(item) for item in value)


def _is_message(message: Mapping[str, Any]) -> bool:
    value = message.get("content")
    is_told = isinstance(value, str) or _is_list(value, _is_part)
    match message.get("role"):
        case "assistant":
            calls = message.get("tool_calls")
            return (value is None or is_told) and (calls is None or _is_list(calls, _is_call))
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
    except SchemaError:
        raise
    except SettingsError:
        return body
    if declared.renamed:
        # The answer goes back byte for byte, with the names of the wire.
        name = next(iter(declared.renamed))
        raise SettingsError(f"{name}: Gemini takes no function of this name.", hint=NAME_HINT)
    declared_tools = {"tools": declared.functions, "tool_choice": declared.choice}
    others = {key: value for key, value in body.items() if key not in declared_tools}
    fitted = {**others, **{key: value for key, value in declared_tools.items() if value}}
    if not declared.native:
        return fitted
    google_tools = mapping_in(mapping_in(body.get("extra_body")).get("google")).get("tools") or []
    return deep_merge(fitted, {"extra_body": {"google": {"tools": [*google_tools, *declared.native]}}})


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
