"""List prices of the compared models' tokens; the prices themselves are in `core.cost.list_prices`."""

from datetime import datetime
from decimal import Decimal

from vertex_compat_integrations.compare.answer import TokenCounts
from vertex_compat_integrations.core.adapters.model_spec import OPENAI
from vertex_compat_integrations.core.cost.list_prices import PACKAGE, Priced, PriceData, Units, price_data, priced

__all__ = ["PACKAGE", "PriceData", "cost_of", "price_data", "price_text"]


def cost_of(
    provider: str, model: str, usage: TokenCounts, when: datetime, *, output_image: int = 0, searches: int = 0
) -> Decimal | None:
    """Return US dollars for one call's tokens at that time; None if the model's price is unknown.

    Prices depend on the model's name: OpenAI's own prices, or Google's for all models on Vertex AI. `output_image` is
    the number of output tokens that are images; `searches` is the number of web searches of the call.
    """
    units = Units(
        usage.input, usage.output, usage.cached, usage.input_audio, usage.output_audio, output_image, searches
    )
    cost = _priced(provider, model, units, when)
    return None if cost is None else cost.usd


def price_text(provider: str, model: str, when: datetime) -> str | None:
    """Return the applicable price in words; None if it is unknown."""
    cost = _priced(provider, model, Units(), when)
    return None if cost is None else f"{cost.model}: {cost.price}"


def _priced(provider: str, model: str, units: Units, when: datetime) -> Priced | None:
    if provider == OPENAI:
        return priced("openai", model, units, when)
    return priced("google", model.rpartition("/")[2], units, when)
