"""What answers cost: by list price, or unknown, and never by half."""

import sys
from decimal import Decimal

import pytest

from vertex_compat_integrations.cli.common.cost import Spending, cost_text, dollars_text, installed_price
from vertex_compat_integrations.core.reply.reply import Usage

FLASH = "google/gemini-2.5-flash"


def test_a_list_price_is_that_of_the_list():
    price = installed_price()
    assert price is not None
    once, twice = price(FLASH, Usage(1000, 100)), price(FLASH, Usage(2000, 200))
    assert once > 0
    assert twice == 2 * once
    assert price("acme/nothing", Usage(1000, 100)) is None


def test_without_the_package_it_is_unknown_and_says_how_to_know(monkeypatch):
    monkeypatch.setitem(sys.modules, "vertex_compat_integrations.core.cost.list_prices", None)
    spending = Spending()
    spending.add(FLASH, Usage(10, 5, 2), emulated=False)
    assert spending.text() == (
        "Tokens: 10 in, 5 out (2 of them thoughts). "
        'Cost: unknown: no list prices installed (pip install "vertex-compat-integrations[cost]").'
    )


def test_a_sum_with_an_unknown_part_is_unknown():
    spending = Spending(lambda model, usage: Decimal(usage.input) if model == "a/b" else None)
    spending.add("a/b", Usage(3, 4), emulated=False)
    assert spending.text() == "Tokens: 3 in, 4 out (0 of them thoughts). Cost: $3.00 by list price, tokens only."
    spending.add(None, Usage(3, 4), emulated=False)
    assert spending.text() == "Tokens: 6 in, 8 out (0 of them thoughts). Cost: unknown."
    spending.add("a/b", None, emulated=False)
    assert spending.text().startswith("Tokens: 6 in, 8 out (0 of them thoughts), from 2 of 3 answers. Cost: unknown")


def test_answers_of_the_emulator_cost_nothing():
    spending = Spending(lambda *_: Decimal(5))
    spending.add("a/b", Usage(3, 4), emulated=True)
    assert "Cost: nothing: the emulator answered" in spending.text()
    spending.add("a/b", Usage(3, 4), emulated=False)
    assert "Cost: $10.00" in spending.text()


@pytest.mark.parametrize(
    ("dollars", "text"),
    [("0", "$0"), ("1.5", "$1.50"), ("0.0123", "$0.0123"), ("0.0000005", "$0.000000500")],
)
def test_small_sums_keep_their_digits(dollars, text):
    assert dollars_text(Decimal(dollars)) == text


def test_an_unknown_cost_is_called_so():
    assert cost_text(None, has_prices=True) == "unknown"
