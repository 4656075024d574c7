"""Probes of what the newest models refuse or ignore: sampling, several answers, thinking turned off, long answers.

Sources: Google's release notes of 2026-07-21 and its guides to Gemini 3.8 Flash and Gemini 4 Argon; public reports of a
thinking budget of 0.
"""

from collections.abc import Callable
from typing import Any

from vertex_compat_integrations.cli.verify.probes.probe import (
    GLOBAL,
    LONG,
    FactCheck,
    Probe,
    ask,
    good,
    good_and,
    is_refused,
    is_so,
    membership,
    nested,
    refused,
)
from vertex_compat_integrations.cli.verify.probes.requests import PUZZLE, highest
from vertex_compat_integrations.cli.verify.service import Answer, Json

_FLASH = "google/gemini-3.8-flash"
_PRO = "google/gemini-3.1-pro"
_ARGON = "google/gemini-4-argon"
_NOTES = "Google, release notes of 2026-07-21 and the guide to Gemini 3.8 Flash"
_BEYOND = 40_000
_DOCUMENTED_UNSTREAMED = 32_768
"""Most output tokens of Gemini 4 Argon without streaming, by Google's guide."""


def _without_budget(model: str) -> Json:
    return ask(PUZZLE, model=model, max_tokens=LONG, **nested(thinking_config={"thinking_budget": 0}))


def _thinks(answer: Answer) -> bool:
    """Whether the model thinks although its budget is 0."""
    return answer.thought_tokens > 0


def _never_off(answer: Answer) -> bool:
    return answer.status == 400 or (answer.is_good and _thinks(answer))


def _is_off(answer: Answer) -> bool | None:
    return not _thinks(answer) if answer.is_good else None if is_refused(answer) is None else False


def _never_beside(shows: Callable[[Answer], bool | None]) -> Callable[[Answer], bool | None]:
    """Return only a refusal as a result: an accepted parameter may still be ignored."""
    return lambda answer: shows(answer) or None


def _unstreamed(answer: Answer, present: Any) -> int | None:
    """Return the limit that a refusal names; if it names none, the documented one."""
    if answer.is_good:
        return present if present is not None and present >= _BEYOND else None
    if not is_refused(answer):
        return present if isinstance(present, int) else None
    return highest(answer) or (present if present is not None and present < _BEYOND else _DOCUMENTED_UNSTREAMED)


def _talk_that_ends_with_the_model() -> Json:
    body = ask("Count to three.", model=_FLASH)
    return {**body, "messages": [*body["messages"], {"role": "assistant", "content": "One, two,"}]}


PROBES = (
    Probe(
        "41_penalty",
        "Is frequency_penalty an error on the newest Flash model, and with which message?",
        _NOTES,
        "refused, so it is left out",
        refused(),
        ask(model=_FLASH, frequency_penalty=0.5),
        fact=membership("ignores", "frequency_penalty", is_refused, _FLASH),
    ),
    Probe(
        "42_temperature",
        "Is temperature still accepted (its effect cannot be observed)?",
        f"{_NOTES}: it is ignored",
        "accepted",
        good,
        ask(model=_FLASH, temperature=0.5),
        fact=membership("ignores", "temperature", _never_beside(is_refused), _FLASH),
    ),
    Probe(
        "43_two_answers_of_flash",
        "Is n=2 an error on the newest Flash model?",
        "Google, guide to Gemini 3.8 Flash",
        "refused",
        refused(),
        ask(model=_FLASH, n=2),
        fact=membership("refuses", "n", is_refused, _FLASH),
    ),
    Probe(
        "44_last_turn_of_the_model",
        "Is a history that ends with the model's turn refused, and with which message?",
        _NOTES,
        "refused",
        refused(),
        _talk_that_ends_with_the_model(),
        fact=membership("refuses", "last_assistant_message", is_refused, _FLASH),
    ),
    Probe(
        "45_budget_zero_of_flash",
        "Does a budget of 0 turn thinking off on the newest Flash model?",
        'a public client\'s measurement on the native API: "silently ignored"; inerrata.ai: accepted',
        "refused, or thought tokens are counted nevertheless",
        _never_off,
        _without_budget(_FLASH),
        fact=is_so("thinking_off", _is_off, _FLASH),
    ),
    Probe(
        "46_budget_zero_of_pro",
        "Does a budget of 0 turn thinking off on 3.1 Pro?",
        "Google, page on thinking: it cannot be turned off",
        "refused, or thought tokens are counted nevertheless",
        _never_off,
        _without_budget("google/gemini-3.1-pro-preview"),
        GLOBAL,
        fact=is_so("thinking_off", _is_off, _PRO),
    ),
    Probe(
        "47_budget_zero",
        "Does a budget of 0 turn thinking off on a model that allows it?",
        "measured by inerrata.ai and ServiceNow/eva on 3.5 Flash",
        "no thought tokens are counted",
        good_and(lambda answer: not _thinks(answer)),
        _without_budget("google/gemini-3.5-flash"),
        fact=is_so("thinking_off", _is_off),
    ),
    Probe(
        "48_long_unstreamed_answer",
        "Are 40,000 tokens refused for an answer of Gemini 4 Argon that is not streamed?",
        "Google, guide to Gemini 4 Argon: at most 32,768 without streaming; this endpoint is not mentioned",
        "refused",
        refused(),
        ask(model=_ARGON, max_tokens=_BEYOND),
        fact=FactCheck("unstreamed_output_tokens", _unstreamed, _ARGON),
    ),
)
