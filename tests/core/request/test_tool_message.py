"""A tool's result as one message: text as it is, media beside a text that refers to them."""

import json

import pytest

from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.request.tool_message import build_tool_message

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
