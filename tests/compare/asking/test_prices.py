"""Costs by list price: known prices, on known days; what nobody knows is None."""

import socket
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

REASON = "the extra compare is not installed"
genai_prices = pytest.importorskip("genai_prices", reason=REASON)

from genai_prices import data_snapshot, types  # noqa: E402

from vertex_compat_integrations.compare.answer import TokenCounts  # noqa: E402
from vertex_compat_integrations.compare.asking.prices import cost_of, price_data, price_text  # noqa: E402

MILLION = 1_000_000


def _model(name, prices):
    return types.ModelInfo(id=name, match=types.ClauseEquals(name), prices=prices)


def _price(input_price, output_price, cached=None):
    return types.ModelPrice(
        input_mtok=Decimal(input_price), output_mtok=Decimal(output_price), cache_read_mtok=cached and Decimal(cached)
    )


@pytest.fixture
def price_list():
    """Google's model becomes dearer on 1 June 2026; OpenAI's has one price."""
    changed = [
        types.ConditionalPrice(prices=_price("1", "4", "0.5")),
        types.ConditionalPrice(types.StartDateConstraint(date(2026, 6, 1)), prices=_price("2", "8")),
        types.ConditionalPrice(types.StartDateConstraint(date(2030, 1, 1)), prices=_price("3", "9")),
    ]
    providers = [
        types.Provider(id="google", name="Google", api_pattern="g", models=[_model("gemini-x", changed)]),
        types.Provider(id="openai", name="OpenAI", api_pattern="o", models=[_model("gpt-x", _price("10", "20"))]),
    ]
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers=providers, from_auto_update=False))
    yield
    data_snapshot.set_custom_snapshot(None)


JUNE = datetime(2026, 6, 1, tzinfo=UTC)
MAY = JUNE - timedelta(seconds=1)


@pytest.mark.usefixtures("price_list")
@pytest.mark.parametrize(
    ("provider", "model", "usage", "when", "dollars"),
    [
        ("openai", "gpt-x", TokenCounts(input=MILLION), JUNE, "10"),
        ("openai", "gpt-x", TokenCounts(output=MILLION, thought=MILLION), JUNE, "20"),
        ("openai", "gpt-x", TokenCounts(input=1000, output=500), JUNE, "0.02"),
        ("vertex_compat", "google/gemini-x", TokenCounts(input=MILLION, output=MILLION), MAY, "5"),
        ("vertex_compat", "google/gemini-x", TokenCounts(input=MILLION, output=MILLION), JUNE, "10"),
        ("vertex_compat", "gemini-x", TokenCounts(input=MILLION, cached=MILLION), MAY, "0.5"),
        ("vertex_compat", "google/gemini-x", TokenCounts(), JUNE, "0"),
    ],
)
def test_tokens_cost_what_the_list_says_for_the_day(provider, model, usage, when, dollars):
    assert cost_of(provider, model, usage, when) == Decimal(dollars)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gemini-x"), ("openai", "gpt-y"), ("vertex_compat", "gpt-x"), ("vertex_compat", "meta/llama-x")],
)
def test_a_price_that_nobody_knows_is_none(price_list, provider, model):
    assert cost_of(provider, model, TokenCounts(input=1), JUNE) is None
    assert price_text(provider, model, JUNE) is None


def test_the_data_tell_how_old_they_are(price_list):
    """A price that is announced for a later day says nothing of the data's age."""
    assert price_data(date(2026, 11, 1)).newest == date(2026, 6, 1)
    assert price_data(date(2026, 5, 31)).newest is None
    assert price_data(date(2026, 11, 1)).version == genai_prices.__version__


def test_the_price_itself_is_told(price_list):
    assert price_text("vertex_compat", "google/gemini-x", JUNE) == "gemini-x: $2/input MTok, $8/output MTok"


def test_the_packages_own_data_know_both_houses_and_need_no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    usage, day = TokenCounts(input=MILLION, output=MILLION), datetime(2026, 1, 1, tzinfo=UTC)
    assert cost_of("openai", "gpt-4o", usage, day) == Decimal("12.5")
    assert cost_of("vertex_compat", "google/gemini-2.5-flash", usage, day) == Decimal("2.8")
    assert price_data(date(2026, 11, 1)).newest > date(2025, 1, 1)


def test_pictures_and_searches_have_prices_of_their_own():
    """By the installed list, whose models have them."""
    tokens = TokenCounts(output=1_000)

    def cost(model, **more):
        return cost_of("vertex_compat", model, tokens, datetime(2026, 11, 28, tzinfo=UTC), **more)

    assert cost("google/gemini-3.1-flash-image", output_image=1_000) > 10 * cost("google/gemini-3.1-flash-image")
    assert cost("google/gemini-3.5-flash", searches=1) - cost("google/gemini-3.5-flash") == Decimal("0.014")
