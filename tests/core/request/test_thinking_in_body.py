"""A body, the user's own fields included, tells whether the model thinks and how its answer begins."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.request.thinking_in_body import read_thinking

GEMINI_3, V3_1, V3_2, GLM = (
    facts_for(model)
    for model in (
        "google/gemini-3.5-flash",
        "deepseek-ai/deepseek-v3.1-maas",
        "deepseek-ai/deepseek-v3.2-maas",
        "zai-org/glm-5.2-maas",
    )
)


@pytest.mark.parametrize(
    ("body", "facts", "off"),
    [
        ({}, GEMINI_3, False),
        ({"extra_body": {"google": {"thinking_config": {"thinking_budget": 0}}}}, GEMINI_3, True),
        ({"extra_body": {"google": {"thinking_config": {"thinking_budget": 1}}}}, GEMINI_3, False),
        ({}, GLM, False),
        ({"chat_template_kwargs": {"enable_thinking": False}}, GLM, True),
        ({"chat_template_kwargs": {"enable_thinking": True}}, GLM, False),
        ({"chat_template_kwargs": {"thinking": False}}, GLM, False),
    ],
)
def test_a_body_tells_whether_thinking_is_off(body, facts, off):
    assert read_thinking(body, facts).is_off is off


@pytest.mark.parametrize(
    ("body", "facts", "unopened"),
    [
        ({}, V3_1, False),
        ({"chat_template_kwargs": {"thinking": True}}, V3_1, True),
        ({"chat_template_kwargs": {"thinking": False}}, V3_1, False),
        ({"chat_template_kwargs": {"thinking": True}}, V3_2, False),
        ({}, facts_for("", {"unopened_thoughts": True}), True),
        ({"chat_template_kwargs": {"enable_thinking": False}}, facts_for("", {"unopened_thoughts": True}), False),
    ],
)
def test_thoughts_without_an_opening_tag_are_looked_for_while_the_model_thinks(body, facts, unopened):
    assert read_thinking(body, facts).begins_in_thoughts is unopened
