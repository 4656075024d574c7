"""Every parameter that one request may carry: type, range, meaning, and its place on the wire.

Source of names and ranges: Google's page on OpenAI compatibility, "Supported parameters" and "Gemini-specific
parameters" (2026-09-03).
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator

from vertex_compat_integrations.core.errors import SettingsError, VertexCompatWarning
from vertex_compat_integrations.core.json_values import deep_merge
from vertex_compat_integrations.core.settings.base import Settings, rename_aliases

Effort = Literal["none", "minimal", "low", "medium", "high", "max"]
Level = Literal["minimal", "low", "medium", "high"]
RequestType = Literal["dedicated", "shared"]
HarmCategory = Literal[
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
    "HARM_CATEGORY_JAILBREAK",
    "HARM_CATEGORY_IMAGE_HATE",
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
    "HARM_CATEGORY_IMAGE_HARASSMENT",
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_UNSPECIFIED",
]
HarmThreshold = Literal[
    "OFF",
    "BLOCK_NONE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_LOW_AND_ABOVE",
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
]
_SAFETY_WORDS = {"category": get_args(HarmCategory), "threshold": get_args(HarmThreshold)}


@dataclass(frozen=True, slots=True)
class Wire:
    """A parameter's place in the request body, as path."""

    path: tuple[str, ...]


def _wire(*path: str) -> Wire:
    return Wire(path)


def _google(*path: str) -> Wire:
    """In the REST body, Google's extras stand under `extra_body.google` (Google's page, "extra_body")."""
    return Wire(("extra_body", "google", *path))


