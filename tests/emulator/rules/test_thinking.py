"""Each model has the thinking levels of Google's page "Thinking", and some cannot stop."""

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.emulator.rules.thinking import EFFORTS

LEVELS = ("minimal", "low", "medium", "high")
NEWEST = "google/gemini-9-ultra"
"""A model that no row names."""
FROM_LOW = {"low", "medium", "high"}
TABLE = {
    "google/gemini-4-argon": FROM_LOW,
    "google/gemini-4-argon-cyber-permissive": FROM_LOW,
    "google/gemini-3.8-flash": FROM_LOW,
    "google/gemini-3.8-flash-cyber": FROM_LOW,
    "google/gemini-3.7-flash": FROM_LOW,
    "google/gemini-3.6-flash": {*LEVELS},
    "google/gemini-3.5-flash": {*LEVELS},
    "google/gemini-3.5-flash-lite": {*LEVELS},
    "google/gemini-3.1-pro-preview": FROM_LOW,
    "google/gemini-3.1-flash-lite": {*LEVELS},
    "google/gemini-3-flash-preview": {*LEVELS},
    "google/gemini-3.1-flash-image": {"minimal", "high"},
    "google/gemini-3.1-flash-lite-image": {"minimal", "high"},
    "google/gemini-3-pro-image": {"high"},
    "google/gemini-3-pro-image-preview": {"high"},
}
NEVER_STOP = (
    "google/gemini-4-argon",
    "google/gemini-3.8-flash",
    "google/gemini-3.7-flash",
    "google/gemini-3.1-pro-preview",
)


def by_effort(level):
    return {"reasoning_effort": level}


def by_config(level):
    return {"extra_body": {"google": {"thinking_config": {"thinking_level": level}}}}


def by_config_in_capitals(level):
    return by_config(level.upper())


def budget(size, **more):
    return {"extra_body": {"google": {"thinking_config": {"thinking_budget": size, **more}}}}


def thought_tokens(reply):
    return reply.body["usage"].get("completion_tokens_details", {}).get("reasoning_tokens", 0)


@pytest.mark.parametrize("words", [by_effort, by_config, by_config_in_capitals])
@pytest.mark.parametrize("model", TABLE)
def test_a_model_takes_its_own_levels_and_no_other(ask, model, words):
    replies = {level: ask(model=model, **words(level)) for level in LEVELS}
    assert {level for level, reply in replies.items() if reply.status == 200} == TABLE[model]
    for level in {*LEVELS} - TABLE[model]:
        assert replies[level].status == 400
        assert replies[level].error["message"] == f"Thinking level is unsupported: THINKING_LEVEL_{level.upper()}"


@pytest.mark.parametrize("model", ["google/gemini-3.8-flash", "google/gemini-3-pro-image"])
def test_the_effort_max_is_no_level_and_is_taken(ask, model):
    assert "max" in EFFORTS
    assert ask(model=model, reasoning_effort="max").status == 200


def test_a_level_that_no_model_has_is_refused(ask):
    assert ask(**by_config("ultra")).error["message"] == "Thinking level is unsupported: THINKING_LEVEL_ULTRA"


def test_where_no_page_tells_levels_nothing_is_checked(ask):
    for model in ("google/nano-banana-2.1", "google/gemini-2.5-flash"):
        assert ask(model=model, **by_effort("minimal")).status == 200


@pytest.mark.parametrize("model", NEVER_STOP)
def test_a_budget_of_0_is_ignored_by_who_cannot_stop(ask, model):
    """It thinks and counts; thoughts come only to who asks for them."""
    silent = ask("Why?", model=model, **budget(0))
    assert thought_tokens(silent) > 0
    assert "The question" not in silent.message["content"]
    shown = ask("Why?", model=model, **budget(0, include_thoughts=True))
    assert shown.message["content"].startswith("The question: Why?")


@pytest.fixture(scope="module")
def shared_emulator():
    with Emulator(models=[NEWEST]) as emulator:
        yield emulator


@pytest.mark.parametrize(
    "model", ["google/gemini-3.6-flash", "google/gemini-3.5-flash", "google/gemini-2.5-flash", NEWEST]
)
def test_a_budget_of_0_stops_the_others(ask, model):
    assert thought_tokens(ask("Why?", model=model)) > 0
    assert thought_tokens(ask("Why?", model=model, **budget(0))) == 0
    assert "include_thoughts" in ask(model=model, **budget(0, include_thoughts=True)).error["message"]
