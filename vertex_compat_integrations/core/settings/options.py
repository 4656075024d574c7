"""Every parameter that one request can carry: type, range, meaning, and its path in the request body.

Source of names and ranges: Google's page on OpenAI compatibility, "Supported parameters" and "Gemini-specific
parameters" (2026-09-03).
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Unpack, get_args

from pydantic import Field, ValidationInfo, field_validator

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.core.json_values import JsonObject, deep_merge
from vertex_compat_integrations.core.settings.arguments import (
    Effort,
    HarmCategory,
    HarmThreshold,
    Level,
    OptionArguments,
    RequestType,
    SharedRequestType,
)
from vertex_compat_integrations.core.settings.base import Settings, check_header, rename_aliases

_SAFETY_WORDS = {"category": get_args(HarmCategory), "threshold": get_args(HarmThreshold)}


@dataclass(frozen=True, slots=True)
class Wire:
    """A parameter's path in the request body."""

    path: tuple[str, ...]


def _wire(*path: str) -> Wire:
    return Wire(path)


def _google(*path: str) -> Wire:
    """A path of Google's extras, which the REST body has under `extra_body.google` (Google's page, "extra_body")."""
    return Wire(("extra_body", "google", *path))


class Options(Settings):
    """All parameters of a request except its messages; None is not sent, so the service's own default applies."""

    setting_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "max_completion_tokens": "max_tokens",
        "max_output_tokens": "max_tokens",
        "stop_sequences": "stop",
        "headers": "default_headers",
        "extra_headers": "default_headers",
    }

    if TYPE_CHECKING:

        def __init__(self, /, **settings: Unpack[OptionArguments]) -> None: ...

    model: str = ""
    """Model as `publisher/name`; `gemini-…` means `google/gemini-…`. Empty by default, for a deployed endpoint."""

    temperature: Annotated[float | None, Field(ge=0, le=2), _wire("temperature")] = None
    """Randomness, from 0 to 2; None is not sent. Google advises to leave Gemini 3 at its default of 1."""

    top_p: Annotated[float | None, Field(ge=0, le=1), _wire("top_p")] = None
    """Nucleus sampling: share of the probability mass to draw tokens from, from 0 to 1; None is not sent."""

    max_tokens: Annotated[int | None, Field(ge=1), _wire("max_tokens")] = None
    """Maximum tokens of the answer, thoughts included, e.g. 1024; None is not sent: the model's own limit applies."""

    n: Annotated[int | None, Field(ge=1), _wire("n")] = None
    """Number of answers; None is not sent and returns one. Most Gemini models accept only 1."""

    stop: Annotated[str | Sequence[str] | None, _wire("stop")] = None
    """Stop sequences: the answer ends before the first of these texts, e.g. `["END"]`; None and `[]` are not sent."""

    seed: Annotated[int | None, _wire("seed")] = None
    """A whole number, e.g. 42, that makes answers repeatable as far as the service can; None is not sent."""

    frequency_penalty: Annotated[float | None, Field(ge=-2, le=2), _wire("frequency_penalty")] = None
    """Penalty on tokens in proportion to how often the text already has them, from -2 to 2; None is not sent."""

    presence_penalty: Annotated[float | None, Field(ge=-2, le=2), _wire("presence_penalty")] = None
    """Penalty on tokens that the text already has, from -2 to 2; None is not sent."""

    response_format: Annotated[wire.Json | None, _wire("response_format")] = None
    """Format: `{"type": "json_object" | "json_schema" | "text", …}`; other types are MIME types. None is not sent."""

    tools: Annotated[Sequence[Any] | None, _wire("tools")] = None
    """Functions that the model can call, in OpenAI's form, or Google's tools (`{"google_search": {}}`); else none."""

    tool_choice: Annotated[str | bool | list[str] | wire.Json | None, _wire("tool_choice")] = None
    """`auto`, `none`, `required` (or `any`, True), `validated`, a tool's name, or a mapping that names one.

    A list of names, or OpenAI's `allowed_tools`, allows these tools: only they are sent. None lets the model decide.
    """

    parallel_tool_calls: bool | None = None
    """Limit on tool calls: False allows at most one call per answer; None and True allow any number.

    The endpoint ignores the parameter; this package keeps the first call and sets the others aside.
    """

    on_recursion: Literal["cut", "error"] | None = None
    """How to send a tool schema that contains itself, which Gemini does not accept: `cut` it or raise an `error`.

    `cut` replaces the repeated part with a free object. Unset, the schema is cut, and one warning names tool and path.
    Other models get such a schema unchanged; in an answer's schema it is always refused.
    """

    modalities: Annotated[Sequence[Literal["text", "image", "audio"]] | None, _wire("modalities")] = None
    """Kinds of output that the answer can contain, e.g. `["text", "image"]`; None is not sent and returns text."""

    web_search_options: Annotated[wire.Json | None, _wire("web_search_options")] = None
    """`{}` grounds the answer in Google Search; the endpoint has no sub-options. None does not search."""

    thinking: Effort | bool | Annotated[int, Field(ge=-1)] | wire.Json | None = None
    """One setting for the four below: an effort, a budget in tokens, False (off) or a mapping; None is not sent."""

    reasoning_effort: Effort | None = None
    """How much to think; `"none"` is sent as a budget of 0, since the endpoint refuses the word. None is not sent."""

    thinking_budget: int | None = Field(default=None, ge=-1)
    """Tokens to think with, e.g. 1024; 0 turns thinking off, -1 lets the model decide, and None is not sent."""

    thinking_level: Level | None = None
    """How much to think, as a level of Gemini 3, e.g. `"low"`; None is not sent."""

    include_thoughts: bool | None = None
    """Whether the answer includes a summary of the thoughts; None is not sent."""

    thought_tag_marker: Annotated[str | None, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")] = None
    """Tag that wraps thoughts in the answer's text; None is `think` if thoughts are requested, otherwise not sent."""

    send_thoughts: bool | Literal["field", "tags"] | None = None
    """Whether thoughts of the current turn's tool calls are sent back to an open model; unset, as its page requires.

    `field` sends them as `reasoning_content` next to the calls, `tags` as `<think>…</think>` before the text; True uses
    the form that the model requires. Nothing is sent to another publisher's model, nor to Gemini, whose thoughts are
    sent back as signatures.
    """

    safety_settings: Annotated[
        list[dict[str, str]] | dict[HarmCategory, HarmThreshold] | None, _google("safety_settings")
    ] = None
    """Threshold from which each harm category is blocked: a mapping, or the wire's list (optionally with `method`).

    Example: `{"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}`. None is not sent, so the model's own thresholds apply.
    """

    model_safety_settings: Annotated[bool | wire.Json | None, _google("model_safety_settings")] = None
    """Llama Guard, for Llama models only: False turns it off, or pass Google's mapping; None leaves it on."""

    cached_content: Annotated[str | None, _google("cached_content")] = None
    """Resource name of a context cache; a short name is completed with project and location. None uses no cache."""

    media_resolution: Annotated[str | None, _google("media_resolution")] = None
    """Resolution at which media are read, e.g. `MEDIA_RESOLUTION_HIGH`; None is not sent."""

    logprobs: Annotated[bool | None, _wire("logprobs")] = None
    """Whether the answer includes log probabilities; None is not sent. Gemini ignores it."""

    top_logprobs: Annotated[int | None, _wire("top_logprobs")] = None
    """Number of most likely tokens that get log probabilities; None is not sent. Gemini ignores it."""

    logit_bias: Annotated[dict[str, float] | None, _wire("logit_bias")] = None
    """Bias for token ids, from -100 to 100 in OpenAI's form; None is not sent. Gemini ignores it."""

    user: Annotated[str | None, _wire("user")] = None
    """The end user's id; None is not sent. Gemini ignores it."""

    store: Annotated[bool | None, _wire("store")] = None
    """Whether the service stores the answer; None is not sent. Gemini ignores it."""

    service_tier: Annotated[str | None, _wire("service_tier")] = None
    """OpenAI's service tier; None is not sent. Gemini ignores it: see `request_type` and `shared_request_type`."""

    prediction: Annotated[wire.Json | None, _wire("prediction")] = None
    """Predicted output; None is not sent. Gemini ignores it."""

    prompt_cache_key: Annotated[str | None, _wire("prompt_cache_key")] = None
    """OpenAI's cache key; None is not sent. Gemini ignores it (its cache needs no key): see `cached_content`."""

    extra_body: wire.Json | None = None
    """Fields merged deeply into the request body, e.g. `{"google": {…}}` for Google's extras; None adds nothing."""

    default_headers: dict[str, str] | None = Field(default=None, exclude=True, repr=False)
    """Headers of each request, in addition to the credential's; None adds none.

    They are never shown or dumped, since they may hold a key.
    """

    request_type: RequestType | Sequence[RequestType] | None = None
    """Provisioned throughput only (`dedicated`), or never (`shared`); several values are tried in their order.

    The next one is tried when the one before has no capacity, as with `locations`. None leaves the choice to Google:
    provisioned throughput if it is free, otherwise pay-as-you-go.
    """

    shared_request_type: SharedRequestType | Sequence[SharedRequestType] | None = None
    """Tier of pay-as-you-go requests: `priority`, `flex` or `standard`; several values are tried in their order.

    Free provisioned throughput is used first, unless `request_type` is `shared`: both settings together mean "only this
    tier". `request_type=["dedicated", "shared"], shared_request_type=["priority", "flex", "standard"]` tries
    provisioned throughput, then each tier alone. Google serves `priority` at global, us and eu, `flex` at global. None
    is not sent, which means the tier `standard`.
    """

    @field_validator("thinking", mode="after")
    @classmethod
    def _thinking_says_how_much(cls, value: object) -> object:
        if value is True:
            raise SettingsError(
                "thinking=True does not say how much.", hint='Pass an effort ("low" … "max") or a budget.'
            )
        return value

    @field_validator("safety_settings", mode="after")
    @classmethod
    def _safety_settings_are_known(cls, value: object) -> object:
        for setting in value if isinstance(value, list) else ():
            for name, words in _SAFETY_WORDS.items():
                if setting.get(name) not in words:
                    raise SettingsError(
                        f"safety_settings has the {name} {setting.get(name)!r}.",
                        hint=f"Use one of {', '.join(words)}.",
                    )
        return value

    @field_validator("request_type", "shared_request_type", mode="after")
    @classmethod
    def _request_types_differ(cls, value: str | Sequence[str] | None, info: ValidationInfo) -> Any:
        if isinstance(value, str) or value is None:
            return value
        if len(set(value)) < len(value):
            raise SettingsError(
                f"{info.field_name}={value!r} has a value twice.", hint="Name each once, the first choice first."
            )
        return tuple(value) or None

    @field_validator("default_headers", mode="after")
    @classmethod
    def _headers_hold_no_credential(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value and any(name.lower() in ("authorization", "x-goog-api-key", "cookie") for name in value):
            raise SettingsError("default_headers holds a credential.", hint="Pass credentials= or api_key=.")
        for name, text in (value or {}).items():
            check_header("default_headers", name, text)
        return value


TOLERATED = frozenset(
    {
        "strict",
        "ls_structured_output_format",
        "stream",
        "stream_options",
        "stream_usage",
        "metadata",
        "config",
        "prompt_cache_key",
        "service_tier",
    }
)
"""Call-time arguments that frameworks set by themselves; they are ignored, and cause no error."""

THINKING_SETTINGS = ("thinking", "reasoning_effort", "thinking_budget", "thinking_level")
"""Four names of one setting: one of them in a call replaces all of them in the settings."""


@cache
def option_names() -> tuple[str, ...]:
    """Return the names of all fields of `Options`."""
    return tuple(Options.model_fields)


@cache
def wire_paths() -> dict[str, tuple[str, ...]]:
    """Map each field that is sent unchanged to its path in the request body."""
    return {
        name: mark.path
        for name, field in Options.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Wire)
    }


def effective_options(settings: Options, call: JsonObject) -> Options:
    """Return `settings` with the arguments of one call over them; an argument that is None counts as absent.

    Plain options are returned unchanged if the call has no arguments; otherwise the result is a copy.

    Raises:
        pydantic.ValidationError: A value of the call is out of range or of the wrong type.
    """
    renamed = rename_aliases(call, Options.setting_aliases)
    arguments = {name: value for name, value in renamed.items() if value is not None}
    if not arguments and type(settings) is Options:
        return settings
    fields = vars(settings)
    values = {name: fields[name] for name in option_names()}
    if arguments:
        _set_arguments(values, arguments)
    # Copying a blank object takes a tenth of the time of `model_construct`.
    return _blank().model_copy(update=values)


def _set_arguments(values: dict[str, Any], arguments: JsonObject) -> None:
    """Put a call's arguments over the values of the settings; the caller warns about unknown ones."""
    options = {name: value for name, value in arguments.items() if name in values and name not in TOLERATED}
    checked = Options.model_validate(options)
    if not checked.model_fields_set.isdisjoint(THINKING_SETTINGS):
        values |= dict.fromkeys(THINKING_SETTINGS)
    for name in checked.model_fields_set:
        values[name] = _merged(name, values[name], getattr(checked, name))


@cache
def _blank() -> Options:
    return Options()


def with_tools_for_functions(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments, with OpenAI's deprecated `functions` and `function_call` as tools and tool choice."""
    arguments = {name: value for name, value in call.items() if name not in ("functions", "function_call")}
    functions, choice = call.get("functions"), call.get("function_call")
    if functions:
        warnings.warn("functions= is deprecated: it is sent as tools=.", VertexCompatWarning, stacklevel=4)
        tools = [{"type": "function", "function": dict(function)} for function in functions]
        arguments["tools"] = [*(arguments.get("tools") or ()), *tools]
    if choice is not None and arguments.get("tool_choice") is None:
        arguments["tool_choice"] = choice
    return arguments


LIMITS_OF_CALL: Mapping[str, str] = {
    "timeout": "timeout",
    "request_timeout": "timeout",
    "max_retries": "max_retries",
}
"""Settings of the connection that a single call can change, and their other names."""

PLACES = frozenset(
    {
        *("project", "project_id", "location", "region", "locations", "api_version", "endpoint", "endpoint_host"),
        *("base_url", "credentials", "api_key", "impersonate_service_account", "quota_project"),
        *("projects", "service_accounts"),
    }
)
"""Settings that decide where a prompt goes, or with which credentials.

A call that names one is refused: if the argument were ignored, the prompt would go to another destination.
"""


def limits_of_call(call: JsonObject) -> dict[str, float]:
    """Return the deadline and the number of retries that a call sets.

    Raises:
        SettingsError: A value is not a number, or is out of range.
    """
    return {
        name: _checked_limit(word, name, value)
        for word, name in LIMITS_OF_CALL.items()
        if (value := call.get(word)) is not None
    }


def _checked_limit(word: str, name: str, value: Any) -> float:
    is_count = type(value) is int and value >= 0
    is_time = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
    if not (is_count if name == "max_retries" else is_time):
        raise SettingsError(
            f"{word}={value!r} of a call.", hint="Pass timeout= in seconds, and max_retries= as 0 or more."
        )
    return float(value) if name == "timeout" else value


def unknown_names(call: JsonObject, *, of_call: bool = False) -> list[str]:
    """Return arguments that are neither options nor known to be set by frameworks; `of_call` allows a call's limits.

    Raises:
        SettingsError: A call sets one of `PLACES`.
    """
    if of_call and not PLACES.isdisjoint(call):
        name = min(PLACES.intersection(name for name, value in call.items() if value is not None), default=None)
        if name is not None:
            raise SettingsError(
                f"{name}= cannot be passed with a call: it decides where the prompt goes.",
                hint="Pass it to the constructor; for several destinations, create several objects.",
            )
    return [
        name
        for name, value in call.items()
        if value is not None
        and name not in Options.model_fields
        and name not in Options.setting_aliases
        and name not in TOLERATED
        and not (of_call and name in LIMITS_OF_CALL)
    ]


def _merged(name: str, setting: Any, argument: Any) -> Any:
    if name in ("extra_body", "default_headers") and setting:
        return deep_merge(setting, argument)
    return argument
