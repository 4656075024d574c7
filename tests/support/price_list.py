"""A list of prices whose numbers are easy to check by hand, in place of the installed one's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest

pytest.importorskip("genai_prices", reason="the extra cost is not installed")

from genai_prices import data_snapshot, types

BEGAN = date(2026, 6, 1)


def _price(**dollars: str) -> types.ModelPrice:
    return types.ModelPrice(**{f"{name}_mtok": Decimal(price) for name, price in dollars.items()})


def _model(name: str, price: types.ModelPrice, **more: object) -> types.ModelInfo:
    begun = types.ConditionalPrice(types.StartDateConstraint(BEGAN), prices=price)
    earlier = types.ConditionalPrice(prices=_price(input="100", output="100"))
    return types.ModelInfo(id=name, match=types.ClauseEquals(name), prices=[earlier, begun], **more)


_TIERED = [
    types.PriceVariant(when={"service_tier": "flex"}, prices=_price(input="3", output="4", cache_read="1")),
    types.PriceVariant(when={"service_tier": "priority"}, prices=_price(input="20", output="40")),
]
MODELS = (
    _model("gemini-3.5-flash", _price(input="10", output="20", cache_read="1")),
    _model("gemini-2.5-flash", _price(input="10", output="20", cache_read="1", input_audio="50", cache_audio_read="5")),
    _model("gemini-3.1-flash-image", _price(input="10", output="20", output_image="300")),
    _model("gemini-3.8-flash", _price(input="10", output="20", cache_read="2"), price_variants=_TIERED),
    _model("gemini-speaks", _price(input="10", output="20", output_audio="100")),
    _model("gemini-free", types.ModelPrice()),
)
"""In dollars for a million tokens."""


@contextmanager
def listed() -> Iterator[None]:
    """Use the list, for a while."""
    google = types.Provider(id="google", name="Google", api_pattern="g", models=list(MODELS))
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers=[google], from_auto_update=False))
    try:
        yield
    finally:
        data_snapshot.set_custom_snapshot(None)
