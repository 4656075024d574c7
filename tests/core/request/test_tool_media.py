"""Where media of tools stand for models that are not Gemini."""

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.request.tool_media import show_tool_media
from vertex_compat_integrations.core.request.tool_message import build_tool_message

OWN, BLIND = "served", "deepseek-ai/deepseek-r1-0528-maas"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "audio/wav"}}
TEXT = {"type": "text", "text": "seen"}


def shown(model, *messages):
    return show_tool_media(messages, model, facts_for(model))


def test_one_user_message_follows_all_results_of_a_step():
    results = [build_tool_message(number, [TEXT, PICTURE], "look") for number in "12"]
    last = {"role": "assistant", "content": "A cat."}
    first, second, user, after = shown(OWN, *results, last).messages
    assert [first["role"], second["role"], user["role"]] == ["tool", "tool", "user"]
    assert [part["type"] for part in user["content"]] == ["text", "image_url"] * 2
    assert user["content"][1] == PICTURE
    assert after == last


def test_a_link_stays_a_link_and_a_sound_a_sound():
    link = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    _, user = shown(OWN, build_tool_message("1", [link, SOUND])).messages
    assert user["content"][1] == link
    assert user["content"][3] == {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}


@pytest.mark.parametrize(
    ("model", "part"),
    [(BLIND, PICTURE), (OWN, {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,QUJD"}})],
)
def test_what_the_model_cannot_see_is_said_to_it_and_to_the_user(model, part):
    conversation = shown(model, build_tool_message("1", [TEXT, part]))
    (result,) = conversation.messages
    assert result["content"] == "seen\n(media_0 cannot be shown to this model.)"
    assert model in conversation.notes[0]


def test_results_of_text_stay_as_they_are():
    history = [build_tool_message("1", [TEXT]), {"role": "user", "content": "And?"}]
    assert shown(OWN, *history) == (history, ())
