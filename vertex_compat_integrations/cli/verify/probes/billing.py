"""Probes of what usage objects report that decides a price."""

from vertex_compat_integrations.cli.verify.probes.probe import Probe, any_answer, ask
from vertex_compat_integrations.cli.verify.service import Answer, Json

_LONG_PROMPT = "The sky over the harbour is blue on this day, too. " * 380
"""More than 4,096 tokens: from about this length on, Google's page on context caching says, prompts are cached."""

_REPEATED = ask(f"{_LONG_PROMPT}Which colour is the sky? One word.")


def _again(answer: Answer) -> Json:
    del answer
    return _REPEATED


PROBES = (
    Probe(
        "66_cached_tokens",
        "Does the usage of a repeated long prompt count the tokens that were read from the implicit cache?",
        "Google's page on context caching says so of the native API (cachedContentTokenCount); the usage object on its "
        "page about this endpoint has none",
        "",
        any_answer,
        _REPEATED,
        then=_again,
    ),
)
