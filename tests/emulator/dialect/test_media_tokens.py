"""Media cost what the models' cards say, and not what their base64 weighs."""

import base64

import pytest

GEMINI_3 = "google/gemini-3.5-flash"
GEMINI_2 = "google/gemini-2.5-flash"
TEXT = {"type": "text", "text": "What is it?"}


def medium(kind, data=b"x" * 3000):
    return shown(f"data:{kind};base64,{base64.b64encode(data).decode()}")


def shown(url):
    return {"type": "image_url", "image_url": {"url": url}}


def pdf(pages):
    objects = b"".join(b"%d 0 obj << /Type /Page /Parent 1 0 R >> endobj\n" % place for place in range(2, pages + 2))
    return medium(
        "application/pdf", b"%PDF-1.4\n1 0 obj << /Type /Pages /Count " + str(pages).encode() + b" >>" + objects
    )


def prompt_tokens(reply):
    assert reply.status == 200, reply.raw
    return reply.body["usage"]["prompt_tokens"]


def cost(ask, parts, **more):
    return prompt_tokens(ask([TEXT, *parts], **more)) - prompt_tokens(ask([TEXT], **more))


@pytest.mark.parametrize(
    ("model", "image", "page", "frame"),
    [(GEMINI_3, 1120, 560, 70), ("google/gemini-4-argon", 1120, 560, 70), (GEMINI_2, 258, 258, 258)],
)
def test_a_medium_costs_what_the_card_says(ask, model, image, page, frame):
    assert cost(ask, [medium("image/png")], model=model) == image
    assert cost(ask, [medium("image/png"), medium("image/webp")], model=model) == 2 * image
    assert cost(ask, [pdf(3)], model=model) == 3 * page
    assert cost(ask, [medium("video/mp4")], model=model) == frame


@pytest.mark.parametrize("url", ["https://example.com/a.jpg?x=1", "gs://bucket/a.png", "https://example.com/picture"])
def test_what_stands_elsewhere_costs_the_same(ask, url):
    assert cost(ask, [shown(url)]) == 1120


@pytest.mark.parametrize(
    "url", ["gs://bucket/a.pdf", "data:application/pdf;base64,%%%", "data:application/pdf;base64,QQ"]
)
def test_a_pdf_that_cannot_be_read_has_one_page(ask, url):
    assert cost(ask, [shown(url)]) == 560


def test_media_of_earlier_messages_count_too(ask):
    answer = {"role": "assistant", "content": "A cat."}
    again = {"role": "user", "content": "And now?"}
    with_image = [{"role": "user", "content": [TEXT, medium("image/png")]}, answer, again]
    without = [{"role": "user", "content": [TEXT]}, answer, again]
    assert prompt_tokens(ask(messages=with_image)) - prompt_tokens(ask(messages=without)) == 1120


def test_sound_is_counted_as_text_and_so_is_all_that_open_models_are_shown(ask):
    sound = {"type": "input_audio", "input_audio": {"data": "QUJD" * 100, "format": "wav"}}
    assert cost(ask, [sound]) > 100
    assert cost(ask, [medium("image/png")], model="openai/gpt-oss-120b-maas") > 1000
