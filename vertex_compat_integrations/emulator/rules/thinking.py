"""Rules about thinking: efforts, levels, budgets.

Sources: Google's pages "OpenAI compatibility" and "Thinking" (levels by model), and public reports that quote the
service's refusals. Only the refusal of MINIMAL is quoted; other levels are assumed to have the same message.
"""

from vertex_compat_integrations.emulator.chat_request import ChatRequest
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.emulator.rules.rule import SERVED, Rule

EFFORTS = ("high", "low", "max", "medium", "minimal")


def _effort(request: ChatRequest) -> Refusal | None:
    effort = request.body.get("reasoning_effort")
    if effort is None or effort in EFFORTS:
        return None
    expected = ", ".join(f"'{allowed}'" for allowed in EFFORTS)
    return Refusal(f"Expected 'reasoning_effort' to be one of: {expected}; found '{effort}'.")


def _effort_of_family(request: ChatRequest) -> Refusal | None:
    effort, efforts = request.body.get("reasoning_effort"), request.traits.efforts
    if effort is None or not efforts or effort in efforts:
        return None
    return Refusal(f"reasoning_effort must be one of {', '.join(efforts)}; found {effort!r}.")


def _effort_alone(request: ChatRequest) -> Refusal | None:
    has_both = request.body.get("reasoning_effort") is not None and "thinking_config" in request.google
    return Refusal() if has_both else None


def _level_or_budget(request: ChatRequest) -> Refusal | None:
    has_both = request.thinking.get("thinking_level") is not None and "thinking_budget" in request.thinking
    return Refusal("You can only set only one of thinking budget and thinking level.") if has_both else None


def _thoughts_need_thinking(request: ChatRequest) -> Refusal | None:
    stops = request.traits.stops_thinking and request.thinking.get("thinking_budget") == 0
    if stops and request.thinking.get("include_thoughts"):
        return Refusal("Thinking_config.include_thoughts is only enabled when thinking is enabled.")
    return None


def _has_level(request: ChatRequest) -> Refusal | None:
    level, levels = _wanted_level(request), request.traits.levels
    if level is None or not levels or level.lower() in levels:
        return None
    return Refusal(f"Thinking level is unsupported: THINKING_LEVEL_{level.upper()}")


def _wanted_level(request: ChatRequest) -> str | None:
    level, effort = request.thinking.get("thinking_level"), request.body.get("reasoning_effort")
    if level is not None:
        return str(level)
    # The effort `max` is accepted, but no level has this name: it is treated as the highest level (inferred).
    return "high" if effort == "max" else effort


THINKING_RULES: tuple[Rule, ...] = (
    Rule("a known reasoning effort", _effort),
    Rule("an effort that the model family supports", _effort_of_family, SERVED),
    Rule("effort or thinking_config, not both", _effort_alone),
    Rule("thinking level or budget, not both", _level_or_budget),
    Rule("thoughts only if thinking is on", _thoughts_need_thinking),
    Rule("a thinking level that the model has", _has_level),
)
"""The rules in the order of checking."""
