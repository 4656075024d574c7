"""Builds the explanation of a request from settings, messages and the request itself. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.calls.places import Place
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.explain.explanation import REDACTED, Explanation, Remark
from vertex_compat_integrations.core.media.inline import Inline, large_media, linked, read
from vertex_compat_integrations.core.reply.tool_call import signatures_in
from vertex_compat_integrations.core.request.build import Request
from vertex_compat_integrations.core.request.content import parts_of
from vertex_compat_integrations.core.request.thinking import ThinkingFields, thinking_fields
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.destination import Destination
from vertex_compat_integrations.core.settings.environment import LOCATION_VARIABLES, PROJECT_VARIABLES
from vertex_compat_integrations.core.settings.media_bucket import resolve_media_bucket
from vertex_compat_integrations.core.settings.options import THINKING_SETTINGS, Options, wire_paths
from vertex_compat_integrations.core.settings.several_places import SEVERAL
from vertex_compat_integrations.core.transport.post import ACCEPTED_ENCODINGS

UNKNOWN_PROJECT = "PROJECT-OF-THE-CREDENTIALS"
"""The project in the URL if the credentials were not asked for theirs."""

_DEFAULTED = ("temperature", "top_p", "max_tokens")
"""Options with a remark if they are unset."""


@dataclass(frozen=True, slots=True)
class ExplainedCall:
    """A call, and its request.

    Attributes:
        connection: Settings of the destination and the credentials.
        destination: The destination from settings and environment.
        options: The options before the model's name was completed.
        messages: The messages before the history's rules.
        facts: The model's facts.
        request: The request.
        environment: Environment variables, which give project and location if they are not set.
        places: The places that a call tries, in this order.
    """

    connection: Connection
    destination: Destination
    options: Options
    messages: Sequence[wire.Message]
    facts: ModelFacts
    request: Request
    environment: Mapping[str, str]
    places: Sequence[Place]


def explain(call: ExplainedCall, project: str | None) -> Explanation:
    """Explain a call's request; `project` is that of the credentials, if it is already known."""
    project = call.destination.project or project
    url = call.destination.build_base_url(project or UNKNOWN_PROJECT) + wire.CHAT_PATH
    thinking = thinking_fields(call.options, call.facts)
    links = _links(call)
    remarks = (
        *_of_place(call, project),
        *_of_places(call),
        *_of_credentials(call),
        *_of_model(call),
        *_of_options(call),
        *_of_thinking(call.options, thinking),
        *_of_notes(call.request, thinking),
        *_of_messages(call.messages, call.request.body["messages"]),
        *(Remark("converted", _sized(medium), f"Above 7 MB: it is uploaded to {link}.") for medium, link in links),
    )
    body = linked(call.request.body, dict(links)) if links else call.request.body
    return Explanation(url, _headers(call), body, remarks)


def _links(call: ExplainedCall) -> list[tuple[Inline, str]]:
    """The large media, with the links to which they would be uploaded."""
    bucket = resolve_media_bucket(call.connection, call.destination)
    if bucket is None or not call.facts.gemini:
        return []
    media = [(inline, read(inline)) for inline in large_media(call.request.body)]
    return [(inline, bucket.link(medium.name)) for inline, medium in media if medium is not None]


def _sized(inline: Inline) -> str:
    return f"a medium ({inline.mime_type}, {inline.bytes / 1e6:.1f} MB)"


def _headers(call: ExplainedCall) -> dict[str, str]:
    """The headers in a form that may be shown."""
    hidden = call.options.default_headers or {}
    shown = {name: REDACTED if name in hidden else value for name, value in call.request.headers.items()}
    quota = call.connection.quota_project if not call.destination.emulated else None
    account = {"x-goog-user-project": quota} if quota else {}
    return {
        "Authorization": f"Bearer {REDACTED}",
        **account,
        "Content-Type": "application/json",
        "Accept-Encoding": ACCEPTED_ENCODINGS,
        **shown,
    }


