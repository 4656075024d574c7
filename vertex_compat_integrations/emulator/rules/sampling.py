"""Rules about sampling: number of answers, length, temperature and penalties.

Sources: llama-stack's test, which quotes this endpoint on several candidates; public reports of `maxOutputTokens`;
release notes of 2026-07-21 and the guides to Gemini 3.8 and 4 for penalties; nano-banana-2.1's page for the parameters
it refuses. Penalties are not checked for older models: only one public client states that they refuse them, too.
"""

from typing import Any

from vertex_compat_integrations.emulator.chat_request import ChatRequest
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.emulator.rules.rule import Rule

_PENALTIES = ("frequency_penalty", "presence_penalty")
_PENALTY = "Penalty is not enabled for this model"
_ONE_CANDIDATE = (
    "Unable to submit request because candidateCount must be 1 but the entered value was {value}. "
    "Update the candidateCount value and try again."
)
_RANGE = (
    "Unable to submit request because it has a {name} value of {value} but the supported range is from {low} "
    "(inclusive) to {high} (exclusive). Update the value and try again."
)


def _one_candidate(request: ChatRequest) -> Refusal | None:
    # The cards of models up to 3.5 Flash say 1 to 8, newer ones nothing, and 3.8's guide calls it an error. A report
    # quotes this endpoint's refusal of 2 without naming the model, so the rule applies to all.
    count = request.body.get("n")
    return None if count is None or count == 1 else Refusal(_ONE_CANDIDATE.format(value=count))


def _output_limit(request: ChatRequest) -> Refusal | None:
    # It is inferred that the limit for answers without streaming has the same message.
    traits = request.traits
    limit = traits.output_limit if request.is_stream else traits.plain_limit or traits.output_limit
    return _range("maxOutputTokens", request.max_tokens, 1, limit + 1)


def _no_penalty(request: ChatRequest) -> Refusal | None:
    is_penalized = any(request.body.get(name) not in (None, 0) for name in _PENALTIES)
    return Refusal(_PENALTY) if is_penalized and request.traits.fixes_sampling else None


def _no_refused_parameter(request: ChatRequest) -> Refusal | None:
    has_one = any(request.body.get(name) is not None for name in request.traits.refused_parameters)
    return Refusal() if has_one else None


def _temperature(request: ChatRequest) -> Refusal | None:
    return _range("temperature", request.body.get("temperature"), 0, 2.0001)


def _top_p(request: ChatRequest) -> Refusal | None:
    return _range("topP", request.body.get("top_p"), 0, 1.0001)


def _range(name: str, value: Any, low: float, high: float) -> Refusal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Refusal()
    is_inside = low <= value < high
    return None if is_inside else Refusal(_RANGE.format(name=name, value=value, low=low, high=high))


SAMPLING_RULES: tuple[Rule, ...] = (
    Rule("one candidate", _one_candidate),
    Rule("max_tokens within the model's limit", _output_limit),
    Rule("no penalty where it is not enabled", _no_penalty),
    Rule("no parameter that the model refuses", _no_refused_parameter),
    Rule("temperature within its range", _temperature),
    Rule("top_p within its range", _top_p),
)
"""The rules in the order of checking."""
