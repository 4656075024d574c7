"""The page: whatever a model, a prompt or a label says is text on it, and it needs nothing but itself."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tests.support.made_up_answers import PROMPT, WHEN, answer
from vertex_compat_integrations.compare.answer import Validity
from vertex_compat_integrations.compare.page.charts import round_up
from vertex_compat_integrations.compare.page.markup import Markup, element, escape
from vertex_compat_integrations.compare.plan import Prompt

HOSTILE = (
    "</pre></article><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<style>*{display:none}</style><!-- --><svg onload=alert(3)>&lt;b&gt;\"'` javascript:alert(4)]]>"
)


def test_text_is_never_markup():
    assert escape("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert element("p", "<i>", element("b", "&"), title='"><script>') == (
        '<p title="&quot;&gt;&lt;script&gt;">&lt;i&gt;<b>&amp;</b></p>'
    )
    assert isinstance(element("p"), Markup)


def test_what_turns_the_reading_direction_is_shown():
    assert escape("a\u202etxt.exe\u202c") == "a[U+202E]txt.exe[U+202C]"


def test_what_cannot_be_shown_is_replaced_and_what_letters_need_is_kept():
    assert escape("\x00\x1b[2J\ud800\x85") == "\ufffd\ufffd[2J\ufffd\ufffd"
    assert escape("👩\u200d💻\tक\u094d\u200cष\n") == "👩\u200d💻\tक\u094d\u200cष\n"


@pytest.mark.parametrize(
    ("value", "top"),
    [(0.0, 1.0), (0.5, 0.5), (0.51, 0.6), (1.0, 1.0), (9.1, 10.0), (1234.0, 2000.0), (0.00083, 0.001), (11, 20)],
)
def test_an_axis_ends_at_a_round_number(value, top):
    assert round_up(value) == pytest.approx(top)


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


@pytest.fixture
def report():
    """A report in which every word of others' is hostile."""
    pytest.importorskip("genai_prices", reason="the extra compare is not installed")
    from vertex_compat_integrations.compare.asking.prices import PriceData
    from vertex_compat_integrations.compare.figures.report import Conditions, Report, Subject
    from vertex_compat_integrations.compare.figures.summary import compare, summarise

    prompt = Prompt(HOSTILE, HOSTILE)
    wrong = Validity(is_valid=False, reason=HOSTILE)
    answers = [
        answer(label, run, prompt, text=HOSTILE + "\ud800", validity=wrong, finish_reason=HOSTILE, models=(HOSTILE,))
        for run in (1, 2)
        for label in (HOSTILE, "plain")
    ]
    answers += [answer(HOSTILE, 1, PROMPT, error=HOSTILE, text=""), answer("plain", 1, PROMPT)]
    summaries = [summarise(label, [a for a in answers if a.task.label == label], 2) for label in (HOSTILE, "plain")]
    subjects = [
        Subject(one.label, "openai", HOSTILE, HOSTILE, {HOSTILE: [HOSTILE]}, (HOSTILE,), HOSTILE, one)
        for one in summaries
    ]
    return Report(
        Conditions(WHEN, 2, 4, HOSTILE, None, warmed_up=True, stopped=True),
        PriceData("1", None),
        (prompt, PROMPT),
        tuple(subjects),
        tuple(answers),
        compare(summaries, 2, stopped=True),
    )


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


def test_a_spreadsheet_takes_no_answer_for_a_formula(report):
    import csv
    import io
    from dataclasses import replace

    from vertex_compat_integrations.compare.figures.report import csv_text

    words = ["=cmd|' /C calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", 'plain, "quoted"\nand of two lines']
    told = replace(report, answers=tuple(answer("plain", run, text=word) for run, word in enumerate(words, 1)))
    rows = list(csv.DictReader(io.StringIO(csv_text(told))))
    assert [row["text"] for row in rows] == [*(f"'{word}" for word in words[:5]), words[5]]
    assert [row["prompt_text"] for row in rows] == [PROMPT.text] * 6
    assert float(rows[0]["cost_usd"]) == 0.001
