"""List prices of tokens, from the data in the package genai-prices; nothing is downloaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Literal, TypeAlias

from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot

PACKAGE = "genai-prices"
ProviderId: TypeAlias = Literal["google", "openai"]
MediaKind: TypeAlias = Literal["audio", "image", "video"]
Tier: TypeAlias = Literal["standard", "flex", "priority"]

_BASE = ("input_mtok", "output_mtok")
_HALF = Decimal(1) / 2
"""Price of the tier flex, as a part of the standard one.

Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/flex-paygo ("a 50% discount compared to Standard
PayGo").
"""


@dataclass(frozen=True, slots=True)
class PriceData:
    """The source of the prices.

    Attributes:
        version: Version of the package that contains them.
        newest: Start date of the most recent price that is already in effect.
    """

    version: str
    newest: date | None


@dataclass(frozen=True, slots=True)
class Units:
    """The billed units of one call.

    Attributes:
        input: Input tokens, cached ones included.
        output: Output tokens, thoughts included.
        cached: Cached tokens, part of the input.
        input_audio: Audio tokens of the input.
        output_audio: Audio tokens of the output.
        output_image: Image tokens of the output.
        searches: Web searches.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    input_audio: int = 0
    output_audio: int = 0
    output_image: int = 0
    searches: int = 0


@dataclass(frozen=True, slots=True)
class Priced:
    """The cost of one call.

    Attributes:
        usd: US dollars.
        model: The model's name in the list.
        price: The applied price, in words.
        input_kinds: Media with an input price of their own.
        output_kinds: Media with an output price of their own.
        discount: A discount that is not in the list, in words; empty if there is none.
    """

    usd: Decimal
    model: str
    price: str
    input_kinds: frozenset[str]
    output_kinds: frozenset[str]
    discount: str = ""


def price_data(today: date) -> PriceData:
    """Return the installed version and its newest price: the package states no other date of its data."""
    return PriceData(version(PACKAGE), _newest(today, get_snapshot().timestamp))


def priced(provider: ProviderId, model: str, units: Units, when: datetime, *, tier: Tier = "standard") -> Priced | None:
    """Return the cost of one call at that time; None if the list has no price for the model or the tier.

    A price of the tier in the list is used; otherwise flex is half of the standard price, but only if nothing was read
    from a cache: whether the discount applies to such tokens depends on the model.
    """
    standard = _calculation(provider, model, units, when)
    if standard is None or tier == "standard":
        return standard and _as_priced(standard, Decimal(standard.total_price))
    tiered = _calculation(provider, model, units, when, price_context={"service_tier": tier})
    if tiered is not None and vars(tiered.model_price) != vars(standard.model_price):
        return _as_priced(tiered, Decimal(tiered.total_price))
    if tier == "flex" and not units.cached:
        return _as_priced(standard, Decimal(standard.total_price) * _HALF, "less 50 % for flex")
    return None


def _calculation(provider: ProviderId, model: str, units: Units, when: datetime, **context: Any) -> Any:
    counts = {
        "input_tokens": units.input,
        "output_tokens": units.output,
        "cache_read_tokens": units.cached,
        "input_audio_tokens": units.input_audio,
        "output_audio_tokens": units.output_audio,
        "output_image_tokens": units.output_image,
        "web_searches": units.searches,
    }
    usage = Usage(**{name: count for name, count in counts.items() if count})
    try:
        calculation = calc_price(usage, model, provider_id=provider, genai_request_timestamp=when, **context)
    except (LookupError, ValueError):
        return None
    # A model that the Gemini API serves free of charge has an entry without prices; on Vertex AI it is not free.
    price = calculation.model_price
    return calculation if any(getattr(price, name, None) is not None for name in _BASE) else None


def _as_priced(calculation: Any, usd: Decimal, discount: str = "") -> Priced:
    prices = {name for name, price in vars(calculation.model_price).items() if price is not None}
    kinds: tuple[MediaKind, ...] = ("audio", "image", "video")
    return Priced(
        usd,
        calculation.model.id,
        str(calculation.model_price),
        frozenset(kind for kind in kinds if f"input_{kind}_mtok" in prices),
        frozenset(kind for kind in kinds if f"output_{kind}_mtok" in prices),
        discount,
    )


@lru_cache(maxsize=4)
def _newest(today: date, loaded: datetime) -> date | None:  # noqa: ARG001 - of other data, another date
    return max((day for day in _first_days() if day <= today), default=None)


def _first_days() -> Iterator[date]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            for price in model.prices if isinstance(model.prices, list) else ():
                day = getattr(price.constraint, "start_date", None)
                if isinstance(day, date):
                    yield day
