"""A summary counts results and groups failures."""

from decimal import Decimal

from tests.batch.sample_runs import MODEL
from vertex_compat_integrations.batch.line import Line
from vertex_compat_integrations.batch.result import encode_failure
from vertex_compat_integrations.batch.summary import MOST_GROUPS, Summary
from vertex_compat_integrations.core.errors import RateLimitError
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.wire import EMULATOR_FINGERPRINT

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


def answered(model: str, tokens: int, fingerprint: str | None = None) -> dict:
    usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
    body = {"model": model, "usage": usage, "system_fingerprint": fingerprint}
    return {"custom_id": "a", "error": None, "response": {"body": body}}


def test_each_answer_has_the_price_of_its_model_and_its_length():
    summary = Summary(price=lambda model, usage: Decimal(usage.input) * (2 if model == MODEL else 1))
    for model, tokens in ((MODEL, 10), ("other/model", 5)):
        summary.add(answered(model, tokens))
    assert summary.cost == 25
    assert summary.record()["cost_usd"] == 25.0


def test_a_model_without_a_price_makes_the_cost_unknown():
    summary = Summary(price=lambda model, usage: Decimal(1) if model == MODEL else None)
    summary.add(answered("other/model", 5))
    summary.add(answered(MODEL, 5))
    assert summary.cost is None
    assert summary.record()["cost_usd"] is None
    assert Summary().record()["cost_usd"] is None


def test_the_emulators_answers_cost_nothing():
    summary = Summary(price=lambda *_: Decimal(1))
    summary.add(answered(MODEL, 5, EMULATOR_FINGERPRINT))
    assert (summary.emulated, summary.cost) == (1, 0)
