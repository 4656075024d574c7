"""Thinking is said in one way, and reaches the wire in the way the model takes."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.options import Options
from vertex_compat_integrations.core.thinking import thinking_fields

GEMINI_3, GEMINI_2, OPEN = (
    facts_for(model) for model in ("google/gemini-3.5-flash", "google/gemini-2.5-flash", "openai/gpt-oss-120b-maas")
)


def config(**fields):
    return {}, {"thinking_config": fields}


def told(**fields):
    return {}, {"thinking_config": {"include_thoughts": True} | fields, "thought_tag_marker": "think"}


@pytest.mark.parametrize(
    ("said", "facts", "expected"),
    [
        ({}, GEMINI_3, ({}, {})),
        ({"thinking": None}, GEMINI_3, ({}, {})),
        ({"thinking": "low"}, GEMINI_3, ({"reasoning_effort": "low"}, {})),
        ({"thinking": "max"}, GEMINI_3, ({"reasoning_effort": "max"}, {})),
        ({"reasoning_effort": "high"}, GEMINI_2, ({"reasoning_effort": "high"}, {})),
        ({"thinking": 512}, GEMINI_2, config(thinking_budget=512)),
        ({"thinking": -1}, GEMINI_2, config(thinking_budget=-1)),
        ({"thinking": 0}, GEMINI_3, config(thinking_budget=0)),
        ({"thinking": 1}, GEMINI_3, config(thinking_budget=1)),
        ({"thinking": False}, GEMINI_3, config(thinking_budget=0)),
        ({"thinking": "none"}, GEMINI_3, config(thinking_budget=0)),
        ({"reasoning_effort": "none"}, GEMINI_2, config(thinking_budget=0)),
        ({"reasoning_effort": "none", "thinking_budget": 0}, GEMINI_2, config(thinking_budget=0)),
        ({"thinking_budget": 512}, GEMINI_2, config(thinking_budget=512)),
        ({"thinking_level": "low"}, GEMINI_3, config(thinking_level="low")),
        ({"thinking": {"level": "low"}}, GEMINI_3, config(thinking_level="low")),
        ({"thinking": {"budget_tokens": 9}}, GEMINI_2, config(thinking_budget=9)),
        ({"include_thoughts": False}, GEMINI_3, config(include_thoughts=False)),
        ({"include_thoughts": True}, GEMINI_3, told()),
        ({"thinking": {"include_thoughts": True, "budget": 5}}, GEMINI_2, told(thinking_budget=5)),
        # Effort and thinking_config exclude each other on the wire.
        ({"reasoning_effort": "low", "include_thoughts": True}, GEMINI_3, told(thinking_level="low")),
        ({"reasoning_effort": "max", "include_thoughts": True}, GEMINI_3, told(thinking_level="high")),
        ({"reasoning_effort": "low", "include_thoughts": True}, GEMINI_2, told(thinking_budget=1024)),
        ({"reasoning_effort": "minimal", "include_thoughts": True}, GEMINI_2, told(thinking_budget=1024)),
        ({"reasoning_effort": "medium", "include_thoughts": True}, GEMINI_2, told(thinking_budget=8192)),
        ({"reasoning_effort": "high", "include_thoughts": True}, GEMINI_2, told(thinking_budget=24576)),
        ({"thinking": "high", "include_thoughts": True}, GEMINI_2, told(thinking_budget=24576)),
        ({"reasoning_effort": "medium"}, OPEN, ({"reasoning_effort": "medium"}, {})),
        ({"thinking": "low"}, OPEN, ({"reasoning_effort": "low"}, {})),
        ({}, OPEN, ({}, {})),
    ],
)
def test_each_way_of_saying_it_has_its_place_on_the_wire(said, facts, expected):
    assert thinking_fields(Options(**said), facts) == expected


def test_the_marker_is_the_users_if_there_is_one():
    _, google = thinking_fields(Options(include_thoughts=True, thought_tag_marker="why"), GEMINI_3)
    assert google["thought_tag_marker"] == "why"
    assert thinking_fields(Options(thought_tag_marker="why"), GEMINI_3) == ({}, {"thought_tag_marker": "why"})


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_effort": "low", "thinking_budget": 5},
        {"reasoning_effort": "low", "thinking_level": "low"},
        {"reasoning_effort": "none", "thinking_budget": 5},
        {"reasoning_effort": "none", "thinking_level": "low"},
        {"thinking_budget": 5, "thinking_level": "low"},
        {"thinking": "low", "thinking_budget": 5},
        {"thinking": 5, "thinking_level": "low"},
        {"thinking": {"effort": "low", "budget": 5}},
        {"thinking": {"sternness": 5}},
        {"thinking": False, "include_thoughts": True},
        {"thinking_budget": 0, "include_thoughts": True},
    ],
)
@pytest.mark.parametrize("facts", [GEMINI_3, GEMINI_2])
def test_contradictions_are_refused(said, facts):
    with pytest.raises(SettingsError) as caught:
        thinking_fields(Options(**said), facts)
    assert caught.value.hint


@pytest.mark.parametrize("said", [{"thinking": 512}, {"thinking_level": "low"}, {"thinking": False}])
def test_an_open_model_takes_an_effort_only(said):
    with pytest.raises(SettingsError, match="Gemini's"):
        thinking_fields(Options(**said), OPEN)


@pytest.mark.parametrize("said", [{"thinking": True}, {"thinking": "loud"}, {"thinking_budget": -2}, {"thinking": -2}])
def test_what_is_no_amount_is_refused_at_once(said):
    with pytest.raises(ValueError, match="thinking"):
        Options(**said)
