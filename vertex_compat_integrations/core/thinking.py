"""The thinking settings, four ways of saying one thing, → what the model at hand takes.

Sources: Google's page on OpenAI compatibility ("only one of reasoning_effort or thinking_config"; low 1,024, medium
8,192, high 24,576 tokens), its Gemini 3 guide (level and budget together are refused). That the endpoint refuses the
effort `none` while it accepts a budget of 0 is from public reports, unverified live.
"""

from dataclasses import dataclass
from typing import Any

from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.options import Options

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


@dataclass(frozen=True, slots=True)
class Thinking:
    """How much to think, said in one way, and whether to tell."""

    effort: str | None = None
    budget: int | None = None
    level: str | None = None
    include_thoughts: bool | None = None


def resolve_thinking(options: Options) -> Thinking:
    """What the options say of thinking.

    Raises:
        SettingsError: An effort stands together with a budget or a level, a budget with a level, or thoughts are asked
            for with thinking off.
    """
    plain: dict[str, Any] = {
        "effort": options.reasoning_effort,
        "budget": options.thinking_budget,
        "level": options.thinking_level,
        "include_thoughts": options.include_thoughts,
    }
    said = {
        name: value
        for each in (plain, _spelled_out(options.thinking))
        for name, value in each.items()
        if value is not None
    }
    if said.get("effort") == "none":
        said |= {"effort": None, "budget": _only(said, "budget", 0)}
    thinking = Thinking(**said)
    if sum(value is not None for value in (thinking.effort, thinking.budget, thinking.level)) > 1:
        raise SettingsError(
            "Of reasoning_effort, thinking_budget and thinking_level only one may be set.",
            hint="Keep one of them, or say it with thinking= alone.",
        )
    if thinking.include_thoughts and thinking.budget == 0:
        raise SettingsError("include_thoughts=True with thinking off.", hint="Drop include_thoughts, or give a budget.")
    return thinking


def _only(said: dict[str, Any], name: str, value: int) -> int:
    if said.get(name) not in (None, value):
        raise SettingsError("reasoning_effort='none' together with a thinking_budget.", hint="Keep one of them.")
    return value


def _spelled_out(thinking: object) -> dict[str, Any]:
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
            raise SettingsError(f"thinking={thinking!r} is no thinking setting.")


def _from_mapping(mapping: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in mapping.items():
        if name not in _NAMES:
            raise SettingsError(f"thinking={{{name!r}: …}} is unknown.", hint=f"Known are {', '.join(_NAMES)}.")
        said[_NAMES[name]] = value
    return said


def thinking_fields(options: Options, facts: ModelFacts) -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes to the top of the body, and what goes under `extra_body.google`.

    Raises:
        SettingsError: See `resolve_thinking`; or the model has no budget or level.
    """
    thinking = resolve_thinking(options)
    if facts.gemini:
        return _gemini_fields(thinking, options.thought_tag_marker, facts)
    return _effort_fields(thinking), {}


def _gemini_fields(thinking: Thinking, marker: str | None, facts: ModelFacts) -> tuple[dict[str, Any], dict[str, Any]]:
    config: dict[str, Any] = {}
    top: dict[str, Any] = {}
    if thinking.budget is not None:
        config["thinking_budget"] = thinking.budget
    if thinking.level is not None:
        config["thinking_level"] = thinking.level
    if thinking.include_thoughts is not None:
        config["include_thoughts"] = thinking.include_thoughts
    if thinking.effort is not None and config:
        # Effort and thinking_config exclude each other on the wire; the effort moves into the config.
        config |= _effort_as_config(thinking.effort, facts)
    elif thinking.effort is not None:
        top["reasoning_effort"] = thinking.effort
    google: dict[str, Any] = {"thinking_config": config} if config else {}
    if thinking.include_thoughts:
        google["thought_tag_marker"] = marker or DEFAULT_MARKER
    elif marker is not None:
        google["thought_tag_marker"] = marker
    return top, google


def _effort_as_config(effort: str, facts: ModelFacts) -> dict[str, Any]:
    if facts.thinking == "budget":
        return {"thinking_budget": BUDGETS[effort]}
    return {"thinking_level": "high" if effort == "max" else effort}


def _effort_fields(thinking: Thinking) -> dict[str, Any]:
    if thinking.level is not None or thinking.budget is not None:
        raise SettingsError(
            "Token budgets and thinking levels are Gemini's; this model takes an effort.",
            hint='Set reasoning_effort="low", "medium" or "high"; switches of its own go into extra_body=.',
        )
    if thinking.effort is not None:
        return {"reasoning_effort": thinking.effort}
    return {}
