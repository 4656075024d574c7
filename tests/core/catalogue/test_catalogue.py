"""What a model can do is found by the longest prefix of its name."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from vertex_compat_integrations.core.catalogue import CATALOGUE, LEVELS, ModelFacts, facts_for, is_known
from vertex_compat_integrations.core.errors import SettingsError

ABOUT_THE_ROW = ("prefix", "source", "date")

# Google's page on OpenAI compatibility, and the models served as an API that its pages name.
GEMINI = [
    *("gemini-3.8-flash", "gemini-3.7-flash", "gemini-3.6-flash", "gemini-3.5-flash-lite", "gemini-3.5-flash"),
    *("gemini-3.1-pro-preview", "gemini-3.1-flash-lite", "gemini-3-flash-preview"),
    *("gemini-2.5-pro", "gemini-2.5-flash"),
]
GARDEN = [
    *("meta/llama-4-maverick-17b-128e-instruct-maas", "meta/llama-4-scout-17b-16e-instruct-maas"),
    *("meta/llama-3.3-70b-instruct-maas", "deepseek-ai/deepseek-r1-0528-maas", "deepseek-ai/deepseek-v3.1-maas"),
    *("deepseek-ai/deepseek-v3.2-maas", "qwen/qwen3-next-80b-a3b-instruct-maas"),
    *("qwen/qwen3-next-80b-a3b-thinking-maas", "qwen/qwen3-coder-480b-a35b-instruct-maas"),
    *("openai/gpt-oss-120b-maas", "openai/gpt-oss-20b-maas", "moonshotai/kimi-k2-thinking-maas"),
    *("minimaxai/minimax-m2-maas", "zai-org/glm-4.7-maas", "zai-org/glm-5-maas", "google/gemma-4-26b-a4b-it-maas"),
    *("xai/grok-4.1-fast-reasoning", "xai/grok-4.6"),
]


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


@pytest.mark.parametrize("fact", [field.name for field in fields(ModelFacts) if field.name not in ABOUT_THE_ROW])
def test_any_fact_may_be_overridden(fact):
    """By the value of another row."""
    model = "google/gemini-3.5-flash"
    known = getattr(facts_for(model), fact)
    other = next(getattr(row, fact) for row in CATALOGUE if getattr(row, fact) != known)
    assert getattr(facts_for(model, {fact: other}), fact) == other


def test_facts_from_files_are_lists():
    facts = facts_for("whatever/else", {"inputs": ["text", "image"], "tool_choices": ["auto"], "locations": ["global"]})
    assert (facts.inputs, facts.tool_choices) == (frozenset({"text", "image"}), frozenset({"auto"}))
    assert facts.locations == ("global",)
    assert hash(facts)
    with pytest.raises(SettingsError, match="is no list"):
        facts_for("whatever/else", {"inputs": "text"})


@pytest.mark.parametrize("model", [*(f"google/{name}" for name in GEMINI), *GARDEN])
def test_every_model_that_google_lists_has_a_row_that_says_what_it_can_do(model):
    facts = facts_for(model)
    assert facts.prefix.count("/") == 1
    assert facts.input_tokens >= 128_000
    assert facts.output_tokens >= 8_192
    assert "text" in facts.inputs & facts.outputs


@pytest.mark.parametrize("row", CATALOGUE, ids=[row.prefix for row in CATALOGUE])
class TestRow:
    def test_names_its_source_and_date(self, row):
        assert row.source
        assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", row.date)
        assert row.date <= datetime.now(tz=UTC).date().isoformat()

    def test_names_what_takes_its_place_if_it_retires(self, row):
        if row.embedding is None:
            assert bool(row.replacement) == bool(row.retires)
        if row.retires:
            assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", row.retires)

    def test_does_not_name_in_its_place_what_retires_itself(self, row):
        if (row.replacement or "").startswith("google/"):
            assert facts_for(row.replacement).retires is None
            assert facts_for(row.replacement).outputs == row.outputs

    def test_says_how_thinking_is_set_in_one_way(self, row):
        assert bool(row.thinking_switch) == (row.thinking == "switch")
        assert row.thinking in ({"level", "budget", None} if row.gemini else {"effort", "switch", "always", None})
        assert set(row.thinking_levels) <= {*LEVELS, "max"}

    def test_is_the_only_one_of_its_prefix(self, row):
        assert [other.prefix for other in CATALOGUE].count(row.prefix) == 1
        assert facts_for(row.prefix) == row

    def test_says_what_its_family_does_not(self, row):
        """A row that only repeats the next shorter one would be noise, unless its source speaks of that very model."""
        shorter = [other for other in CATALOGUE if row.prefix.startswith(other.prefix) and other.prefix != row.prefix]
        if shorter:
            above = max(shorter, key=lambda other: len(other.prefix))
            assert row != replace(above, prefix=row.prefix) or row.prefix == "google/gemini-2.5-pro"


def test_a_family_is_known_by_name():
    assert is_known("google/gemini-3.5-flash")
    assert is_known("qwen/anything")
    assert not is_known("whatever/else")
    assert not is_known("google/gemini")
