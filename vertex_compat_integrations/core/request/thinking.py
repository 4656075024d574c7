"""The thinking settings, four ways to express one thing → the fields that the model accepts.

Sources: Google's page on OpenAI compatibility ("only one of reasoning_effort or thinking_config"; low 1,024, medium
8,192, high 24,576 tokens), its Gemini 3 guide (level and budget together are refused). That the endpoint refuses the
effort `none` but accepts a budget of 0 is from public reports, unverified live. Open models: Google's page "Thinking
for open models" (`chat_template_kwargs`).
"""

from dataclasses import dataclass, replace

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.options import Options

DEFAULT_MARKER = "think"
BUDGETS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "max": 24_576}

_NAMES = {
    "effort": "effort",
    "reasoning_effort": "effort",
    "budget": "budget",
    "budget_tokens": "budget",
    "thinking_budget": "budget",
    "level": "level",
    "thinking_level": "level",
    "include_thoughts": "include_thoughts",
}

SWITCHES = "chat_template_kwargs"
"""The field of the body with the switches of a model's chat template, as in vLLM and SGLang."""

USUAL_SWITCH = "enable_thinking"
"""The switch of a model whose own switch is unknown; Qwen's and GLM's templates use this name."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """How much to think, in one form, and whether the thoughts are part of the answer."""

    effort: str | None = None
    budget: int | None = None
    level: str | None = None
    include_thoughts: bool | None = None

    @property
    def is_off(self) -> bool:
        """Whether thinking is turned off."""
        return self.budget == 0

    @property
    def asks_for_thoughts(self) -> bool:
        """Whether thinking or the thoughts are requested."""
        amounts = (self.effort, self.budget or None, self.level)
        return bool(self.include_thoughts) or any(amount is not None for amount in amounts)


@dataclass(frozen=True, slots=True)
class ThinkingFields:
    """The thinking settings as fields of a request.

    Attributes:
        top: Fields at the top of the body.
        google: Fields under `extra_body.google`.
        notes: Settings that the model does not support, as sentences for the user.
    """

    top: wire.Json
    google: wire.Json
    notes: tuple[str, ...] = ()


def resolve_thinking(options: Options) -> Thinking:
    """Combine the options' thinking settings into one.

    Raises:
        SettingsError: An effort is set together with a budget or a level, or a budget with a level; or thoughts are
            requested with thinking turned off.
    """
    plain: wire.Json = {
        "effort": options.reasoning_effort,
        "budget": options.thinking_budget,
        "level": options.thinking_level,
        "include_thoughts": options.include_thoughts,
    }
    fields = {
        name: value
        for each in (plain, _spelled_out(options.thinking))
        for name, value in each.items()
        if value is not None
    }
    # The endpoint accepts a budget of 0 for "off"; it refuses the effort "none".
    if fields.get("effort") == "none":
        fields |= {"effort": None, "budget": _only(fields, "budget", 0)}
    thinking = Thinking(**fields)
    if sum(value is not None for value in (thinking.effort, thinking.budget, thinking.level)) > 1:
        raise SettingsError(
            "Of reasoning_effort, thinking_budget and thinking_level only one may be set.",
            hint="Keep one of them, or set only thinking=.",
        )
    if thinking.include_thoughts and thinking.budget == 0:
        raise SettingsError("include_thoughts=True with thinking off.", hint="Drop include_thoughts, or set a budget.")
    return thinking


def _only(fields: wire.Json, name: str, value: int) -> int:
    if fields.get(name) not in (None, value):
        raise SettingsError("reasoning_effort='none' together with a thinking_budget.", hint="Keep one of them.")
    return value


def _spelled_out(thinking: object) -> wire.Json:
    match thinking:
        case None:
            return {}
        case False | "none":
            return {"budget": 0}
        case str():
            return {"effort": thinking}
        case int():
            return {"budget": thinking}
        case dict():
            return _from_mapping(thinking)
        case _:
            raise SettingsError(f"thinking={thinking!r} is not a valid thinking setting.")


def _from_mapping(mapping: wire.Json) -> wire.Json:
    fields: wire.Json = {}
    for name, value in mapping.items():
        if name not in _NAMES:
            raise SettingsError(f"thinking={{{name!r}: …}} is unknown.", hint=f"Use one of {', '.join(_NAMES)}.")
        fields[_NAMES[name]] = value
    if (effort := fields.get("effort")) not in (None, "none", *BUDGETS):
        raise SettingsError(f"The effort {effort!r} is unknown.", hint=f"Use one of none, {', '.join(BUDGETS)}.")
    for name, kind in (("budget", int), ("include_thoughts", bool)):
        # Compare types, since a bool is an int, and a budget of True is a mistake.
        if (value := fields.get(name)) is not None and type(value) is not kind:
            raise SettingsError(f"thinking={{{name!r}: {value!r}}} has the wrong type.", hint=f"Pass {kind.__name__}.")
    return fields


def thinking_fields(options: Options, facts: ModelFacts) -> ThinkingFields:
    """Return the fields for the top of the body and for `extra_body.google`, and what the model cannot do.

    Raises:
        SettingsError: See `resolve_thinking`; or the model has no such budget or level.
    """
    thinking = resolve_thinking(options)
    if facts.gemini:
        return _gemini_fields(thinking, options, facts)
    if thinking.level is not None or (thinking.budget or 0) != 0:
        raise SettingsError(
            "Token budgets and thinking levels are Gemini's; this model uses an effort.",
            hint='Set reasoning_effort="low", "medium" or "high"; put switches of the model into extra_body=.',
        )
    return _open_fields(thinking, options.model, facts)


def _gemini_fields(thinking: Thinking, options: Options, facts: ModelFacts) -> ThinkingFields:
    if facts.thinking is None:
        return ThinkingFields({}, {}, _idle_note(thinking, options.model))
    _refuse_unknown_level(thinking, options.model, facts)
    notes: tuple[str, ...] = ()
    if not facts.thinking_off and thinking.is_off:
        lowest = facts.thinking_levels[0]
        notes = (f"{options.model} cannot stop thinking: its lowest level, {lowest!r}, is sent.",)
        thinking = replace(thinking, budget=None, level=lowest)
    settings = {
        "thinking_budget": thinking.budget,
        "thinking_level": thinking.level,
        "include_thoughts": thinking.include_thoughts,
    }
    config: wire.Json = {name: value for name, value in settings.items() if value is not None}
    top: wire.Json = {}
    if thinking.effort is not None and config:
        # Effort and thinking_config exclude each other in the request; the effort moves into the config.
        config |= _effort_as_config(thinking.effort, facts)
    elif thinking.effort is not None:
        top["reasoning_effort"] = thinking.effort
    google: wire.Json = {"thinking_config": config} if config else {}
    # "If not specified, no tags will be returned around the model's thoughts": they would look like the answer.
    marker = options.thought_tag_marker or (DEFAULT_MARKER if thinking.include_thoughts else None)
    if marker is not None:
        google["thought_tag_marker"] = marker
    return ThinkingFields(top, google, notes)


def _idle_note(thinking: Thinking, model: str) -> tuple[str, ...]:
    return (f"{model} does not think: the thinking setting is not sent.",) if thinking.asks_for_thoughts else ()


def _refuse_unknown_level(thinking: Thinking, model: str, facts: ModelFacts) -> None:
    """Refuse a level or effort that the model does not have.

    Raises:
        SettingsError: The model has other levels, or none.
    """
    if thinking.level is not None and facts.thinking == "budget":
        raise SettingsError(f"{model} has no thinking levels.", hint="Set a token budget: thinking_budget=….")
    wanted = thinking.level or thinking.effort
    # "max" is not a level of Gemini, whose highest level is "high".
    if facts.gemini and thinking.effort == "max":
        wanted = "high"
    if wanted is None or facts.thinking == "budget" or wanted in facts.thinking_levels:
        return
    raise SettingsError(
        f"{model} does not support the thinking level {wanted!r}.",
        hint=f"Use one of {', '.join(facts.thinking_levels)}.",
    )


def _effort_as_config(effort: str, facts: ModelFacts) -> wire.Json:
    if facts.thinking == "budget":
        return {"thinking_budget": BUDGETS[effort]}
    return {"thinking_level": "high" if effort == "max" else effort}


def _open_fields(thinking: Thinking, model: str, facts: ModelFacts) -> ThinkingFields:
    match facts.thinking:
        case None:
            return ThinkingFields({}, {}, _idle_note(thinking, model))
        case "always":
            is_set = thinking.is_off or thinking.effort is not None
            note = f"{model} always thinks, as much as it needs: the thinking setting is not sent."
            return ThinkingFields({}, {}, (note,) if is_set else ())
        case "switch":
            return ThinkingFields(_switch_fields(thinking, facts), {})
        case _:
            return _effort_fields(thinking, model, facts)


def _switch_fields(thinking: Thinking, facts: ModelFacts) -> wire.Json:
    """The family's switch; it has no degrees, so any effort turns it on."""
    if thinking.effort is None and not thinking.is_off:
        return {}
    return {SWITCHES: {facts.thinking_switch or USUAL_SWITCH: not thinking.is_off}}


def _effort_fields(thinking: Thinking, model: str, facts: ModelFacts) -> ThinkingFields:
    _refuse_unknown_level(thinking, model, facts)
    if thinking.effort is not None:
        return ThinkingFields({"reasoning_effort": thinking.effort}, {})
    if not thinking.is_off:
        return ThinkingFields({}, {})
    note = f"No setting is known that turns off thinking for {model or 'this model'}: nothing is sent."
    return ThinkingFields({}, {}, (note,))
