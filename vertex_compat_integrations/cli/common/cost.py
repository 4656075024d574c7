"""Cost of answers by list price, if the package with the prices is installed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from vertex_compat_integrations.core.reply.reply import Usage

Price = Callable[[str, Usage], Decimal | None]
"""Returns the US dollars for a model and the tokens of one answer; None if the model has no list price."""

UNKNOWN = "unknown"
_NO_PRICES = f'{UNKNOWN}: no list prices installed (pip install "vertex-compat-integrations[cost]")'


def installed_price() -> Price | None:
    """Return the prices of the package genai-prices; None if it is not installed."""
    try:
        from vertex_compat_integrations.core.cost.list_prices import Units, priced  # noqa: PLC0415 - an extra
    except ImportError:
        return None

    def price(model: str, usage: Usage) -> Decimal | None:
        units = Units(usage.input, usage.output, usage.cached, usage.input_audio, usage.output_audio)
        cost = priced("google", model.rpartition("/")[2], units, datetime.now(UTC))
        return None if cost is None else cost.usd

    return price


def no_price(model: str, usage: Usage) -> None:  # noqa: ARG001 - a Price
    """Return None: a server that is not Google's has its own model names and prices."""
    return


def cost_text(dollars: Decimal | None, *, has_prices: bool, emulated: bool = False) -> str:
    """Return the cost as text; None means unknown, and without prices the text names the package to install."""
    if emulated:
        return "nothing: the emulator answered, not a model"
    if dollars is None:
        return UNKNOWN if has_prices else _NO_PRICES
    return f"{dollars_text(dollars)} by list price, tokens only"


def dollars_text(dollars: Decimal) -> str:
    """Return US dollars with three significant digits."""
    if not dollars:
        return "$0"
    digits = 2
    while dollars < Decimal(10) ** (2 - digits) and digits < 10:
        digits += 1
    return f"${dollars:.{digits}f}"


@dataclass(slots=True)
class Spending:
    """Tokens and dollars of several answers.

    Attributes:
        price: The list prices; None if they are not installed.
        input: Tokens in.
        output: Tokens out, thoughts included.
        thought: Thought tokens, part of the output.
        answers: Number of answers.
        counted: Number of answers that reported their tokens.
        emulated: Whether the emulator gave all answers.
        dollars: The cost; None if any answer has no price.
    """

    price: Price | None = field(default_factory=installed_price)
    input: int = 0
    output: int = 0
    thought: int = 0
    answers: int = 0
    counted: int = 0
    emulated: bool = True
    dollars: Decimal | None = Decimal(0)

    def add(self, model: str | None, usage: Usage | None, *, emulated: bool) -> None:
        """Count an answer; pass None as the model if it has no list price, such as one on your own server."""
        self.answers += 1
        self.emulated = self.emulated and emulated
        cost = self.price(model, usage) if self.price and model and usage else None
        self.dollars = None if cost is None or self.dollars is None else self.dollars + cost
        if usage is not None:
            self.counted += 1
            self.input += usage.input
            self.output += usage.output
            self.thought += usage.thought

    def text(self) -> str:
        """Return tokens and cost in one line."""
        tokens = f"{self.input:,} in, {self.output:,} out ({self.thought:,} of them thoughts)"
        if not self.counted:
            tokens = UNKNOWN
        elif self.counted < self.answers:
            tokens += f", from {self.counted} of {self.answers} answers"
        cost = cost_text(self.dollars, has_prices=self.price is not None, emulated=self.emulated)
        return f"Tokens: {tokens}. Cost: {cost}."
