"""What is known of Gemini's models."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for

# Google's page on OpenAI compatibility.
GEMINI = [
    *("gemini-3.8-flash", "gemini-3.7-flash", "gemini-3.6-flash", "gemini-3.5-flash-lite", "gemini-3.5-flash"),
    *("gemini-3.1-pro-preview", "gemini-3.1-flash-lite", "gemini-3-flash-preview"),
    *("gemini-2.5-pro", "gemini-2.5-flash"),
]


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
        ("google/gemini-3.8-flash", ("global", "us", "eu")),
        ("google/gemini-4-argon", ("global", "us", "eu")),
        ("google/gemini-9-ultra", ()),
    ],
)
def test_models_that_are_not_everywhere_say_where_they_are(model, locations):
    assert facts_for(model).locations == locations


@pytest.mark.parametrize("model", [f"google/{name}" for name in GEMINI])
def test_every_model_that_google_lists_has_a_row_that_says_what_it_can_do(model):
    facts = facts_for(model)
    assert facts.prefix.count("/") == 1
    assert facts.input_tokens >= 128_000
    assert facts.output_tokens >= 8_192
    assert "text" in facts.inputs & facts.outputs
