"""Each error is told once, however many answers it took."""

import pytest

from tests.support.made_up_answers import answer
from vertex_compat_integrations.compare.figures.failures import failure_key, failures_in


def test_one_error_of_many_runs_is_one():
    answers = [answer(label, run, error="NotFoundError: 404 no model") for run in (1, 2, 3) for label in ("a", "b")]
    answers += [answer("a", 4, error="RateLimitError: 429"), answer("b", 4)]
    first, second = failures_in(answers).values()
    assert (first.number, first.text, first.labels) == (1, "NotFoundError: 404 no model", {"a": 3, "b": 3})
    assert first.heading == 'Error 1, "a" (3 answers), "b" (3 answers):'
    assert (second.name, second.heading) == ("failed: error 2", 'Error 2, "a" (1 answer):')


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("took longer than 6 s after 3 attempts", "took longer than 7.5 s after 1 attempt", False),
        ("took longer than 6 s after 3 attempts", "took longer than 7.5 s after 2 attempts", True),
        ("404 NOT_FOUND", "403 NOT_FOUND", False),
        ("12 tokens too many", "13 tokens too many", False),
    ],
)
def test_what_is_measured_makes_no_other_error(one, other, same):
    assert (failure_key(one) == failure_key(other)) is same


def test_without_errors_there_are_none():
    assert failures_in([answer()]) == {}
