"""Arguments of other classes' constructors become settings, or an error that says what to use."""

from enum import Enum

import pytest
from pydantic import BaseModel

from vertex_compat_integrations.core.adapters.constructor_words import (
    GENERATION_WORDS,
    Foreign,
    own_words,
    plain,
    with_answer_format,
)
from vertex_compat_integrations.core.errors import SettingsError

FIELDS = {"model", "thinking", "response_format", "modalities", "temperature"}


class Level(Enum):
    HIGH = 1


class Config(BaseModel):
    level: Level = Level.HIGH
    nothing: str | None = None


def own(values):
    return own_words(with_answer_format(values), GENERATION_WORDS, "ChatVertexCompat", FIELDS, {"model_name": "model"})


def test_plain_values_hold_no_class_of_another_package():
    assert plain({"config": Config(), "items": (Level.HIGH, 1)}) == {"config": {"level": "HIGH"}, "items": ["HIGH", 1]}


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ({"model_name": "m", "temperature": 0.5}, {"model": "m", "temperature": 0.5}),
        ({"thinking_config": {"thinking_level": "HIGH"}}, {"thinking": {"thinking_level": "high"}}),
        ({"response_mime_type": "text/plain"}, {}),
        ({"response_mime_type": "application/json"}, {"response_format": {"type": "json_object"}}),
        ({"response_modalities": ["TEXT", "IMAGE"]}, {"modalities": ["text", "image"]}),
        ({"audio_timestamp": False}, {}),
        ({"thinking_config": None}, {}),
    ],
)
def test_a_word_that_says_the_same_is_converted(values, settings):
    assert own(values) == settings


def test_a_mime_type_and_a_schema_are_one_answer_format():
    values = {"response_mime_type": "text/x.enum", "response_schema": {"title": "Mood", "enum": ["good", "bad"]}}
    answer = own(values)["response_format"]
    assert answer["type"] == "text/x.enum"
    assert answer["json_schema"]["name"] == "Mood"


def test_a_word_without_a_meaning_here_is_an_error_with_what_to_use():
    with pytest.raises(SettingsError, match="top_k") as caught:
        own({"top_k": 3})
    assert "top_p" in caught.value.hint


def test_two_words_for_one_setting_must_agree():
    with pytest.raises(SettingsError, match="passed twice"):
        own({"response_modalities": ["TEXT"], "modalities": ["image"]})


def test_a_field_of_the_class_wins_over_a_foreign_word_of_its_name():
    words = {"temperature": Foreign("Not here.")}
    assert own_words({"temperature": 0.1}, words, "ChatVertexCompat", FIELDS, {}) == {"temperature": 0.1}
