"""Messages, options and facts → the body of one request; the order in which its rules apply. Pure."""

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
    """Whose requests these are, and who answers.

    Attributes:
        project: What short resource names are completed with, once it is known.
        location: As above.
        own_server: Whether a server of the user's own answers: a gateway, or a deployed model.
    """

    project: str | None = None
    location: str | None = None
    own_server: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent.

    Attributes:
        body: The JSON body; what is equal from turn to turn comes before the messages.
        headers: Headers besides the credential's.
        one_call: Whether only the first tool call of the answer is kept.
        marker: The tag round thoughts in the answer, if the request sets one.
        unopened: Whether the answer begins with thoughts that no tag opens.
        thinking_off: Whether the model shall not think.
        ignored: Options that were set and have no effect on this model; they are not in the body.
        notes: What else of the settings the model cannot do, as sentences for the user.
        own_names: Name on the wire → the tool's own, for tools whose names would be refused.
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
    """The request with these messages and options, for a model with these facts.

    `distrusted` has hashes of thought signatures that were refused once; `mending` says what an odd history may lose.

    Raises:
        SettingsError: The options contradict each other or the model's facts.
        HistoryError: The messages are in an order that the endpoint refuses.
        SchemaError: A tool's or the answer's schema has no form in the endpoint's subset.
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
    # The last key: whatever is equal from turn to turn comes first, since prompts are cached by their beginnings.
    body["messages"] = conversation.messages
    refuse_contradictions(body, facts)
    # From the body and not from the options, whose thinking the user's extra body may overrule.
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
    """The body with Google's extras, the user's extra body over them, and Google's own tools."""
    if thinking:
        body = deep_merge(body, {"extra_body": {"google": thinking}})
    return _with_native_tools(deep_merge(body, _nested_extra_body(options.extra_body)), native)


def _shown(history: list[wire.Message], options: Options, facts: ModelFacts) -> Shown:
    return Shown(history) if facts.gemini else show_tool_media(history, options.model, facts)


def _for_this_model(
    history: list[wire.Message], options: Options, facts: ModelFacts, resource: Resource
) -> list[wire.Message]:
    """The messages with what the model takes back of its own: signatures if it is Gemini, else thoughts.

    Servers of the user's own get `content` beside calls in any case: some refuse a message without that key
    (huggingface/text-generation-inference#3021, InternLM/lmdeploy#4035).
    """
    if resource.own_server and not facts.gemini:
        history = [{"content": None, **message} if message.get("tool_calls") else message for message in history]  # type: ignore[misc]  # the wire's type has no null
    if not facts.gemini and "/" in options.model:
        history = without_signatures(history)
    return with_thoughts_back(history, options, facts)


def _with_native_tools(body: wire.Json, native: Sequence[Any]) -> wire.Json:
    """The body with Google's own tools in their place, behind those that the extra body brings."""
    if not native:
        return body
    tools = google_extras(body).get("tools") or []
    return deep_merge(body, {"extra_body": {"google": {"tools": [*tools, *native]}}})


def _tool_fields(fitted: FittedTools) -> wire.Json:
    fields = {"tools": fitted.tools, "tool_choice": fitted.choice}
    return {name: value for name, value in fields.items() if value}


def _plain_fields(options: Options, facts: ModelFacts) -> tuple[wire.Json, tuple[str, ...]]:
    """The options that go out as they are, each in its place; and the names of those that have no effect."""
    fields: wire.Json = {}
    ignored: list[str] = []
    # `getattr` on a pydantic model costs more than a look into its dict.
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
    """The user's extra body with Google's extras where Google documents them: under `extra_body.google`.

    Raises:
        SettingsError: A value that must be a mapping is none; None counts as left out.
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
        raise SettingsError(f"{key!r} in the extra body is no mapping: {value!r}.")
    return {name: each for name, each in (value or {}).items() if each is not None}


def _stream_fields(options: Options, facts: ModelFacts, resource: Resource) -> wire.Json:
    if options.n is not None and options.n > 1:
        raise SettingsError(f"n={options.n} in a stream.", hint="Ask for several answers without streaming.")
    # Google's Gemini sends usage unasked; OpenAI-compatible servers and gateways, whatever the model, only when asked.
    is_googles = facts.gemini and not resource.own_server
    return {"stream": True} if is_googles else {"stream": True, "stream_options": {"include_usage": True}}


def _headers(options: Options) -> dict[str, str]:
    headers = dict(options.default_headers or {})
    if (kind := options.request_type) is not None:
        headers[wire.REQUEST_TYPE_HEADER] = kind if isinstance(kind, str) else kind[0]
    if (tier := options.shared_request_type) is not None:
        tier = tier if isinstance(tier, str) else tier[0]
        # The standard tier is what a request without the header gets.
        if tier != "standard":
            headers[wire.SHARED_REQUEST_TYPE_HEADER] = tier
    return headers


# Converted once for each schema text; the results are shared, and not changed.
@lru_cache(maxsize=1024)
def _answer_schema(schema: bytes) -> wire.Json:
    return to_openapi(from_json(schema))


def _settle_formats(body: wire.Json, facts: ModelFacts, resource: Resource) -> None:
    """Complete in place what has a short form: the answer's schema, the cache's name."""
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
