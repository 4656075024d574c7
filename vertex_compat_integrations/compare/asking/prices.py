"""What tokens cost by list price, from the data that the package genai-prices holds; nothing is downloaded."""

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
    """Where prices come from.

    Attributes:
        version: Of the package that holds them.
        newest: The day on which the newest price in it began that is in force.
    """

    version: str
    newest: date | None


def price_data(today: date) -> PriceData:
    """What is installed, and how old it is at most: the package tells no other date of its data."""
    begun = [day for day in _first_days() if day <= today]
    return PriceData(version(PACKAGE), max(begun, default=None))


def cost_of(provider: str, model: str, usage: TokenCounts, when: datetime) -> Decimal | None:
    """US dollars for one call's tokens at that time; None if nobody knows the model's price.

    Prices go by the model's name: OpenAI's own, or Google's for whatever Vertex AI serves.
    """
    found = _calculation(provider, model, usage, when)
    return None if found is None else Decimal(found.total_price)


def price_text(provider: str, model: str, when: datetime) -> str | None:
    """The price that applies, in words; None if nobody knows it."""
    found = _calculation(provider, model, TokenCounts(), when)
    return None if found is None else f"{found.model.id}: {found.model_price}"


def _calculation(provider: str, model: str, usage: TokenCounts, when: datetime) -> Any:
    house = OPENAI if provider == OPENAI else _GOOGLE
    name = model if provider == OPENAI else model.rpartition("/")[2]
    counts = {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cached,
        "input_audio_tokens": usage.input_audio,
        "output_audio_tokens": usage.output_audio,
    }
    told = Usage(**{key: count for key, count in counts.items() if count})
    try:
        return calc_price(told, name, provider_id=house, genai_request_timestamp=when)
    except (LookupError, ValueError):
        return None


def _first_days() -> Iterator[date]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            for price in model.prices if isinstance(model.prices, list) else ():
                day = getattr(price.constraint, "start_date", None)
                if isinstance(day, date):
                    yield day
