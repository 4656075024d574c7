"""Rules about thought signatures.

Source: Google's page "Thought signatures": the current turn begins with the last user message; the first call of each
of its steps must have its signature. The messages of the refusals are quoted in langgenius/dify#30729 and
google-gemini/gemini-cli#13467.
"""

from collections.abc import Callable
from dataclasses import dataclass

from vertex_compat_integrations.emulator.chat_request import ChatRequest, function_of, tool_calls
from vertex_compat_integrations.emulator.dialect.signature_book import (
    Sighting,
    SignatureBook,
    call_signature,
    sightings,
)
from vertex_compat_integrations.emulator.refusal import Refusal
from vertex_compat_integrations.wire import SKIP_SIGNATURE

_MISSING = (
    "Unable to submit request because function call `default_api:{name}` in the {place}. content block is missing a "
    "`thought_signature`. Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures"
)
_CORRUPTED = "Corrupted thought signature."
_MISPLACED = (
    "Unable to submit request because Thought signature is not valid. "
    "Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures"
)


@dataclass(frozen=True, slots=True)
class SignatureRule:
    """One reason to refuse a request, which depends on the known signatures.

    Attributes:
        name: What the rule requires, in words.
        check: Returns the refusal, or None if the request meets the rule.
        is_strict: Whether the rule is the emulator's own, stricter than Google's.
    """

    name: str
    check: Callable[[ChatRequest, SignatureBook], Refusal | None]
    is_strict: bool = False


def _signed_steps(request: ChatRequest, _: SignatureBook) -> Refusal | None:
    if not request.traits.demands_signatures:
        return None
    for place, message in enumerate(request.contents):
        calls = tool_calls(message)
        if place >= request.turn_start and calls and call_signature(calls[0]) is None:
            return Refusal(_MISSING.format(name=function_of(calls[0]).get("name", ""), place=place + 1))
    return None


def _known_signatures(request: ChatRequest, book: SignatureBook) -> Refusal | None:
    is_altered = any(not book.knows(sighting.signature) for sighting in _seen(request))
    return Refusal(_CORRUPTED) if is_altered else None


def _own_bearer(request: ChatRequest, book: SignatureBook) -> Refusal | None:
    return None if all(book.fits(sighting) for sighting in _seen(request)) else Refusal(_MISPLACED)


def _each_once(request: ChatRequest, _: SignatureBook) -> Refusal | None:
    signatures = [sighting.signature for sighting in _seen(request)]
    return Refusal(_MISPLACED) if len(set(signatures)) < len(signatures) else None


def _seen(request: ChatRequest) -> list[Sighting]:
    return [
        sighting
        for message in request.contents
        for sighting in sightings(message)
        if sighting.signature != SKIP_SIGNATURE
    ]


SIGNATURE_RULES: tuple[SignatureRule, ...] = (
    SignatureRule("each step of the current turn is signed", _signed_steps),
    SignatureRule("signatures are sent back unchanged", _known_signatures),
    SignatureRule("signatures are on the call or message they were issued with", _own_bearer, is_strict=True),
    SignatureRule("each signature is sent once", _each_once, is_strict=True),
)
"""The rules in the order of checking; only for Gemini."""
