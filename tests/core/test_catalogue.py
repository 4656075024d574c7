"""What a model can do is found by the longest prefix of its name."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for, is_known
from vertex_compat_integrations.core.errors import SettingsError


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
        ("google/gemma-4-26b-a4b-it-maas", "effort", False, False, True),
        ("meta/llama-4-maverick-17b-128e-instruct-maas", "effort", False, False, True),
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


@pytest.mark.parametrize(
    "model", ["google/gemini-3.8-flash", "google/gemini-3.7-flash", "google/gemini-3.1-pro-preview"]
)
def test_some_models_have_no_minimal_level(model):
    assert "minimal" not in facts_for(model).thinking_levels
    assert "minimal" in facts_for("google/gemini-3.5-flash").thinking_levels


@pytest.mark.parametrize(
    ("model", "locations"),
    [
        ("google/gemini-3-pro-preview", ("global",)),
        ("google/gemini-3.1-pro-preview", ("global",)),
        ("google/gemini-3.5-flash", ()),
        ("xai/grok-4", ("global",)),
        ("meta/llama-4-scout-17b-16e-instruct-maas", ("us-east5",)),
        ("meta/llama-3.3-70b-instruct-maas", ("us-central1",)),
        ("deepseek-ai/deepseek-v3.1-maas", ("us-west2",)),
    ],
)
def test_models_that_are_not_everywhere_say_where_they_are(model, locations):
    assert facts_for(model).locations == locations


def test_the_user_may_override_a_fact_and_only_a_fact():
    assert facts_for("google/gemini-9-ultra", {"demands_signatures": False}).demands_signatures is False
    with pytest.raises(SettingsError, match="demand_signatures"):
        facts_for("google/gemini-9-ultra", {"demand_signatures": False})


def test_a_family_is_known_by_name():
    assert is_known("google/gemini-3.5-flash")
    assert is_known("qwen/anything")
    assert not is_known("whatever/else")
    assert not is_known("google/gemini")
