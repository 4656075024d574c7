"""A summary counts results and groups failures."""

from tests.batch.sample_runs import MODEL
from vertex_compat_integrations.batch.line import Line
from vertex_compat_integrations.batch.result import encode_failure
from vertex_compat_integrations.batch.summary import MOST_GROUPS, Summary
from vertex_compat_integrations.core.errors import RateLimitError
from vertex_compat_integrations.core.settings.options import Options

LINE = Line(3, "a", [{"role": "user", "content": "Hello"}], Options(model=MODEL))


def test_failures_are_grouped_and_the_kinds_are_bounded():
    summary = Summary(lines=200)
    for number in range(2 * MOST_GROUPS):
        error = RateLimitError("Busy.", code=429, status=f"KIND_{number}")
        for _ in range(1 if number else 7):
            summary.add(encode_failure(LINE, error))
    assert summary.failed == 2 * MOST_GROUPS + 6
    assert len(summary.failures) == MOST_GROUPS + 1
    assert [group.count for group in summary.failures[:2]] == [MOST_GROUPS, 7]
    assert (summary.failures[1].code, summary.failures[1].lines) == ("KIND_0", ["a", "a", "a"])