def _of_place(call: ExplainedCall, project: str | None) -> Iterator[Remark]:
    connection, destination = call.connection, call.destination
    if destination.emulated:
        why = f"{wire.EMULATOR_HOST_VARIABLE} is set: requests go to the emulator, without credentials."
        yield Remark("converted", "the destination", why)
    if connection.base_url is not None:
        if destination.base_url != connection.base_url:
            yield Remark("converted", "base_url", f"{destination.base_url} is the part before the route.")
        return
    if connection.location is None and not connection.locations:
        source = _source(LOCATION_VARIABLES, call.environment) or "It is unset, and this location has the most models."
        yield Remark("defaulted", f"location={destination.location!r}", source)
    if connection.project is None and not connection.projects:
        yield _of_unset_project(project, call.environment)


def _of_unset_project(project: str | None, environment: Mapping[str, str]) -> Remark:
    if project is None:
        return Remark("defaulted", "project", "It is unset: the first call takes the credentials' project.")
    source = _source(PROJECT_VARIABLES, environment) or "From the credentials, or from the emulator."
    return Remark("defaulted", f"project={project!r}", source)


def _of_places(call: ExplainedCall) -> Iterator[Remark]:
    """Explain in which order several places are tried."""
    if len(call.places) < 2:
        return
    reached = call.connection.max_retries + 1
    first, *others = map(str, call.places[:reached])
    why = f"{first} is tried first" + (f", then {', '.join(others)}" if others else "")
    why += ": after a 429, a 503, or where the model is not served."
    if missed := call.places[reached:]:
        why += f" max_retries={reached - 1} does not reach {', '.join(map(str, missed))}."
    names = [name for name in SEVERAL if len(getattr(call.connection, name)) > 1]
    yield Remark("converted", " and ".join([*names, *_several_types(call.options)]), why)


def _several_types(options: Options) -> list[str]:
    names = ("request_type", "shared_request_type")
    return [name for name in names if not isinstance(getattr(options, name), str | None)]


def _source(variables: Sequence[str], environment: Mapping[str, str]) -> str | None:
    name = next((name for name in variables if environment.get(name)), None)
    return f"It is unset: {name} sets it." if name else None


def _of_credentials(call: ExplainedCall) -> Iterator[Remark]:
    connection = call.connection
    if call.destination.emulated or connection.api_key is not None or connection.credentials is not None:
        return
    why = "None are set: the first call looks up Application Default Credentials."
    yield Remark("defaulted", "credentials", why)


def _of_model(call: ExplainedCall) -> Iterator[Remark]:
    sent = call.request.body["model"]
    if call.options.model != sent:
        yield Remark("converted", f"model={call.options.model!r}", f"{sent!r} is its name on this endpoint.")


def _of_options(call: ExplainedCall) -> Iterator[Remark]:
    """Explain the options that are sent in the body."""
    for name in wire_paths():
        if (value := getattr(call.options, name)) is not None:
            yield from _of_option(name, value, call.request)
    if call.options.parallel_tool_calls is not None and "parallel_tool_calls" not in call.request.body:
        yield Remark("dropped", "parallel_tool_calls", "The endpoint ignores it; False keeps an answer's first call.")
    if "stream_options" in call.request.body:
        yield Remark("defaulted", "stream_options", "Streams report token counts only on request.")
    if unset := [name for name in _DEFAULTED if getattr(call.options, name) is None]:
        yield Remark("defaulted", ", ".join(unset), "Unset is not sent, so the service's own defaults apply.")


def _of_option(name: str, value: Any, request: Request) -> Iterator[Remark]:
    """Explain an option that is set."""
    if name in request.ignored:
        yield Remark("dropped", name, f"{request.body['model']} ignores it on this endpoint.")
    elif name == "tools":
        yield from _of_tools(value, request.body)
    elif (sent := _at(request.body, wire_paths()[name])) is None:
        yield Remark("dropped", name, _EMPTY.get(name, "It equals the default."))
    elif sent != value:
        yield Remark("converted", name, _WHY.get(name, f"{sent!r} is the endpoint's form of it."))


