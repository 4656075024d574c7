"""The definition of a rule."""

from collections.abc import Callable
from dataclasses import dataclass

from vertex_compat_integrations.emulator.chat_request import ChatRequest
from vertex_compat_integrations.emulator.model_traits import Surface
from vertex_compat_integrations.emulator.refusal import Refusal

GEMINI: frozenset[Surface] = frozenset({"gemini"})
SERVED: frozenset[Surface] = frozenset({"gemini", "maas", "xai"})
EVERYWHERE: frozenset[Surface] = SERVED | {"deployed"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse a request.

    Attributes:
        name: What the rule requires, in words.
        check: Returns the refusal, or None if the request meets the rule.
        surfaces: The front ends that have the rule.
    """

    name: str
    check: Callable[[ChatRequest], Refusal | None]
    surfaces: frozenset[Surface] = GEMINI
