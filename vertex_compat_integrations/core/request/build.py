"""Messages, options and facts → the body of one request; defines the order in which the rules apply. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.json_values import JsonObject, deep_merge, google_extras, mapping_in
from vertex_compat_integrations.core.request.history import SkipValues, settle_history, without_signatures
from vertex_compat_integrations.core.request.limits import NEUTRAL, limit_notes, refuse_contradictions, refuse_option
from vertex_compat_integrations.core.request.mending import NO_LOSS, Mending
from vertex_compat_integrations.core.request.quirks import FittedTools, fit_messages, fit_tools
from vertex_compat_integrations.core.request.thinking import thinking_fields
from vertex_compat_integrations.core.request.thinking_in_body import read_thinking
from vertex_compat_integrations.core.request.thoughts_back import with_thoughts_back
from vertex_compat_integrations.core.request.tool_message import Shown, show_tool_media
from vertex_compat_integrations.core.request.tool_names import answer_name, with_wire_names
from vertex_compat_integrations.core.request.tools import settle_tools
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.core.settings.options import Options, wire_paths


@dataclass(frozen=True, slots=True)
class Resource:
    """The project and location of a request, and the kind of server.

    Attributes:
        project: Completes short resource names, once it is known.
        location: Completes short resource names.
        own_server: Whether the server is the user's own: a gateway, or a deployed model.
    """

    project: str | None = None
    location: str | None = None
    own_server: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent.

    Attributes:
        body: The JSON body; the parts that are equal from turn to turn come before the messages.
        headers: Headers, without the credential's.
        one_call: Whether only the first tool call of the answer is kept.
        marker: The tag that wraps thoughts in the answer, if the request sets one.
        unopened: Whether the answer begins with thoughts without an opening tag.
        thinking_off: Whether thinking is turned off.
        ignored: Options that were set but have no effect on this model; they are not in the body.
        notes: Other settings that the model does not support, as sentences for the user.
        own_names: Name in the request → the tool's own name, for tools whose names the server would refuse.
    """

    body: wire.Json
    headers: Mapping[str, str]
    one_call: bool = False
    marker: str | None = None
    unopened: bool = False
    thinking_off: bool = False
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    own_names: Mapping[str, str] = field(default_factory=dict)


def build_request(
    messages: Sequence[wire.Message],
    options: Options,
    facts: ModelFacts,
    *,
    stream: bool = False,
    resource: Resource = Resource(),
    skip_values: SkipValues = "as the model demands",
    distrusted: Collection[int] = (),
    mending: Mending = NO_LOSS,
) -> Request:
    """Build the request with these messages and options, for a model with these facts.

    `distrusted` has hashes of thought signatures that the service refused before; `mending` defines what may be lost
    when an invalid history is repaired.

    Raises:
        SettingsError: The options contradict each other or the model's facts.
        HistoryError: The messages are in an order that the endpoint refuses.
        SchemaError: The endpoint's subset cannot express a tool's or the answer's schema.
    """
    declared = settle_tools(options.tools, options.tool_choice, facts, options.on_recursion or "cut")
    thinking = thinking_fields(options, facts)
    tools = fit_tools(declared.functions, declared.choice, options.model, facts)
    fields, ignored = _plain_fields(options, facts)
    body: wire.Json = {"model": options.model, **_tool_fields(tools), **thinking.top}
    body = _with_extras(deep_merge(body, fields), thinking.google, options, declared.native)
    _settle_formats(body, facts, resource)
    body |= _stream_fields(options, facts, resource) if stream else {}
    history = settle_history(messages, facts, skip_values, distrusted, mending)
    shown = _shown(with_wire_names(history, declared.renamed, is_gemini=facts.gemini), options, facts)
    history = _for_this_model(shown.messages, options, facts, resource)
    notes = (*declared.notes, *thinking.notes, *tools.notes, *shown.notes, *mending.notes)
    conversation = fit_messages(history, options.model, facts, has_tools=bool(body.get("tools")))
    # The last key: the parts that are equal from turn to turn come first, since prompts are cached by prefix.
    body["messages"] = conversation.messages
    refuse_contradictions(body, facts)
    # From the body, not from the options: the user's extra body may override their thinking settings.
    thinking_in_body = read_thinking(body, facts)
    return Request(
        body,
        _headers(options),
        one_call=options.parallel_tool_calls is False,
        marker=google_extras(body).get("thought_tag_marker"),
        unopened=thinking_in_body.begins_in_thoughts,
        thinking_off=thinking_in_body.is_off,
        ignored=ignored,
        notes=(*notes, *conversation.notes, *limit_notes(body, facts)),
        own_names=declared.own_names,
    )


def _with_extras(body: wire.Json, thinking: wire.Json, options: Options, native: Sequence[Any]) -> wire.Json:
    """Return the body with Google's extras, then the user's extra body, then Google's own tools."""
    if thinking:
        body = deep_merge(body, {"extra_body": {"google": thinking}})
    return _with_native_tools(deep_merge(body, _nested_extra_body(options.extra_body)), native)


def _shown(history: list[wire.Message], options: Options, facts: ModelFacts) -> Shown:
    return Shown(history) if facts.gemini else show_tool_media(history, options.model, facts)


def _for_this_model(
    history: list[wire.Message], options: Options, facts: ModelFacts, resource: Resource
) -> list[wire.Message]:
    """Return the messages with the model's own data sent back to it: signatures for Gemini, thoughts for other models.

    A user's own server always gets `content` with tool calls: some servers refuse a message without that key
    (huggingface/text-generation-inference#3021, InternLM/lmdeploy#4035).
    """
    if resource.own_server and not facts.gemini:
        history = [{"content": None, **message} if message.get("tool_calls") else message for message in history]  # type: ignore[misc]  # the wire's type has no null
    if not facts.gemini and "/" in options.model:
        history = without_signatures(history)
    return with_thoughts_back(history, options, facts)


