"""Thinking is said in one way, and reaches the wire in the way the model takes."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.request.thinking import ThinkingFields, thinking_fields
from vertex_compat_integrations.core.settings.options import Options

GEMINI_3, GEMINI_2, GEMINI_2_0, OPEN, V3_1, V3_2, GLM, KIMI, LLAMA, UNKNOWN = (
    facts_for(model)
    for model in (
        "google/gemini-3.5-flash",
        "google/gemini-2.5-flash",
        "google/gemini-2.0-flash",
        "openai/gpt-oss-120b-maas",
        "deepseek-ai/deepseek-v3.1-maas",
        "deepseek-ai/deepseek-v3.2-maas",
        "zai-org/glm-5.2-maas",
        "moonshotai/kimi-k2-thinking-maas",
        "meta/llama-4-maverick-17b-128e-instruct-maas",
        "whatever/else",
    )
)


def switch(**switches):
    return {"chat_template_kwargs": switches}, {}


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
        ({"thinking": "minimal"}, UNKNOWN, ({"reasoning_effort": "minimal"}, {})),
        ({"thinking": False}, GEMINI_2_0, ({}, {})),
        # A switch has no degrees: any effort is on.
        ({}, V3_1, ({}, {})),
        ({"thinking": "low"}, V3_1, switch(thinking=True)),
        ({"thinking": "max"}, V3_2, switch(thinking=True)),
        ({"thinking": False}, V3_2, switch(thinking=False)),
        ({"reasoning_effort": "none"}, GLM, switch(enable_thinking=False)),
        ({"thinking_budget": 0}, GLM, switch(enable_thinking=False)),
        ({"thinking": "high", "include_thoughts": True}, GLM, switch(enable_thinking=True)),
        ({"include_thoughts": True}, KIMI, ({}, {})),
        ({"thinking": False}, LLAMA, ({}, {})),
    ],
)
def test_each_way_of_saying_it_has_its_place_on_the_wire(said, facts, expected):
    assert thinking_fields(Options(**said), facts) == ThinkingFields(*expected)


@pytest.mark.parametrize(
    ("said", "facts", "words"),
    [
        ({"thinking": "low"}, LLAMA, "does not think"),
        ({"include_thoughts": True}, LLAMA, "does not think"),
        ({"thinking": "low"}, GEMINI_2_0, "does not think"),
        ({"thinking_budget": 5}, GEMINI_2_0, "does not think"),
        ({"thinking": False}, KIMI, "always thinks"),
        ({"thinking": "low"}, KIMI, "always thinks"),
        ({"thinking": False}, OPEN, "turns off thinking"),
        ({"thinking": False}, UNKNOWN, "turns off thinking"),
    ],
)
def test_what_the_model_cannot_do_is_not_sent_and_the_user_told(said, facts, words):
    fields = thinking_fields(Options(model="some/model", **said), facts)
    assert (fields.top, fields.google) == ({}, {})
    (note,) = fields.notes
    assert words in note
    assert "some/model" in note


@pytest.mark.parametrize(
    ("model", "said", "has"),
    [
        ("google/gemini-3.8-flash", {"thinking": "minimal"}, "low, medium, high"),
        ("google/gemini-3.7-flash", {"thinking_level": "minimal"}, "low, medium, high"),
        ("google/gemini-3.1-pro-preview", {"thinking": "minimal", "include_thoughts": True}, "low, medium, high"),
        ("google/gemini-3-pro-preview", {"thinking": "medium"}, "low, high"),
        ("openai/gpt-oss-120b-maas", {"thinking": "minimal"}, "low, medium, high"),
        ("openai/gpt-oss-20b-maas", {"reasoning_effort": "max"}, "low, medium, high"),
        ("google/gemini-2.5-pro", {"thinking_level": "low"}, "thinking_budget"),
    ],
)
def test_a_level_that_the_model_does_not_have_is_refused_with_those_it_has(model, said, has):
    with pytest.raises(SettingsError, match=model.replace(".", r"\.")) as caught:
        thinking_fields(Options(model=model, **said), facts_for(model))
    assert has in caught.value.hint


def test_max_stands_for_the_highest_level():
    assert thinking_fields(Options(thinking="max"), facts_for("google/gemini-3.8-flash")).top == {
        "reasoning_effort": "max"
    }


def test_levels_are_facts_that_the_user_may_override():
    facts = facts_for("google/gemini-3.8-flash", {"thinking_levels": ["minimal"]})
    assert thinking_fields(Options(thinking_level="minimal"), facts).google == {
        "thinking_config": {"thinking_level": "minimal"}
    }


def test_the_marker_is_the_users_if_there_is_one():
    google = thinking_fields(Options(include_thoughts=True, thought_tag_marker="why"), GEMINI_3).google
    assert google["thought_tag_marker"] == "why"
    bare = thinking_fields(Options(thought_tag_marker="why"), GEMINI_3)
    assert bare == ThinkingFields({}, {"thought_tag_marker": "why"})


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
        {"thinking": {"effort": "loud"}},
        {"thinking": {"effort": "loud", "include_thoughts": True}},
        {"thinking": {"budget": "1024"}},
        {"thinking": {"budget": True}},
        {"thinking": {"include_thoughts": "yes"}},
        {"thinking": False, "include_thoughts": True},
        {"thinking_budget": 0, "include_thoughts": True},
    ],
)
@pytest.mark.parametrize("facts", [GEMINI_3, GEMINI_2])
def test_contradictions_are_refused(said, facts):
    with pytest.raises(SettingsError) as caught:
        thinking_fields(Options(**said), facts)
    assert caught.value.hint


@pytest.mark.parametrize("said", [{"thinking": 512}, {"thinking_level": "low"}, {"thinking": -1}])
@pytest.mark.parametrize("facts", [OPEN, V3_1, KIMI, LLAMA])
def test_an_open_model_takes_neither_budget_nor_level(said, facts):
    with pytest.raises(SettingsError, match="Gemini's"):
        thinking_fields(Options(**said), facts)


@pytest.mark.parametrize("said", [{"thinking": True}, {"thinking": "loud"}, {"thinking_budget": -2}, {"thinking": -2}])
def test_what_is_no_amount_is_refused_at_once(said):
    with pytest.raises(ValueError, match="thinking"):
        Options(**said)
