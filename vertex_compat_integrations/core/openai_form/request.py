"""Converts a program's request to the endpoint's form: names, schemas, signatures, rules for the history. Pure.

Unknown parts are sent unchanged, and the endpoint's own refusal explains them. Parts that are known to be refused, and
cannot be repaired, are refused before sending, with the same messages as in the classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts, facts_for
from vertex_compat_integrations.core.errors import InvalidRequestError, VertexCompatError
from vertex_compat_integrations.core.json_values import deep_merge, google_extras, mapping_in
from vertex_compat_integrations.core.openai_form.answer import AnswerForm
from vertex_compat_integrations.core.openai_form.anthropic_blocks import without_anthropic_blocks
from vertex_compat_integrations.core.openai_form.odd_messages import has_stand_ins, with_stand_ins, without_stand_ins
from vertex_compat_integrations.core.openai_form.signature_memory import SignatureMemory
from vertex_compat_integrations.core.reply.events import decode_json
from vertex_compat_integrations.core.request.history import settle_history, without_signatures
from vertex_compat_integrations.core.request.limits import NEUTRAL, refuse_option
from vertex_compat_integrations.core.request.mending import NO_LOSS, Mending
from vertex_compat_integrations.core.request.quirks import FittedMessages, FittedTools, fit_messages, fit_tools
from vertex_compat_integrations.core.request.tool_message import show_tool_media
from vertex_compat_integrations.core.request.tool_names import answer_name, with_wire_names
from vertex_compat_integrations.core.request.tools import Declared, settle_tools
from vertex_compat_integrations.core.schema.convert import to_openapi
from vertex_compat_integrations.core.settings.options import wire_paths

_NEUTRAL = {**NEUTRAL, "top_p": 1}
_BOOKKEEPING = frozenset({"prediction", "prompt_cache_key", "service_tier", "store", "user"})
"""Options that do not affect the words of an answer: OpenAI's own clients always send some of them."""


@dataclass(frozen=True, slots=True)
class FittedRequest:
    """A converted request.

    Attributes:
        body: The JSON body.
        form: The form of its answer.
        notes: Changes with a loss, and options without effect, as sentences for the user.
    """

    body: wire.Json
    form: AnswerForm
    notes: tuple[str, ...] = ()


def decode_request(raw: bytes) -> wire.Json:
    """Decode the JSON object that a program sent.

    Raises:
        InvalidRequestError: The body is not a JSON object.
    """
    try:
        body = decode_json(raw)
    except VertexCompatError:
        body = None
    if not isinstance(body, dict):
        raise InvalidRequestError("The request's body is not a JSON object.", hint="Send Chat Completions.", code=400)
    return body


def fit_chat(
    body: wire.Json, model: str, memory: SignatureMemory, mending: Mending = NO_LOSS, *, own_server: bool = False
) -> FittedRequest:
    """Convert a chat request for this model.

    Args:
        body: The program's request.
        model: The model's name on the endpoint.
        memory: The signatures of earlier answers.
        mending: What may be lost when an invalid history is repaired.
        own_server: Whether the server is the user's own, not a Google host.

    Raises:
        SettingsError: No model accepts these messages or tools.
    """
    facts = facts_for(model)
    fields = _without_unset(body, facts, own_server=own_server)
    ignored = _ignored(fields, model, facts)
    notes = _ignored_notes(ignored, fields, model)
    fields = {name: value for name, value in fields.items() if name not in ignored}
    tools = fields.get("tools")
    declared = settle_tools(tools, fields.get("tool_choice"), facts) if isinstance(tools, list) else None
    if declared is not None:
        fitted = fit_tools(declared.functions, declared.choice, model, facts)
        fields = _with_tools(fields, declared, fitted)
        notes = (*notes, *declared.notes, *fitted.notes)
    fields = {**_with_answer_schema(fields, facts), "model": model}
    if isinstance(messages := body.get("messages"), list):
        names = declared.renamed if declared is not None else {}
        conversation = _Conversation(model, facts, names, own_server).settled(messages, memory, mending, bool(tools))
        fields["messages"] = without_stand_ins(conversation.messages)
        notes = (*notes, *conversation.notes)
    return FittedRequest(fields, _form(body, declared), (*notes, *mending.notes))


def embeddings_body(body: wire.Json, model: str) -> wire.Json:
    """Return the request for vectors from this model."""
    return {**body, "model": model}


def _form(body: wire.Json, declared: Declared | None) -> AnswerForm:
    return AnswerForm(
        declared.own_names if declared is not None else {},
        one_call=body.get("parallel_tool_calls") is False,
        wants_usage=bool(mapping_in(body.get("stream_options")).get("include_usage")),
    )


