"""The page: whatever a model, a prompt or a label says is text on it, and it needs nothing but itself."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from tests.support.made_up_answers import HOSTILE, answer


class Reader(HTMLParser):
    """What a browser would find: elements, attributes, and the text outside of the style."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = set(), set(), "", []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def _read(html):
    """The page without its void elements, whose values a test of their own looks at."""
    reader = Reader()
    reader.feed(re.sub(r"<meta [^>]*>", "", html))
    reader.close()
    return reader


def test_hostile_words_make_no_element_and_no_attribute(report):
    from vertex_compat_integrations.compare.page.page import page

    found = _read(page(report))
    assert not found.tags & {"script", "img", "iframe", "object", "embed", "link", "a", "base", "form", "meta"}
    assert not {
        name for name in found.attributes if name.startswith("on") or name in ("style", "href", "src", "srcdoc")
    }
    assert found.open == []


def test_hostile_words_stand_there_to_be_read(report):
    from vertex_compat_integrations.compare.page.page import page

    # Label, prompt, answer, reason, error, price and remark: each is shown.
    assert _read(page(report)).text.count(HOSTILE) > 10


def test_the_page_allows_its_own_style_and_nothing_else(report):
    from vertex_compat_integrations.compare.page.page import page

    html = page(report)
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert len(styles) == 1
    assert f"content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\"" in html
    assert not re.search(r"url\(|@import|https?://", styles[0])


def test_the_page_is_utf_8_whatever_was_said(report):
    from vertex_compat_integrations.compare.page.page import page

    assert "\ufffd" in page(report).encode().decode()


def figures_of(html: str) -> list[str]:
    return re.findall(r"<figure>(.*?)</figure>", html, re.DOTALL)


def failing_report(**more):
    """A model that answers, one that fails in each of three runs, and one that fails in one of them."""
    from tests.compare.conftest import report_on

    errors = {"broken": (1, 2, 3), "shaky": (2,)}
    answers = [
        answer(label, run, error="NotFoundError: no such model", usage=None, cost=None, text="")
        if run in errors.get(label, ())
        else answer(label, run)
        for run in (1, 2, 3)
        for label in ("fine", "broken", "shaky")
    ]
    return report_on(answers)


def test_a_failed_model_is_named_in_every_chart():
    from vertex_compat_integrations.compare.page.page import page

    charts = figures_of(page(failing_report()))
    assert len(charts) == 4
    for chart in charts:
        assert ">broken<" in chart
        assert "every answer failed" in chart
        assert ">fine<" in chart
    assert "(1 of 3 failed)" in charts[0]


def test_one_error_stands_there_once_and_each_answer_names_it():
    from vertex_compat_integrations.compare.page.page import page

    text = _read(page(failing_report())).text
    assert text.count("no such model") == 1
    assert text.count("failed: error 1") == 4
    assert 'Error 1, "broken" (3 answers), "shaky" (1 answer):' in text


def test_no_caption_speaks_of_light_and_dark():
    """In the dark the pieces grow darker, not lighter."""
    from vertex_compat_integrations.compare.page.page import page

    html = page(failing_report())
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    assert len(captions) == 4
    assert not re.search(r"dark|light|bright|pale", " ".join(captions))
    # The caption goes by how much of the colour is left, in both modes.
    assert [float(share) for share in re.findall(r"\.shade\d \{ fill-opacity: ([\d.]+)", html)] == [0.6, 0.3]
