"""Highest and actual cost of probes, by list prices; a probe that could exceed the limit is not started."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from vertex_compat_integrations.cli.verify.probes.probe import Probe
from vertex_compat_integrations.cli.verify.service import NO_ANSWER, Answer
from vertex_compat_integrations.core.catalogue import facts_for
from vertex_compat_integrations.core.reply.usage import decode_usage

HIGH_INPUT = Decimal(25)
HIGH_OUTPUT = Decimal(150)
"""US dollars per million tokens for a model without a list price: more than any list price of a Google model."""

HIGH_SEARCH = Decimal("0.05")
SEARCHES = 2
"""Web searches that are assumed for a grounded answer."""

_MILLION = Decimal(1_000_000)
_CHARACTERS_OF_A_TOKEN = 2
_OWN_WORDS = 300
"""Tokens that the service may add to a prompt with tools, as instructions to call them."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The billed units of a request."""

    input: int
    output: int
    output_image: int = 0
    searches: int = 0


ListPrice = Callable[[str, Tokens], Decimal | None]
"""Returns the US dollars for a model and tokens; None if the model has no list price."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices and their source.

    Attributes:
        source: The source, in words.
        list_price: Returns US dollars by list price.
    """

    source: str
    list_price: ListPrice

    def cost(self, model: str, tokens: Tokens) -> Decimal:
        """Return US dollars; if there is no list price, a deliberately high price is used."""
        price = self.list_price(model, tokens)
        return _high(tokens) if price is None else price

    def has(self, model: str) -> bool:
        """Whether the model has a list price."""
        return self.list_price(model, Tokens(1, 1)) is not None


def _high(tokens: Tokens) -> Decimal:
    return (tokens.input * HIGH_INPUT + tokens.output * HIGH_OUTPUT) / _MILLION + tokens.searches * HIGH_SEARCH


def installed_prices(now: datetime | None = None) -> Prices:
    """Return the prices of the package genai-prices; without it, deliberately high ones."""
    when = now or datetime.now(UTC)
    try:
        from vertex_compat_integrations.core.cost import list_prices  # noqa: PLC0415 - genai-prices is an extra
    except ImportError:
        return Prices('no list prices: the extra "cost" is not installed', lambda model, tokens: None)  # noqa: ARG005
    data = list_prices.price_data(when.date())

    def list_price(model: str, tokens: Tokens) -> Decimal | None:
        units = list_prices.Units(
            tokens.input, tokens.output, output_image=tokens.output_image, searches=tokens.searches
        )
        cost = list_prices.priced("google", model.rpartition("/")[2], units, when)
        return None if cost is None else cost.usd

    source = f"list prices of {list_prices.PACKAGE} {data.version}, the newest in effect since {data.newest}"
    return Prices(source, list_price)


def most_tokens(probe: Probe) -> Tokens:
    """Return the most units that one request of a probe can be billed for."""
    body, facts = probe.body, facts_for(probe.model)
    output = min(int(body.get("max_tokens", 0)), facts.output_tokens) * max(1, int(body.get("n", 1)))
    return Tokens(
        input=len(json.dumps(body)) // _CHARACTERS_OF_A_TOKEN + (_OWN_WORDS if "tools" in body else 0),
        output=output,
        output_image=output if _draws(probe) else 0,
        searches=SEARCHES if _searches(probe) else 0,
    )


def _draws(probe: Probe) -> bool:
    return "image" in probe.body.get("modalities", ())


def _searches(probe: Probe) -> bool:
    return "web_search_options" in probe.body


class Ledger:
    """Tracks the money spent, against the limit."""

    def __init__(self, prices: Prices, max_cost: Decimal) -> None:
        """`max_cost` is in US dollars."""
        self.prices = prices
        self.max_cost = max_cost
        self.spent = Decimal(0)

    def highest(self, probe: Probe) -> Decimal:
        """Return the highest cost of a probe."""
        return self.prices.cost(probe.model, most_tokens(probe)) * probe.most_requests

    def allows(self, probe: Probe) -> bool:
        """Whether a probe can be sent without exceeding the limit."""
        return self.spent + self.highest(probe) <= self.max_cost

    def charge(self, probe: Probe, answers: Sequence[Answer]) -> None:
        """Add the cost of a probe's answers, by their token counts."""
        self.spent += sum((self._cost(probe, answer) for answer in answers), Decimal(0))

    def _cost(self, probe: Probe, answer: Answer) -> Decimal:
        # Google's pricing page: only requests that return 200 are charged. A lost answer may have been charged.
        if answer.status not in (200, NO_ANSWER):
            return Decimal(0)
        usage = decode_usage(answer.usage)
        if usage is None:
            return self.prices.cost(probe.model, most_tokens(probe))
        images = usage.output - usage.thought if _draws(probe) else 0
        searches = SEARCHES if _searches(probe) else 0
        return self.prices.cost(probe.model, Tokens(usage.input, usage.output, images, searches))
