"""List prices by model, day, unit and tier; what the list does not have is None."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.support.price_list import listed
from vertex_compat_integrations.core.cost.list_prices import PriceData, Units, price_data, priced

NOW = datetime(2026, 11, 28, tzinfo=UTC)
MILLION = 1_000_000


@pytest.fixture(autouse=True)
def _prices():
    with listed():
        yield


@pytest.mark.parametrize(
    ("model", "units", "tier", "dollars"),
    [
        ("gemini-3.5-flash", Units(input=MILLION, output=MILLION), "standard", "30"),
        ("gemini-3.5-flash", Units(input=MILLION, cached=MILLION), "standard", "1"),
        ("gemini-3.5-flash", Units(input=MILLION, output=MILLION), "flex", "15"),
        ("gemini-2.5-flash", Units(input=2 * MILLION, input_audio=MILLION), "standard", "60"),
        ("gemini-2.5-flash", Units(input=2 * MILLION, input_audio=MILLION), "flex", "30"),
        ("gemini-3.1-flash-image", Units(output=2 * MILLION, output_image=MILLION), "standard", "320"),
        ("gemini-3.8-flash", Units(input=MILLION, output=MILLION), "priority", "60"),
        ("gemini-3.8-flash", Units(input=MILLION, output=MILLION), "flex", "7"),
        ("gemini-3.8-flash", Units(input=MILLION, cached=MILLION), "flex", "1"),
        ("gemini-3.8-flash", Units(input=MILLION, cached=MILLION), "priority", "2"),
        ("gemini-3.5-flash", Units(), "standard", "0"),
    ],
)
def test_units_cost_what_the_list_says_for_the_tier(model, units, tier, dollars):
    assert priced("google", model, units, NOW, tier=tier).usd == Decimal(dollars)


@pytest.mark.parametrize(
    ("model", "units", "tier"),
    [
        ("gemini-unlisted", Units(1), "standard"),
        ("gemini-unlisted", Units(1), "flex"),
        ("gemini-free", Units(1), "standard"),
        ("gemini-3.5-flash", Units(1), "priority"),
        ("gemini-3.5-flash", Units(2, cached=1), "flex"),
        ("gemini-3.5-flash", Units(1, cached=2), "standard"),
    ],
    ids=["no model", "no model in flex", "no price", "no tier", "a cache in flex", "impossible counts"],
)
def test_nothing_is_guessed(model, units, tier):
    assert priced("google", model, units, NOW, tier=tier) is None


def test_a_price_holds_from_its_day():
    before = datetime(2026, 5, 31, tzinfo=UTC)
    assert priced("google", "gemini-3.5-flash", Units(input=MILLION), before).usd == 100


def test_media_with_prices_of_their_own_are_named():
    assert priced("google", "gemini-2.5-flash", Units(), NOW).input_kinds == {"audio"}
    assert priced("google", "gemini-3.1-flash-image", Units(), NOW).output_kinds == {"image"}
    assert priced("google", "gemini-3.5-flash", Units(), NOW).input_kinds == frozenset()


def test_a_discount_that_is_not_in_the_list_is_named():
    assert priced("google", "gemini-3.5-flash", Units(), NOW, tier="flex").discount
    assert not priced("google", "gemini-3.8-flash", Units(), NOW, tier="flex").discount


def test_the_data_have_a_version_and_a_date():
    from importlib.metadata import version

    assert price_data(NOW.date()) == PriceData(version("genai-prices"), date(2026, 6, 1))
    assert price_data(date(2026, 5, 31)).newest is None
