"""What a rule of acceptance is."""

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
        name: What the rule demands, as words.
        check: The refusal, or None if the request keeps the rule.
        surfaces: The front ends that know the rule.
    """

    name: str
    check: Callable[[ChatRequest], Refusal | None]
    surfaces: frozenset[Surface] = GEMINI
