"""What programs for ChatOpenAI, ChatVertexAI and ChatGoogleGenerativeAI do with a model, beside constructing it."""

import copy
from collections.abc import Callable

import pytest

from vertex_compat_integrations.langchain import ChatVertexCompat

Build = Callable[..., ChatVertexCompat]
LITE = "google/gemini-3.5-flash-lite"


def test_the_model_is_also_read_as_model_name(chat: Build):
    assert chat(LITE).model_name == chat(LITE).model == LITE


@pytest.mark.parametrize(
    ("other", "own", "value"),
    [
        ("model_name", "model", LITE),
        ("max_output_tokens", "max_tokens", 5),
        ("max_completion_tokens", "max_tokens", 5),
        ("stop_sequences", "stop", ["x"]),
        ("candidate_count", "n", 1),
        ("retries", "max_retries", 0),
    ],
)
def test_a_setting_is_changed_under_its_name_in_another_class(chat: Build, other: str, own: str, value: object):
    model = chat()
    assert getattr(model.model_copy(update={other: value}), own) == value
    assert getattr(model, own) != value
    shallow = copy.copy(model)
    setattr(shallow, other, value)
    assert getattr(shallow, own) == value
    assert other not in vars(shallow)


def test_the_profile_follows_a_model_that_is_named_as_another_class_names_it(chat: Build):
    model = chat()
    model.model_name = "google/gemini-3.1-pro"
    assert model.profile == chat("google/gemini-3.1-pro").profile
    assert chat().model_copy(update={"model_name": LITE}).profile == chat(LITE).profile