def _with_native_tools(body: wire.Json, native: Sequence[Any]) -> wire.Json:
    """Return the body with Google's own tools added after those of the extra body."""
    if not native:
        return body
    tools = google_extras(body).get("tools") or []
    return deep_merge(body, {"extra_body": {"google": {"tools": [*tools, *native]}}})


def _tool_fields(fitted: FittedTools) -> wire.Json:
    fields = {"tools": fitted.tools, "tool_choice": fitted.choice}
    return {name: value for name, value in fields.items() if value}


def _plain_fields(options: Options, facts: ModelFacts) -> tuple[wire.Json, tuple[str, ...]]:
    """The options that are sent unchanged, each at its path, and the names of those that have no effect."""
    fields: wire.Json = {}
    ignored: list[str] = []
    # `getattr` on a pydantic model is slower than a lookup in its dict.
    values = vars(options)
    for name, path in wire_paths().items():
        value = values[name]
        if value is None or name in ("tools", "tool_choice") or (name == "stop" and not value):
            continue
        if name in facts.refuses or name in facts.ignores:
            if NEUTRAL.get(name) == value:
                continue
            refuse_option(name, value, options.model, facts)
            ignored.append(name)
        else:
            _put(fields, path, _as_on_the_wire(name, value))
    if options.parallel_tool_calls is not None and not facts.gemini and options.tools:
        fields["parallel_tool_calls"] = options.parallel_tool_calls
    return fields, tuple(ignored)


def _put(fields: wire.Json, path: Sequence[str], value: object) -> None:
    *parents, last = path
    for key in parents:
        fields = fields.setdefault(key, {})
    fields[last] = value


def _as_on_the_wire(name: str, value: object) -> object:
    match name, value:
        case "safety_settings", Mapping():
            return [{"category": category, "threshold": threshold} for category, threshold in value.items()]
        case "model_safety_settings", bool():
            return {"enabled": value, "llama_guard_settings": {}}
        case _:
            return value


def _nested_extra_body(extra: JsonObject | None) -> wire.Json:
    """Return the user's extra body with Google's extras where Google documents them: under `extra_body.google`.

    Raises:
        SettingsError: A value must be a mapping and is not; None counts as omitted.
    """
    if not extra:
        return {}
    nested = {key: value for key, value in extra.items() if key not in ("google", "extra_body")}
    inner = _mapping_at(extra, "extra_body")
    google = deep_merge(_mapping_at(inner, "google"), _mapping_at(extra, "google"))
    inner.pop("google", None)
    if google:
        inner["google"] = google
    if inner:
        nested["extra_body"] = inner
    return nested


def _mapping_at(extra: JsonObject, key: str) -> wire.Json:
    value = extra.get(key)
    if not isinstance(value, Mapping | None):
        raise SettingsError(f"{key!r} in the extra body is not a mapping: {value!r}.")
    return {name: each for name, each in (value or {}).items() if each is not None}


def _stream_fields(options: Options, facts: ModelFacts, resource: Resource) -> wire.Json:
    if options.n is not None and options.n > 1:
        raise SettingsError(f"n={options.n} in a stream.", hint="Request several answers without streaming.")
    # Google's Gemini always sends usage; OpenAI-compatible servers and gateways send it only on request, for any model.
    is_googles = facts.gemini and not resource.own_server
    return {"stream": True} if is_googles else {"stream": True, "stream_options": {"include_usage": True}}


def _headers(options: Options) -> dict[str, str]:
    headers = dict(options.default_headers or {})
    if (kind := options.request_type) is not None:
        headers[wire.REQUEST_TYPE_HEADER] = kind if isinstance(kind, str) else kind[0]
    if (tier := options.shared_request_type) is not None:
        tier = tier if isinstance(tier, str) else tier[0]
        # A request without the header gets the standard tier.
        if tier != "standard":
            headers[wire.SHARED_REQUEST_TYPE_HEADER] = tier
    return headers


# Converted once per schema text; results are shared, and must not be changed.
@lru_cache(maxsize=1024)
def _answer_schema(schema: bytes) -> wire.Json:
    return to_openapi(from_json(schema))


def _settle_formats(body: wire.Json, facts: ModelFacts, resource: Resource) -> None:
    """Complete short forms in place: the answer's schema, the cache's name."""
    google = google_extras(body)
    schema = mapping_in(body.get("response_format")).get("json_schema")
    if isinstance(schema, Mapping) and isinstance(name := schema.get("name"), str) and name:
        schema = {**schema, "name": answer_name(name)}
        body["response_format"] = {**body["response_format"], "json_schema": schema}
    if facts.gemini and isinstance(schema, Mapping):
        inner = schema.get("schema")
        converted = {"schema": _answer_schema(to_json(inner))} if isinstance(inner, Mapping) else {}
        # `strict` has no counterpart in Gemini's API.
        rest = {key: value for key, value in schema.items() if key != "strict"}
        body["response_format"] = {**body["response_format"], "json_schema": {**rest, **converted}}
    cache = google.get("cached_content")
    if cache and "/" not in cache and resource.project and resource.location:
        full = f"projects/{resource.project}/locations/{resource.location}/cachedContents/{cache}"
        body["extra_body"] = deep_merge(body["extra_body"], {"google": {"cached_content": full}})
