"""What probes may cost, and what they did cost."""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from vertex_compat_integrations.cli.verify.cost import (
    HIGH_INPUT,
    HIGH_OUTPUT,
    Ledger,
    Prices,
    Tokens,
    installed_prices,
    most_tokens,
)
from vertex_compat_integrations.cli.verify.probes.every import PROBES
from vertex_compat_integrations.cli.verify.probes.probe import Probe, ask, good
from vertex_compat_integrations.cli.verify.service import NO_ANSWER, Answer

WHEN = datetime(2026, 11, 28, tzinfo=UTC)
PER_TOKEN = Prices("a test", lambda _, tokens: Decimal(tokens.input + 10 * tokens.output) / 1_000_000)


def _probe(**fields) -> Probe:
    return Probe("x", "?", "s", "", good, ask("Hello", **fields))


def _answer(status=200, **usage) -> Answer:
    return Answer(status, json.dumps({"choices": [], "usage": usage}))


def test_list_prices_say_where_they_are_from():
    prices = installed_prices(WHEN)
    assert prices.source.startswith("list prices of genai-prices ")
    assert "in effect since 2026-" in prices.source
    assert prices.cost("google/gemini-3.8-flash", Tokens(1_000_000, 0)) == Decimal("0.75")
    assert prices.has("google/gemini-4-argon")


def test_a_picture_costs_more_than_words_and_a_search_is_paid_for():
    prices = installed_prices(WHEN)
    words = prices.cost("google/gemini-3.1-flash-image", Tokens(0, 1120))
    picture = prices.cost("google/gemini-3.1-flash-image", Tokens(0, 1120, output_image=1120))
    assert picture > 10 * words
    plain = prices.cost("google/gemini-3.5-flash", Tokens(10, 10))
    assert prices.cost("google/gemini-3.5-flash", Tokens(10, 10, searches=2)) - plain == Decimal("0.028")


def test_a_model_without_a_price_is_counted_high():
    prices = installed_prices(WHEN)
    assert not prices.has("xai/grok-4.7")
    assert prices.cost("xai/grok-4.7", Tokens(1_000_000, 1_000_000)) == HIGH_INPUT + HIGH_OUTPUT
    for probe in PROBES:
        if prices.has(probe.model):
            million = Tokens(1_000_000, 1_000_000, output_image=1_000_000 if "image" in probe.model else 0)
            assert prices.cost(probe.model, million) < HIGH_INPUT + HIGH_OUTPUT


def test_without_the_price_list_all_is_counted_high(monkeypatch):
    monkeypatch.setitem(sys.modules, "vertex_compat_integrations.core.cost.list_prices", None)
    monkeypatch.delattr(sys.modules["vertex_compat_integrations.core.cost"], "list_prices", raising=False)
    prices = installed_prices(WHEN)
    assert "cost" in prices.source
    assert prices.cost("google/gemini-3.8-flash", Tokens(0, 1_000_000)) == HIGH_OUTPUT


def test_the_most_is_what_the_request_allows_and_the_model_can():
    assert most_tokens(_probe(max_tokens=100)).output == 100
    assert most_tokens(_probe(max_tokens=100, n=2)).output == 200
    assert most_tokens(_probe(max_tokens=9_000_000)).output == 65_536
    assert most_tokens(_probe(web_search_options={})).searches == 2
    assert most_tokens(_probe(modalities=["image"])).output_image == 256


@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
def test_a_prompt_is_counted_with_more_tokens_than_it_can_have(probe):
    """Words of English have more than two characters a token, the JSON round them none at all."""
    assert most_tokens(probe).input > len(json.dumps(probe.body)) // 3


def test_what_was_spent_is_by_the_counts_that_came_back():
    ledger = Ledger(PER_TOKEN, Decimal(1))
    probe = _probe(max_tokens=100)
    ledger.charge(probe, [_answer(prompt_tokens=10, completion_tokens=5, total_tokens=18)])
    assert ledger.spent == Decimal(10 + 10 * 8) / 1_000_000  # three of thinking, which only the total tells


def test_a_refusal_costs_nothing_and_a_lost_answer_its_highest_cost():
    ledger = Ledger(PER_TOKEN, Decimal(1))
    probe = _probe(max_tokens=100)
    ledger.charge(probe, [Answer(400, "[]"), Answer(429, "")])
    assert ledger.spent == 0
    ledger.charge(probe, [Answer(NO_ANSWER, "")])
    ledger.charge(probe, [_answer()])
    assert ledger.spent == 2 * ledger.highest(probe)


def test_what_could_pass_the_limit_is_not_allowed():
    probe = _probe(max_tokens=100)
    highest = Ledger(PER_TOKEN, Decimal(0)).highest(probe)
    ledger = Ledger(PER_TOKEN, highest)
    assert ledger.allows(probe)
    ledger.charge(probe, [_answer(prompt_tokens=1, completion_tokens=1, total_tokens=2)])
    assert not ledger.allows(probe)


def test_two_requests_cost_twice():
    probe = Probe("x", "?", "s", "", good, ask(), then=lambda _: None)
    single = Probe("x", "?", "s", "", good, ask())
    ledger = Ledger(PER_TOKEN, Decimal(0))
    assert ledger.highest(probe) == 2 * ledger.highest(single)


def test_the_docs_say_what_it_costs():
    text = (Path(__file__).parents[3] / "docs" / "how-to" / "verify.md").read_text(encoding="utf-8")
    text = " ".join(text.split())
    ledger = Ledger(installed_prices(WHEN), Decimal("0.10"))
    assert f"{HIGH_INPUT} USD for a million tokens in and {HIGH_OUTPUT} USD out" in text
    assert "`--max-cost 1.50` runs everything: two questions alone could cost more than the default" in text
    assert sum(ledger.highest(probe) for probe in PROBES) < Decimal("1.50")
    assert sum(not ledger.allows(probe) for probe in PROBES) == 2
