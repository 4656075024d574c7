"""The words that the table and the page share."""

import pytest

pytest.importorskip("genai_prices", reason="the extra compare is not installed")

from vertex_compat_integrations.compare.figures.words import conditions_text, counted, explanations, figures


@pytest.mark.parametrize(("number", "text"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs")])
def test_a_number_has_its_plural(number, text):
    assert counted(number, "run") == text


def test_the_conditions_are_one_line(report):
    assert "2 models, 2 prompts" in conditions_text(report)
    assert "2 runs, up to 4 at the same time." in conditions_text(report)


def test_figures_name_failures_and_what_is_known_of_some_answers_only(report):
    row = figures(report, report.subjects[0])
    assert row["Answers"].endswith("1 failed")
    assert "Schema" not in row


def test_few_answers_and_list_prices_are_explained(report):
    text = " ".join(explanations(report))
    assert "With fewer than 20 answers" in text
    assert "These are estimates, not a bill." in text
