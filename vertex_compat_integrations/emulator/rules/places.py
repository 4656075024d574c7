"""Rules about the locations and tiers of models.

Sources: the models' own pages (locations), a live refusal of Grok in a region, and Google's pages "Priority PayGo" and
"Flex PayGo": priority at `global` and, since 2026-09-09, at `us` and `eu`; flex only at `global`.
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
    # The message is not published. One public client states, without measuring, that this endpoint has no flex tier.
    locations = _LOCATIONS_OF_TIER.get(request.tier)
    return None if locations is None or request.place.location in locations else Refusal()


PLACE_RULES: tuple[Rule, ...] = (
    Rule("the model is served in this location", _served_here, SERVED),
    Rule("the tier is offered in this location", _tier_is_here),
)
"""The rules in the order of checking."""
