"""A report whose every word could be an attack on the page."""

import pytest

from tests.support.made_up_answers import HOSTILE, PROMPT, WHEN, answer
from vertex_compat_integrations.compare.answer import Validity
from vertex_compat_integrations.compare.plan import Prompt


@pytest.fixture
def report():
    """A report in which every word of others' is hostile."""
    pytest.importorskip("genai_prices", reason="the extra compare is not installed")
    prompt = Prompt(HOSTILE, HOSTILE)
    wrong = Validity(is_valid=False, reason=HOSTILE)
    answers = [
        answer(label, run, prompt, text=HOSTILE + "\ud800", validity=wrong, finish_reason=HOSTILE, models=(HOSTILE,))
        for run in (1, 2)
        for label in (HOSTILE, "plain")
    ]
    answers += [answer(HOSTILE, 1, PROMPT, error=HOSTILE, text=""), answer("plain", 1, PROMPT)]
    return report_on(answers, 2, HOSTILE)


def report_on(answers, runs=3, words="-"):
    """A report on answers, whose other words are these."""
    from vertex_compat_integrations.compare.asking.prices import PriceData
    from vertex_compat_integrations.compare.figures.report import Conditions, Report, Subject
    from vertex_compat_integrations.compare.figures.summary import compare, summarise

    labels = dict.fromkeys(each.task.label for each in answers)
    prompts = dict.fromkeys(each.task.prompt for each in answers)
    summaries = [summarise(label, [a for a in answers if a.task.label == label], runs) for label in labels]
    subjects = [Subject(one.label, "openai", words, words, {words: [words]}, (words,), words, one) for one in summaries]
    return Report(
        Conditions(WHEN, runs, 4, words, None, warmed_up=True, stopped=True),
        PriceData("1", None),
        tuple(prompts),
        tuple(subjects),
        tuple(answers),
        compare(summaries, runs, stopped=True),
    )