def _without_unset(body: wire.Json, facts: ModelFacts, *, own_server: bool) -> wire.Json:
    """Return the body without empty parts: nulls, and empty lists of tools with the options that refer to them.

    Gemini on Vertex AI has no `parallel_tool_calls`, and always reports token counts.
    """
    dropped: set[str] = set()
    for tools, choice in (("tools", "tool_choice"), ("functions", "function_call")):
        if not body.get(tools):
            dropped |= {tools, *((choice, "parallel_tool_calls") if body.get(choice) in ("auto", "none") else ())}
    if not body.get("tools") or facts.gemini:
        dropped.add("parallel_tool_calls")
    if not body.get("stream") or (facts.gemini and not own_server):
        dropped.add("stream_options")
    return {name: value for name, value in body.items() if value is not None and name not in dropped}


def _ignored(body: wire.Json, model: str, facts: ModelFacts) -> tuple[str, ...]:
    """Return the options of the body that the model does not accept; they are omitted, since programs always send some.

    Raises:
        SettingsError: The model refuses an option that affects the answer.
    """
    settings = {name for name, path in wire_paths().items() if path == (name,)}
    named = [name for name in body if name in settings and (name in facts.refuses or name in facts.ignores)]
    for name in named:
        if not _says_nothing(name, body[name]):
            refuse_option(name, body[name], model, facts)
    return tuple(named)


def _says_nothing(name: str, value: object) -> bool:
    """Return whether the answer is the same without the option."""
    return name in _BOOKKEEPING or value is False or value == {} or _NEUTRAL.get(name) == value


def _ignored_notes(names: tuple[str, ...], body: wire.Json, model: str) -> tuple[str, ...]:
    missed = [name for name in names if not _says_nothing(name, body[name])]
    return (f"{model} does not accept {', '.join(missed)}: left out.",) if missed else ()


def _with_tools(body: wire.Json, declared: Declared, fitted: FittedTools) -> wire.Json:
    """Return the body with tools in the form that the model accepts, and Google's own tools at their path."""
    tool_fields = {"tools": list(fitted.tools), "tool_choice": fitted.choice}
    others = {name: value for name, value in body.items() if name not in tool_fields}
    fields = {**others, **{name: value for name, value in tool_fields.items() if value}}
    if not declared.native:
        return fields
    google_tools = google_extras(body).get("tools") or []
    return deep_merge(fields, {"extra_body": {"google": {"tools": [*google_tools, *declared.native]}}})


def _with_answer_schema(body: wire.Json, facts: ModelFacts) -> wire.Json:
    """Return the body with the answer's schema under a valid name, and for Gemini in the endpoint's subset."""
    wanted = mapping_in(mapping_in(body.get("response_format")).get("json_schema"))
    if not wanted:
        return body
    fitted = dict(wanted)
    if isinstance(name := wanted.get("name"), str) and name:
        fitted["name"] = answer_name(name)
    if facts.gemini:
        # `strict` has no counterpart in Gemini's API.
        fitted.pop("strict", None)
        if isinstance(schema := wanted.get("schema"), dict):
            fitted["schema"] = to_openapi(schema)
    return {**body, "response_format": {**body["response_format"], "json_schema": fitted}}


@dataclass(frozen=True, slots=True)
class _Conversation:
    """The model for which messages are converted.

    Attributes:
        model: The model's name.
        facts: The model's facts.
        renamed: A function's name → its name in the request.
        own_server: Whether the server is the user's own, not a Google host.
    """

    model: str
    facts: ModelFacts
    renamed: Mapping[str, str]
    own_server: bool

    def settled(self, values: list[Any], memory: SignatureMemory, mending: Mending, has_tools: bool) -> FittedMessages:  # noqa: FBT001 - called once
        """Return the messages by the model's rules, with placeholders for odd ones."""
        messages = with_stand_ins(without_anthropic_blocks(values))
        if messages is None:
            return FittedMessages(values)
        # As in the library's classes: signatures are Gemini's, and must not reach another publisher's model.
        is_gemini = self.facts.gemini or "/" not in self.model
        messages = memory.restore(messages, self.model) if is_gemini else without_signatures(messages)
        settled = settle_history(messages, self.facts, mending=mending)
        settled = with_wire_names(settled, self.renamed, is_gemini=self.facts.gemini)
        return FittedMessages(settled) if self.facts.gemini else self._for_open_model(settled, has_tools=has_tools)

    def _for_open_model(self, messages: list[wire.Message], *, has_tools: bool) -> FittedMessages:
        shown = show_tool_media(messages, self.model, self.facts)
        fitting = shown.messages
        if self.own_server:
            # Some servers refuse a message without that key (huggingface/text-generation-inference#3021).
            fitting = [{"content": None, **each} if each.get("tool_calls") else each for each in fitting]  # type: ignore[misc]  # the wire's type has no null
        if has_stand_ins(fitting):
            return FittedMessages(fitting, shown.notes)
        fitted = fit_messages(fitting, self.model, self.facts, has_tools=has_tools)
        return FittedMessages(fitted.messages, (*shown.notes, *fitted.notes))
