"""Which media of a body are large, and the body with links in their place."""

import copy

import pytest

from tests.support.large_media import PDF, PICTURE, SMALL, picture, uri, user
from vertex_compat_integrations.core.media.inline import INLINE_BYTES, Inline, large_media, linked, read


def body(*parts):
    return {"model": "m", "messages": user(*parts)}


def test_each_large_medium_is_listed_once_in_order():
    pages = {"type": "image_url", "image_url": {"url": uri(PDF, "application/pdf")}}
    found = large_media(body(picture(), pages, picture(), picture(SMALL)))
    assert [inline.mime_type for inline in found] == ["image/png", "application/pdf"]


@pytest.mark.parametrize(("size", "count"), [(INLINE_BYTES, 0), (INLINE_BYTES + 1, 1)])
def test_the_bound_is_of_the_bytes_before_base64(size, count):
    assert len(large_media(body(picture(bytes(size))))) == count


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "gs://b/" + "a" * 10_000_000}},
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml," + "a" * 10_000_000}},
        {
            "type": "input_audio",
            "input_audio": {"data": "https://a.b/" + "a" * 10_000_000, "format": "audio/wav"},
        },
        {"type": "text", "text": "a" * 10_000_000},
        {"type": "image_url", "image_url": None},
    ],
)
def test_links_texts_and_odd_parts_are_no_data(part):
    assert large_media(body(part)) == []


def test_the_name_is_of_the_content_and_the_type():
    data = uri(PICTURE).partition(",")[2]
    first, second = read(Inline(data, "image/png")), read(Inline(data, "audio/mp3"))
    assert first.name.endswith(".png")
    assert second.name.endswith(".mp3")
    assert first.name[:64] == second.name[:64]
    assert read(Inline(data, "application/x-very.odd+type")).name == first.name[:64]
    assert read(Inline("no base64!", "image/png")) is None


def test_the_passed_body_is_unchanged():
    data = uri(SMALL).partition(",")[2]
    part = {"type": "image_url", "image_url": {"url": uri(SMALL), "detail": "low"}}
    sound = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    before = body(part, sound)
    passed = copy.deepcopy(before)
    links = {Inline(data, "image/png"): "gs://b/a.png", Inline(data, "audio/wav"): "gs://b/a.wav"}
    after = linked(passed, links)["messages"][0]["content"]
    assert passed == before
    assert after[1:] == [
        {"type": "image_url", "image_url": {"url": "gs://b/a.png", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "gs://b/a.wav", "format": "audio/wav"}},
    ]
