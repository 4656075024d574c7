"""Messages of unknown kinds among others, and contents in other forms."""

import pytest

from tests.proxy.samples import HELLO
from tests.support.endpoint_bodies import assistant_calls, result
from vertex_compat_integrations.core.errors import UnsupportedContentError
from vertex_compat_integrations.core.openai_form.odd_messages import has_stand_ins, with_stand_ins, without_stand_ins

(USER,) = HELLO
A = assistant_calls(("a", "look"))
ORACLE = {"role": "oracle", "content": 7}


def test_results_of_calls_that_cannot_be_read_pass_with_them():
    """Nobody knows whose they are."""
    strange = {"role": "assistant", "tool_calls": [{"id": "x", "custom": {"name": "sh"}}]}
    messages = [USER, A, result("a"), strange, result("x"), USER]
    read = with_stand_ins(messages)
    assert read is not None
    assert [message["role"] for message in read] == ["user", "assistant", "tool", "user", "user", "user"]
    assert without_stand_ins(read) == messages


def test_what_is_all_odd_is_not_read():
    assert with_stand_ins([ORACLE, None, 7]) is None
    assert with_stand_ins([]) is None


def test_whether_something_stands_in_is_known():
    assert has_stand_ins(with_stand_ins([ORACLE, USER]))
    assert not has_stand_ins(with_stand_ins([USER]))


LINK = "https://example.com/a.png"
PARTS = [
    ({"type": "input_text", "text": "Hi"}, {"type": "text", "text": "Hi"}),
    ({"type": "output_text", "text": "Hi", "annotations": []}, {"type": "text", "text": "Hi"}),
    ({"type": "input_image", "image_url": LINK}, {"type": "image_url", "image_url": {"url": LINK}}),
    ({"type": "image_url", "image_url": LINK}, {"type": "image_url", "image_url": {"url": LINK}}),
    (
        {"type": "image_url", "image_url": {"url": LINK, "detail": None}},
        {"type": "image_url", "image_url": {"url": LINK}},
    ),
    (
        {"type": "image_url", "image_url": {"url": LINK, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": LINK, "detail": "low"}},
    ),
    ({"type": "text", "text": None}, {"type": "text", "text": ""}),
]


@pytest.mark.parametrize(("part", "expected"), PARTS)
def test_parts_in_other_forms(part, expected):
    [message] = with_stand_ins([{"role": "user", "content": [part, None]}])
    assert message["content"] == [expected]


@pytest.mark.parametrize("url", ["file:///a.png", "repo://x", "file-abc"])
@pytest.mark.parametrize("form", [lambda url: url, lambda url: {"url": url}])
def test_links_that_google_cannot_fetch_are_refused(url, form):
    with pytest.raises(UnsupportedContentError, match="Google cannot fetch"):
        with_stand_ins([{"role": "user", "content": [{"type": "image_url", "image_url": form(url)}]}])
