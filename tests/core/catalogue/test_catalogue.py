"""What a model can do is found by the longest prefix of its name."""

from dataclasses import fields

import pytest

from vertex_compat_integrations.core.catalogue import ModelFacts, catalogue_rows, facts_for, is_known
from vertex_compat_integrations.core.errors import SettingsError

ABOUT_THE_ROW = ("prefix", "source", "date")


@pytest.mark.parametrize(
    ("model", "thinking", "demands", "refuses_preamble", "tools_with_json"),
    [
        ("google/gemini-3.8-flash", "level", True, True, True),
        ("google/gemini-3.6-flash", "level", True, True, True),
        ("google/gemini-3.5-flash-lite", "level", True, True, True),
        ("google/gemini-3.5-flash", "level", True, True, True),
        ("google/gemini-3.1-flash-lite", "level", True, False, True),
        ("google/gemini-3-flash-preview", "level", True, False, True),
        ("google/gemini-2.5-flash", "budget", False, False, False),
        ("google/gemini-2.0-flash", None, False, False, False),
        ("google/gemini-9-ultra", "level", True, True, True),
        ("google/gemma-4-26b-a4b-it-maas", "switch", False, False, True),
        ("meta/llama-4-maverick-17b-128e-instruct-maas", None, False, False, True),
        ("deepseek-ai/deepseek-r1-0528-maas", "always", False, False, True),
        ("deepseek-ai/deepseek-v3.1-maas", "switch", False, False, True),
        ("qwen/qwen3-next-80b-a3b-instruct-maas", None, False, False, True),
        ("qwen/qwen3-next-80b-a3b-thinking-maas", "always", False, False, True),
        ("openai/gpt-oss-120b-maas", "effort", False, False, True),
        ("zai-org/glm-5-maas", "switch", False, False, True),
        ("xai/grok-4.20-non-reasoning", None, False, False, True),
        ("whatever/else", "effort", False, False, True),
        ("", "effort", False, False, True),
    ],
)
def test_the_longest_prefix_tells(model, thinking, demands, refuses_preamble, tools_with_json):
    facts = facts_for(model)
    assert facts.thinking == thinking
    assert facts.demands_signatures is demands
    assert facts.refuses_preamble is refuses_preamble
    assert facts.tools_with_json is tools_with_json
    assert facts.gemini is model.startswith("google/gemini-")


def test_the_user_may_override_a_fact_and_only_a_fact():
    assert facts_for("google/gemini-9-ultra", {"demands_signatures": False}).demands_signatures is False
    with pytest.raises(SettingsError, match="demand_signatures"):
        facts_for("google/gemini-9-ultra", {"demand_signatures": False})


@pytest.mark.parametrize("fact", [field.name for field in fields(ModelFacts) if field.name not in ABOUT_THE_ROW])
def test_any_fact_may_be_overridden(fact):
    """By the value of another row."""
    model = "google/gemini-3.5-flash"
    known = getattr(facts_for(model), fact)
    other = next(value for row in catalogue_rows() if (value := getattr(row.facts, fact)) != known)
    assert getattr(facts_for(model, {fact: other}), fact) == other


def test_facts_from_files_are_lists():
    facts = facts_for("whatever/else", {"inputs": ["text", "image"], "tool_choices": ["auto"], "locations": ["global"]})
    assert (facts.inputs, facts.tool_choices) == (frozenset({"text", "image"}), frozenset({"auto"}))
    assert facts.locations == ("global",)
    assert hash(facts)
    with pytest.raises(SettingsError, match="is not a list"):
        facts_for("whatever/else", {"inputs": "text"})


def test_a_family_is_known_by_name():
    assert is_known("google/gemini-3.5-flash")
    assert is_known("qwen/anything")
    assert not is_known("whatever/else")
    assert not is_known("google/gemini")
