"""Content parts are built from what a caller has: a URL, bytes, a type that may be wrong."""

from base64 import b64encode

import pytest

from vertex_compat_integrations.core.errors import UnsupportedContentError, VertexCompatWarning
from vertex_compat_integrations.core.request.content import guess_by_name, media, own_extra, parts_of, sniff

PNG = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
OGG = b64encode(b"OggS" + bytes(16)).decode()
PLAIN = b64encode(b"Just words.").decode()


def image(url, **more):
    return {"type": "image_url", "image_url": {"url": url, **more}}


def sound(data, mime_type):
    return {"type": "input_audio", "input_audio": {"data": data, "format": mime_type}}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"url": "https://example.com/a"}, image("https://example.com/a")),
        ({"url": "https://example.com/a", "detail": "low"}, image("https://example.com/a", detail="low")),
        ({"url": "gs://b/a.pdf"}, sound("gs://b/a.pdf", "application/pdf")),
        ({"url": "https://example.com/a.mp4?token=1#t=2"}, sound("https://example.com/a.mp4?token=1#t=2", "video/mp4")),
        ({"url": "gs://b/a", "mime_type": "audio/mp3"}, sound("gs://b/a", "audio/mp3")),
        ({"data": PNG, "mime_type": "image/jpeg"}, image(f"data:image/png;base64,{PNG}")),
        ({"data": PLAIN, "mime_type": "text/plain"}, image(f"data:text/plain;base64,{PLAIN}")),
        ({"data": OGG, "mime_type": "video/ogg"}, image(f"data:video/ogg;base64,{OGG}")),
        ({"data": OGG}, sound(OGG, "audio/ogg")),
        ({"url": f"data:;base64,{PNG}"}, image(f"data:image/png;base64,{PNG}")),
        ({"url": "data:text/plain,Just%20words."}, image(f"data:text/plain;base64,{PLAIN}")),
        ({"url": f"data:text/plain;base64,{PLAIN}", "mime_type": "text/csv"}, image(f"data:text/csv;base64,{PLAIN}")),
    ],
)
def test_a_medium_goes_where_the_endpoint_reads_it(arguments, part):
    assert media(**arguments) == part


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"url": ""},
        {"data": PLAIN},
        {"url": "data:,x"},
        {"data": "", "mime_type": "application/pdf"},
        {"url": "data:image/png;base64,"},
    ],
)
def test_a_medium_without_address_or_type_is_refused(arguments):
    with pytest.raises(UnsupportedContentError):
        media(**arguments)


def test_data_in_the_place_of_a_link_is_refused_with_the_head_that_it_lacks():
    with pytest.raises(UnsupportedContentError, match=r'Base64 data.*Put "data:image/png;base64," before') as caught:
        media(url=PNG + "A" * 1000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("link", ["file:///a.png", "file-abc123", "a.png", "/tmp/a.png", "https/a.png"])
def test_a_link_that_google_cannot_fetch_is_refused(link):
    with pytest.raises(UnsupportedContentError, match="Google cannot fetch"):
        media(url=link)


@pytest.mark.parametrize(("data", "mime_type"), [(PNG, "image/png"), (PLAIN, None), ("", None), ("é", None)])
def test_the_first_bytes_show_a_type_or_none(data, mime_type):
    assert sniff(data) == mime_type


@pytest.mark.parametrize(("name", "mime_type"), [(None, None), ("", None), ("a", None), ("a.PNG?x=.pdf", "image/png")])
def test_an_ending_shows_a_type_or_none(name, mime_type):
    assert guess_by_name(name) == mime_type


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, []),
        ("", [{"type": "text", "text": ""}]),
        ("Hi.", [{"type": "text", "text": "Hi."}]),
        ([image("gs://b/a")], [image("gs://b/a")]),
    ],
)
def test_content_is_a_list_of_parts(content, parts):
    assert parts_of({"role": "user", "content": content}) == parts


@pytest.mark.parametrize(
    ("holder", "extra"),
    [
        ({}, None),
        ({"extra_content": "x"}, None),
        ({"extra_content": {"google": {"thought_signature": "s"}}}, {"google": {"thought_signature": "s"}}),
    ],
)
def test_extra_content_is_taken_as_it_is(holder, extra):
    assert own_extra(holder) == extra


@pytest.mark.parametrize(
    ("holder", "extra"),
    [
        ({"extra_part": {"thought_signature": "s"}}, {"google": {"thought_signature": "s"}}),
        ({"extra_part": {"google": {"thought_signature": "s"}}}, {"google": {"thought_signature": "s"}}),
        ({"extra_part": {"extra_content": {"vertex": {"a": 1}}}}, {"vertex": {"a": 1}}),
        (
            {"extra_content": {"google": {"a": 1}}, "extra_part": {"thought_signature": "s"}},
            {"google": {"a": 1, "thought_signature": "s"}},
        ),
    ],
)
def test_the_older_name_is_understood_with_a_warning(holder, extra):
    before = repr(holder)
    with pytest.warns(VertexCompatWarning, match="extra_part"):
        assert own_extra(holder) == extra
    assert repr(holder) == before
