"""A tool's result as one message: text as it is, media beside a text that refers to them."""

import json

import pytest

from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.request.tool_message import build_tool_message, show_tool_media

TEXT = {"type": "text", "text": "Rain."}
MORE = {"type": "text", "text": "12 °C."}


def test_text_is_the_content():
    assert build_tool_message("1", [TEXT, MORE], "look") == {
        "role": "tool",
        "tool_call_id": "1",
        "content": "Rain.\n12 °C.",
        "name": "look",
    }


def test_nothing_is_empty_text_and_no_name_is_no_field():
    assert build_tool_message("1", []) == {"role": "tool", "tool_call_id": "1", "content": ""}


@pytest.mark.parametrize(
    ("part", "mime_type", "medium"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            None,
            {"inline_data": {"mime_type": "image/png", "display_name": "media_0", "data": "QUJD"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "gs://b/a.jpg"}},
            None,
            {"file_data": {"mime_type": "image/jpeg", "display_name": "media_0", "file_uri": "gs://b/a.jpg"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "gs://b/a"}},
            None,
            {"file_data": {"mime_type": "image/*", "display_name": "media_0", "file_uri": "gs://b/a"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "gs://b/a"}},
            "image/webp",
            {"file_data": {"mime_type": "image/webp", "display_name": "media_0", "file_uri": "gs://b/a"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "audio/wav"}},
            None,
            {"inline_data": {"mime_type": "audio/wav", "display_name": "media_0", "data": "QUJD"}},
        ),
    ],
)
def test_a_medium_travels_beside_the_text_that_refers_to_it(part, mime_type, medium):
    message = build_tool_message("1", [TEXT, part], mime_types=[None, mime_type])
    assert json.loads(message["content"]) == {"output": "Rain.", "media_0": {"$ref": "media_0"}}
    assert message["extra_content"] == {"google": {"parts": [medium]}}


def test_several_media_have_names_of_their_own():
    part = {"type": "image_url", "image_url": {"url": "gs://b/a.png"}}
    message = build_tool_message("1", [part, TEXT, part])
    names = [medium["file_data"]["display_name"] for medium in message["extra_content"]["google"]["parts"]]
    assert names == ["media_0", "media_1"]
    assert json.loads(message["content"]).keys() == {"output", *names}


def test_what_is_neither_text_nor_a_medium_is_refused():
    with pytest.raises(UnsupportedContentError):
        build_tool_message("1", [{"type": "video"}])


OWN, BLIND = "served", "deepseek-ai/deepseek-r1-0528-maas"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "audio/wav"}}
SEEN = {"type": "text", "text": "seen"}


def shown(model, *messages):
    return show_tool_media(messages, model, facts_for(model))


def test_one_user_message_follows_all_results_of_a_step():
    results = [build_tool_message(number, [SEEN, PICTURE], "look") for number in "12"]
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
    conversation = shown(model, build_tool_message("1", [SEEN, part]))
    (result,) = conversation.messages
    assert result["content"] == "seen\n(media_0 cannot be shown to this model.)"
    assert model in conversation.notes[0]


def test_results_of_text_stay_as_they_are():
    history = [build_tool_message("1", [SEEN]), {"role": "user", "content": "And?"}]
    assert shown(OWN, *history) == (history, ())
