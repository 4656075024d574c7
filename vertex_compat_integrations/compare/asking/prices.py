"""List prices of tokens, from the data in the package genai-prices; nothing is downloaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot

from vertex_compat_integrations.compare.answer import TokenCounts
from vertex_compat_integrations.core.adapters.model_spec import OPENAI

PACKAGE = "genai-prices"
_GOOGLE = "google"


@dataclass(frozen=True, slots=True)
class PriceData:
    """The source of the prices.

    Attributes:
        version: Version of the package that contains them.
        newest: Start date of the most recent price that is already in effect.
    """

    version: str
    newest: date | None


def price_data(today: date) -> PriceData:
    """Return the installed version and its newest price: the package states no other date of its data."""
    begun = [day for day in _first_days() if day <= today]
    return PriceData(version(PACKAGE), max(begun, default=None))


def cost_of(
    provider: str, model: str, usage: TokenCounts, when: datetime, *, output_image: int = 0, searches: int = 0
) -> Decimal | None:
    """Return US dollars for one call's tokens at that time; None if the model's price is unknown.

    Prices depend on the model's name: OpenAI's own prices, or Google's for all models on Vertex AI. `output_image` is
    the number of output tokens that are images; `searches` is the number of web searches of the call.
    """
    calculation = _calculation(provider, model, usage, when, output_image_tokens=output_image, web_searches=searches)
    return None if calculation is None else Decimal(calculation.total_price)


def price_text(provider: str, model: str, when: datetime) -> str | None:
    """Return the applicable price in words; None if it is unknown."""
    calculation = _calculation(provider, model, TokenCounts(), when)
    return None if calculation is None else f"{calculation.model.id}: {calculation.model_price}"


def _calculation(provider: str, model: str, usage: TokenCounts, when: datetime, **more: int) -> Any:
    provider_id = OPENAI if provider == OPENAI else _GOOGLE
    name = model if provider == OPENAI else model.rpartition("/")[2]
    counts = {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cached,
        "input_audio_tokens": usage.input_audio,
        "output_audio_tokens": usage.output_audio,
        **more,
    }
    tokens = Usage(**{key: count for key, count in counts.items() if count})
    try:
        return calc_price(tokens, name, provider_id=provider_id, genai_request_timestamp=when)
    except (LookupError, ValueError):
        return None


def _first_days() -> Iterator[date]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            for price in model.prices if isinstance(model.prices, list) else ():
                day = getattr(price.constraint, "start_date", None)
                if isinstance(day, date):
                    yield day
