"""Rules about where a model is served, and in which tier.

Sources: the models' own pages (locations), a live refusal of Grok at a region, and Google's pages "Priority PayGo" and
"Flex PayGo": priority at `global` and, since 2026-09-09, at `us` and `eu`; flex at `global` only.
"""

from collections.abc import Mapping

from vertex_compat_integrations.emulator.chat_request import ChatRequest
from vertex_compat_integrations.emulator.refusal import Refusal, unknown_model
from vertex_compat_integrations.emulator.rules.rule import SERVED, Rule

_LOCATIONS_OF_TIER: Mapping[str, tuple[str, ...]] = {"priority": ("global", "us", "eu"), "flex": ("global",)}


def _served_here(request: ChatRequest) -> Refusal | None:
    traits, location = request.traits, request.place.location
    if not traits.locations or location in traits.locations:
        return None
    if traits.surface == "xai":
        message = f"Publisher model '{request.model}' in region '{location}' is only available via global endpoint."
        return Refusal(message, 400, "FAILED_PRECONDITION")
    return unknown_model(request.model, request.place)


def _tier_is_here(request: ChatRequest) -> Refusal | None:
    # The words are not published. One public client says that this endpoint has no flex at all, without a measurement.
    locations = _LOCATIONS_OF_TIER.get(request.tier)
    return None if locations is None or request.place.location in locations else Refusal()


PLACE_RULES: tuple[Rule, ...] = (
    Rule("the model is served in this location", _served_here, SERVED),
    Rule("the tier is offered in this location", _tier_is_here),
)
"""The rules in the order in which they are asked."""
