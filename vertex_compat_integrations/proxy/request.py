"""A program's request → the endpoint's: the model's name, signatures, and what Vertex AI is known to refuse. Pure.

The rest goes on as it came, and so does what cannot be converted: then the endpoint's own refusal says why. Histories
have the same rules as in the library's classes.
"""

from typing import Any

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
from vertex_compat_integrations.core.request.history import settle_history, without_signatures
from vertex_compat_integrations.core.request.mending import NO_LOSS, Mending
from vertex_compat_integrations.core.request.tool_message import show_tool_media
from vertex_compat_integrations.core.request.tools import settle_tools
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.proxy.odd_messages import with_stand_ins, without_stand_ins
from vertex_compat_integrations.proxy.signature_memory import SignatureMemory

NAME_HINT = "Begin with a letter or _, and use at most 64 of A-Z, a-z, 0-9, _, ., : and -."


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


def chat_body(body: wire.Json, model: str, memory: SignatureMemory, mending: Mending = NO_LOSS) -> wire.Json:
    """The chat request for this model; `mending` says what may be lost of an odd history.

    Raises:
        HistoryError: The messages are such as no model answers.
    """
    facts = facts_for(model)
    messages = _messages(body.get("messages"), model, facts, memory, mending)
    fitted = {**body, "model": model, "messages": messages}
    if not facts.gemini and isinstance(tools := body.get("tools"), list):
        # Only what is wrong wherever it goes; the tools go on as they came.
        _with_tools({"tools": tools}, facts)
    if facts.gemini:
        fitted = _with_answer_schema(_with_tools(fitted, facts))
    return fitted


def embeddings_body(body: wire.Json, model: str) -> wire.Json:
    """The request for vectors from this model."""
    return {**body, "model": model}


def _messages(value: Any, model: str, facts: ModelFacts, memory: SignatureMemory, mending: Mending) -> Any:
    messages = with_stand_ins(value) if isinstance(value, list) else None
    if messages is None:
        return value
    # As for the library's classes: signatures are Gemini's, and no other publisher's model shall see them.
    is_gemini = facts.gemini or "/" not in model
    messages = memory.restore(messages, model) if is_gemini else without_signatures(messages)
    settled = settle_history(messages, facts, mending=mending)
    return without_stand_ins(settled if is_gemini else show_tool_media(settled, model, facts).messages)


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