class Options(Settings):
    """What a request says besides its messages; None means: not sent, so the service's own default holds."""

    setting_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "max_completion_tokens": "max_tokens",
        "max_output_tokens": "max_tokens",
        "stop_sequences": "stop",
        "headers": "default_headers",
        "extra_headers": "default_headers",
    }

    model: str = ""
    """`publisher/name`; a bare `gemini-…` means `google/gemini-…`. May be empty for a deployed endpoint."""

    temperature: Annotated[float | None, Field(ge=0, le=2), _wire("temperature")] = None
    """Randomness. Google advises to leave Gemini 3 at its default of 1."""

    top_p: Annotated[float | None, Field(ge=0, le=1), _wire("top_p")] = None
    """Share of probability mass that tokens are drawn from."""

    max_tokens: Annotated[int | None, Field(ge=1), _wire("max_tokens")] = None
    """Most tokens of the answer, thoughts included."""

    n: Annotated[int | None, Field(ge=1), _wire("n")] = None
    """Number of answers; most Gemini models take 1 only."""

    stop: Annotated[str | Sequence[str] | None, _wire("stop")] = None
    """Where the answer ends; an empty list is not sent."""

    seed: Annotated[int | None, _wire("seed")] = None
    """Makes answers repeatable as far as the service can."""

    frequency_penalty: Annotated[float | None, Field(ge=-2, le=2), _wire("frequency_penalty")] = None
    """Lowers the probability of tokens by how often they stand already."""

    presence_penalty: Annotated[float | None, Field(ge=-2, le=2), _wire("presence_penalty")] = None
    """Lowers the probability of tokens that stand already."""

    response_format: Annotated[dict[str, Any] | None, _wire("response_format")] = None
    """`{"type": "json_object" | "json_schema" | "text", …}`; any other type is a MIME type, passed through."""

    tools: Annotated[Sequence[Any] | None, _wire("tools")] = None
    """Functions that the model may call, as OpenAI's mappings; and Google's own tools, as `{"google_search": {}}`."""

    tool_choice: Annotated[str | bool | list[str] | dict[str, Any] | None, _wire("tool_choice")] = None
    """`auto`, `none`, `required` (or `any`, True), `validated`, a tool's name, or a mapping that names one.

    A list of names, or OpenAI's `allowed_tools`, allows these tools: only they are sent.
    """

    parallel_tool_calls: bool | None = None
    """False: at most one call an answer. The endpoint ignores it; here the first is kept, the others are set aside."""

    modalities: Annotated[Sequence[Literal["text", "image", "audio"]] | None, _wire("modalities")] = None
    """What the answer may consist of."""

    web_search_options: Annotated[dict[str, Any] | None, _wire("web_search_options")] = None
    """Grounds the answer in Google Search; the endpoint knows no sub-options, so give `{}`."""

    thinking: Effort | bool | Annotated[int, Field(ge=-1)] | dict[str, Any] | None = None
    """One word for the four below: an effort, a token budget, False (off), or a mapping of their names."""

    reasoning_effort: Effort | None = None
    """How much to think; `"none"` is sent as a budget of 0, because the endpoint refuses the word."""

    thinking_budget: int | None = Field(default=None, ge=-1)
    """Tokens to think with; 0 is off, -1 leaves it to the model."""

    thinking_level: Level | None = None
    """How much to think, in the words of Gemini 3."""

    include_thoughts: bool | None = None
    """Whether the answer brings a summary of the thoughts."""

    thought_tag_marker: Annotated[str | None, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")] = None
    """Tag round thoughts in the answer's text; `think` if thoughts are asked for and nothing is set."""

    safety_settings: Annotated[
        list[dict[str, str]] | dict[HarmCategory, HarmThreshold] | None, _google("safety_settings")
    ] = None
    """From which threshold a harm category blocks: a mapping, or the wire's list (with `method`, if wanted)."""

    model_safety_settings: Annotated[bool | dict[str, Any] | None, _google("model_safety_settings")] = None
    """Llama Guard, which is on unless this says otherwise: False, or Google's mapping. Llama models only."""

    cached_content: Annotated[str | None, _google("cached_content")] = None
    """Resource name of a context cache; a short name is completed with project and location."""

    media_resolution: Annotated[str | None, _google("media_resolution")] = None
    """Resolution at which media are read, e.g. `MEDIA_RESOLUTION_HIGH`."""

    logprobs: Annotated[bool | None, _wire("logprobs")] = None
    """Log probabilities; Gemini ignores it."""

    top_logprobs: Annotated[int | None, _wire("top_logprobs")] = None
    """Log probabilities of that many likely tokens; Gemini ignores it."""

    logit_bias: Annotated[dict[str, float] | None, _wire("logit_bias")] = None
    """Bias of tokens; Gemini ignores it."""

    user: Annotated[str | None, _wire("user")] = None
    """The end user's id; Gemini ignores it."""

    store: Annotated[bool | None, _wire("store")] = None
    """Whether the service keeps the answer; Gemini ignores it."""

    service_tier: Annotated[str | None, _wire("service_tier")] = None
    """Gemini ignores it: see `request_type` and `shared_request_type`."""

    prediction: Annotated[dict[str, Any] | None, _wire("prediction")] = None
    """Predicted output; Gemini ignores it."""

    prompt_cache_key: Annotated[str | None, _wire("prompt_cache_key")] = None
    """Gemini ignores it: equal beginnings are cached by themselves, see also `cached_content`."""

    extra_body: dict[str, Any] | None = None
    """Merged deeply into the request body, e.g. `{"google": {…}}` for Google's extras."""

    default_headers: dict[str, str] | None = Field(default=None, exclude=True, repr=False)
    """Headers of each request besides the credential's own; never shown or dumped: they may hold a gateway's key."""

    request_type: RequestType | Sequence[RequestType] | None = None
    """Provisioned throughput only (`dedicated`), or never (`shared`); several are tried in their order.

    The next is asked where the one before has no capacity, as with `locations`.
    """

    shared_request_type: Literal["priority", "flex"] | None = None
    """Tier of pay-as-you-go requests."""

    @field_validator("thinking", mode="after")
    @classmethod
    def _thinking_says_how_much(cls, value: object) -> object:
        if value is True:
            raise SettingsError(
                "thinking=True does not say how much.", hint='Give an effort ("low" … "max") or a budget.'
            )
        return value

    @field_validator("safety_settings", mode="after")
    @classmethod
    def _safety_settings_are_known(cls, value: Any) -> Any:
        for setting in value if isinstance(value, list) else ():
            for name, known in _SAFETY_WORDS.items():
                if setting.get(name) not in known:
                    raise SettingsError(
                        f"safety_settings has the {name} {setting.get(name)!r}.", hint=f"Known are {', '.join(known)}."
                    )
        return value

    @field_validator("request_type", mode="after")
    @classmethod
    def _request_types_differ(cls, value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return value
        if len(set(value)) < len(value):
            raise SettingsError(
                f"request_type={value!r} has one twice.", hint="Name each once, the first choice first."
            )
        return tuple(value) or None

    @field_validator("default_headers", mode="after")
    @classmethod
    def _headers_hold_no_credential(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value and any(name.lower() in ("authorization", "x-goog-api-key", "cookie") for name in value):
            raise SettingsError("default_headers holds a credential.", hint="Pass credentials= or api_key=.")
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
"""Call-time arguments that frameworks set by themselves; they are neither sent nor an error."""

_THINKING = frozenset({"thinking", "reasoning_effort", "thinking_budget", "thinking_level"})
"""Ways to say one thing: what a call says of it replaces all that was said before."""


@cache
def option_names() -> tuple[str, ...]:
    """The names of all fields of `Options`."""
    return tuple(Options.model_fields)


@cache
def wire_paths() -> dict[str, tuple[str, ...]]:
    """Field name → path in the request body, for the fields that are sent as they are."""
    return {
        name: mark.path
        for name, field in Options.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Wire)
    }


def effective_options(settings: Options, call: Mapping[str, Any]) -> Options:
    """`settings` with what one call says over it; None in the call says nothing.

    Plain options over which nothing is said come back as they are; otherwise the result is a copy.

    Raises:
        pydantic.ValidationError: A value of the call is out of range or of the wrong type.
    """
    said = {name: value for name, value in rename_aliases(call, Options.setting_aliases).items() if value is not None}
    if not said and type(settings) is Options:
        return settings
    held = vars(settings)
    values = {name: held[name] for name in option_names()}
    if said:
        checked = Options.model_validate({k: v for k, v in said.items() if k in values and k not in TOLERATED})
        if _THINKING & checked.model_fields_set:
            values |= dict.fromkeys(_THINKING)
        for name in checked.model_fields_set:
            values[name] = _merged(name, values[name], getattr(checked, name))
    # A copy of a blank costs a tenth of `model_construct`.
    return _blank().model_copy(update=values)


@cache
def _blank() -> Options:
    return Options()


def with_tools_for_functions(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments, OpenAI's deprecated `functions` and `function_call` said as tools and their choice."""
    said = {name: value for name, value in call.items() if name not in ("functions", "function_call")}
    functions, choice = call.get("functions"), call.get("function_call")
    if functions:
        warnings.warn("functions= is deprecated: it is sent as tools=.", VertexCompatWarning, stacklevel=4)
        made = [{"type": "function", "function": dict(function)} for function in functions]
        said["tools"] = [*(said.get("tools") or ()), *made]
    if choice is not None and said.get("tool_choice") is None:
        said["tool_choice"] = choice
    return said


def unknown_names(call: Mapping[str, Any]) -> list[str]:
    """Call-time arguments that are neither options nor known to be set by frameworks."""
    return [
        name
        for name, value in call.items()
        if value is not None
        and name not in Options.model_fields
        and name not in Options.setting_aliases
        and name not in TOLERATED
    ]


def _merged(name: str, settled: Any, said: Any) -> Any:
    if name in ("extra_body", "default_headers") and settled:
        return deep_merge(settled, said)
    return said
