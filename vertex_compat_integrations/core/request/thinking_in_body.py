"""Whether a request's body, including the user's own fields, makes the model think, and how the answer begins."""

from collections.abc import Mapping
from dataclasses import dataclass

from vertex_compat_integrations.core.catalogue import ModelFacts
from vertex_compat_integrations.core.json_values import JsonObject, google_extras, mapping_in
from vertex_compat_integrations.core.request.thinking import SWITCHES, USUAL_SWITCH


@dataclass(frozen=True, slots=True)
class ThinkingInBody:
    """The thinking settings that a body contains.

    Attributes:
        is_off: Whether thinking is turned off.
        begins_in_thoughts: Whether the answer begins with thoughts without an opening tag.
    """

    is_off: bool
    begins_in_thoughts: bool


def read_thinking(body: JsonObject, facts: ModelFacts) -> ThinkingInBody:
    """Read the thinking settings of the complete body; the extra body may have set what no option set."""
    switch = _switch(body, facts)
    thinks = facts.thinks_unasked if switch is None else switch
    return ThinkingInBody(
        is_off=_is_budget_zero(body) if facts.gemini else switch is False,
        begins_in_thoughts=facts.unopened_thoughts and thinks,
    )


def _is_budget_zero(body: JsonObject) -> bool:
    return bool(mapping_in(google_extras(body).get("thinking_config")).get("thinking_budget") == 0)


def _switch(body: JsonObject, facts: ModelFacts) -> bool | None:
    """The switch of the chat template; None if the body does not set it."""
    switches = body.get(SWITCHES)
    value = switches.get(facts.thinking_switch or USUAL_SWITCH) if isinstance(switches, Mapping) else None
    return None if value is None else bool(value)