_EMPTY = {"stop": "An empty list has no effect.", "tool_choice": "There is no tool to choose, or the model decides."}
_WHY = {
    "response_format": "The schema is converted to the endpoint's subset of JSON Schema.",
    "safety_settings": "The endpoint requires a list of category and threshold.",
    "model_safety_settings": "The endpoint requires a mapping.",
    "cached_content": "Its full name has project and location.",
}


def _of_tools(tools: Sequence[Any], body: wire.Json) -> Iterator[Remark]:
    sent = {tool["function"]["name"]: tool for tool in body.get("tools") or () if "function" in tool}
    for tool in tools:
        name = tool.get("function", {}).get("name") if isinstance(tool, Mapping) else None
        if name is None:
            yield Remark("converted", f"the tool {', '.join(tool)}", "Google's own tools are under extra_body.google.")
        elif name not in sent:
            yield Remark("dropped", f"the tool {name}", "tool_choice does not allow it.")
        elif sent[name] != tool:
            yield Remark("converted", f"the tool {name}", "It is converted to the endpoint's subset of JSON Schema.")


def _of_thinking(options: Options, fields: ThinkingFields) -> Iterator[Remark]:
    named = [f"{name}={value!r}" for name in THINKING_SETTINGS if (value := getattr(options, name)) is not None]
    sent = {**fields.top, **fields.google}
    marker = sent.pop("thought_tag_marker", None)
    if named and sent != {"reasoning_effort": options.reasoning_effort} and not fields.notes:
        yield Remark("converted", ", ".join(named), f"{sent} is this model's form of it.")
    if marker is not None and options.thought_tag_marker is None:
        yield Remark("defaulted", f"thought_tag_marker={marker!r}", "It separates thoughts from the answer.")


def _of_notes(request: Request, thinking: ThinkingFields) -> Iterator[Remark]:
    """List the parts that the model does not support."""
    for note in request.notes:
        yield Remark("dropped" if note in thinking.notes else "converted", "for this model", note)


def _of_messages(passed: Sequence[wire.Message], sent: Sequence[wire.Message]) -> Iterator[Remark]:
    if len(sent) < len(passed):
        why = f"{len(passed)} become {len(sent)}: some are empty, or are joined with the next one."
        yield Remark("converted", "messages", why)
    had, has = _signatures(passed), _signatures(sent)
    skipped = has.count(wire.SKIP_SIGNATURE) - had.count(wire.SKIP_SIGNATURE)
    if skipped > 0:
        why = f"The history lacks {skipped} that the model requires: Google's skip value is sent instead."
        yield Remark("defaulted", "thought signatures", why)
    if (lost := len(had) - len(has) + max(skipped, 0)) > 0:
        why = f"{lost} are not sent: they are repeated, or this model cannot read them."
        yield Remark("dropped", "thought signatures", why)
    if _results(passed) != _results(sent):
        yield Remark("converted", "the order of tool results", "Results follow the calls, in the calls' order.")
    if _arguments(passed) != _arguments(sent):
        yield Remark("converted", "arguments of tool calls", "Some are not a JSON object.")
    if _preambles(sent) < _preambles(passed):
        yield Remark("dropped", "text next to tool calls", "This model refuses it.")


def _calls(messages: Iterable[wire.Message]) -> Iterator[Any]:
    for message in messages:
        if message["role"] == "assistant":
            yield from message.get("tool_calls") or ()


def _signatures(messages: Sequence[wire.Message]) -> list[str]:
    holders = [*messages, *_calls(messages), *(part for message in messages for part in parts_of(message))]
    return [signature for holder in holders for signature in signatures_in(holder.get("extra_content"))]


def _results(messages: Iterable[wire.Message]) -> list[str]:
    return [message["tool_call_id"] for message in messages if message["role"] == "tool"]


def _arguments(messages: Iterable[wire.Message]) -> list[tuple[str, str]]:
    return [(call["id"], call["function"]["arguments"]) for call in _calls(messages)]


def _preambles(messages: Iterable[wire.Message]) -> int:
    return sum(bool(message.get("tool_calls")) and bool(message.get("content")) for message in messages)


def _at(body: wire.Json, path: Sequence[str]) -> object:
    value: object = body
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
