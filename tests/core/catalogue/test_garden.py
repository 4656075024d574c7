"""What is known of other publishers' models, and of Google's open ones."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for

# The models served as an API that Google's pages name.
GARDEN = [
    *("meta/llama-4-maverick-17b-128e-instruct-maas", "meta/llama-4-scout-17b-16e-instruct-maas"),
    *("meta/llama-3.3-70b-instruct-maas", "deepseek-ai/deepseek-r1-0528-maas", "deepseek-ai/deepseek-v3.1-maas"),
    *("deepseek-ai/deepseek-v3.2-maas", "qwen/qwen3-next-80b-a3b-instruct-maas"),
    *("qwen/qwen3-next-80b-a3b-thinking-maas", "qwen/qwen3-coder-480b-a35b-instruct-maas"),
    *("openai/gpt-oss-120b-maas", "openai/gpt-oss-20b-maas", "moonshotai/kimi-k2-thinking-maas"),
    *("minimaxai/minimax-m2-maas", "zai-org/glm-4.7-maas", "zai-org/glm-5-maas", "google/gemma-4-26b-a4b-it-maas"),
    *("xai/grok-4.1-fast-reasoning", "xai/grok-4.6", "xai/grok-4.7", "zai-org/glm-5.2-maas", "meta/muse-spark-1.3"),
]


@pytest.mark.parametrize(
    ("model", "locations"),
    [
        ("xai/grok-4", ("global",)),
        ("meta/llama-4-scout-17b-16e-instruct-maas", ("us-east5",)),
        ("meta/llama-3.3-70b-instruct-maas", ("us-central1",)),
        ("deepseek-ai/deepseek-v3.1-maas", ("us-central1", "us-west2")),
        ("google/gemma-4-26b-a4b-it-maas", ("global",)),
        ("openai/gpt-oss-120b-maas", ("global", "us-central1")),
        ("xai/grok-4.7", ("global", "us")),
        ("meta/muse-spark-1.3", ("global",)),
        ("qwen/qwen3-coder-480b-a35b-instruct-maas", ("global", "us-south1")),
    ],
)
def test_models_that_are_not_everywhere_say_where_they_are(model, locations):
    assert facts_for(model).locations == locations


@pytest.mark.parametrize("model", GARDEN)
def test_every_model_that_google_lists_has_a_row_that_says_what_it_can_do(model):
    facts = facts_for(model)
    assert facts.prefix.count("/") == 1
    assert facts.input_tokens >= 128_000
    assert facts.output_tokens >= 8_192
    assert "text" in facts.inputs & facts.outputs


@pytest.mark.parametrize(
    ("retires", "models"),
    [
        ("2026-08-20", ["xai/grok-4.1-fast-reasoning", "xai/grok-4.1-fast-non-reasoning"]),
        (
            "2026-10-21",
            [
                *("qwen/qwen3-next-80b-a3b-instruct-maas", "qwen/qwen3-next-80b-a3b-thinking-maas"),
                *("qwen/qwen3-coder-480b-a35b-instruct-maas", "qwen/qwen3-235b-a22b-instruct-2507-maas"),
                *(
                    "deepseek-ai/deepseek-r1-0528-maas",
                    "deepseek-ai/deepseek-v3.1-maas",
                    "deepseek-ai/deepseek-v3.2-maas",
                ),
                *("moonshotai/kimi-k2-thinking-maas", "minimaxai/minimax-m2-maas", "meta/llama-3.3-70b-instruct-maas"),
                *("zai-org/glm-4.7-maas", "zai-org/glm-5-maas", "openai/gpt-oss-20b-maas"),
                *("intfloat/multilingual-e5-small-maas", "intfloat/multilingual-e5-large-instruct-maas"),
            ],
        ),
        ("2026-10-20", ["google/gemini-2.5-pro", "google/gemini-2.5-flash", "google/gemini-2.5-flash-lite"]),
        (None, ["zai-org/glm-5.2-maas", "openai/gpt-oss-120b-maas", "xai/grok-4.20-reasoning", "meta/muse-spark-1.3"]),
    ],
)
def test_the_end_of_service_is_that_of_googles_pages(retires, models):
    assert {facts_for(model).retires for model in models} == {retires}


def test_muse_spark_is_no_llama():
    muse, llama = facts_for("meta/muse-spark-1.3"), facts_for("meta/llama-4-scout-17b-16e-instruct-maas")
    assert (muse.thinking, muse.strict_turns, muse.input_tokens) == ("effort", False, 1_000_000)
    assert (llama.thinking, llama.strict_turns) == (None, True)
    assert "model_safety_settings" in muse.ignores - llama.ignores
