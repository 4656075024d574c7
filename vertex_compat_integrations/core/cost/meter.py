"""The cost of one answer: what it is billed for, by its usage and by what request and answer contain.

A cost is known or it is not: what the list has no price for, or what the usage does not count, makes it unknown, with
the reason. Source of the rules: https://cloud.google.com/vertex-ai/generative-ai/pricing, unless a line names another.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.json_values import JsonObject, google_extras, mapping_in, mappings_in, text_in
from vertex_compat_integrations.core.reply.reply import Ending, Reply, ReplyDelta, Usage
from vertex_compat_integrations.core.settings.connection import prices_missing
from vertex_compat_integrations.core.transport.event_loops import off_loop

if TYPE_CHECKING:
    from vertex_compat_integrations.core.cost.list_prices import Priced, Tier, Units

_LOCATION = re.compile(r"/locations/([^/]+)/")
_LISTED_LOCATION = "global"

_TIERS: Mapping[str, "Tier"] = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
}
"""Traffic types of usage objects. The last two are on Google's pages of the native API; unverified live here."""

_COMMITTED = "PROVISIONED_THROUGHPUT"
_OTHER_CAPACITY = {
    wire.REQUEST_TYPE_HEADER.lower(): ("dedicated",),
    wire.SHARED_REQUEST_TYPE_HEADER.lower(): ("flex", "priority"),
}
"""Headers whose values request capacity that is not billed by the standard price."""


class UnpricedError(Exception):
    """The cost of an answer is unknown; the text is the reason."""


class BilledCall(NamedTuple):
    """The facts of a call that decide its price.

    Attributes:
        body: The body of the request that was answered.
        headers: Its headers, without the credential's.
        url: Its URL.
        own_server: Whether the server is the user's own.
    """

    body: JsonObject
    headers: Mapping[str, str]
    url: str | None
    own_server: bool


class Meter:
    """Collects what the answer to one call contains, and computes its cost at the end."""

    _are_prices_loaded: ClassVar[bool] = False

    @classmethod
    def load(cls) -> None:
        """Load the prices, if they are not loaded; this takes half a second.

        Raises:
            SettingsError: genai-prices is not installed.
        """
        try:
            from vertex_compat_integrations.core.cost import list_prices  # noqa: F401, PLC0415 - an extra
        except ImportError:
            raise prices_missing() from None
        cls._are_prices_loaded = True

    @classmethod
    async def aload(cls) -> None:
        """Like `load`, off the event loop."""
        if not cls._are_prices_loaded:
            await off_loop(cls.load)

    def __init__(self) -> None:
        """Start with nothing."""
        self._kinds: set[str] = set()
        self._speaks = False

    def see(self, piece: Reply | ReplyDelta) -> None:
        """Record which kinds of output an answer, or a piece of one, contains."""
        self._speaks = self._speaks or bool(piece.text or piece.tool_calls)
        for medium in piece.media:
            self._kinds.add(medium.mime_type.partition("/")[0])

    def cost(self, ending: Ending, call: BilledCall) -> wire.Json:
        """Return the cost of the answer.

        With `usd` (a number) are `date`, the start date of the newest price in the list, as `YYYY-MM-DD`, and `source`,
        the list's name and version. If `usd` is None, `unknown` is the reason.
        """
        try:
            return self._known(ending, call)
        except UnpricedError as error:
            return {"usd": None, "unknown": str(error)}
        except Exception as error:  # noqa: BLE001 - an answer that is paid for is not lost for want of its price
            return {"usd": None, "unknown": f"genai-prices failed: {type(error).__name__}"}

    @staticmethod
    def interrupted() -> wire.Json:
        """Return the cost of an interrupted answer, whose last token counts did not arrive."""
        return {"usd": None, "unknown": "the answer was interrupted"}

    def _known(self, ending: Ending, call: BilledCall) -> wire.Json:
        from vertex_compat_integrations.core.cost import list_prices  # noqa: PLC0415 - genai-prices is an extra

        usage, now = ending.usage, datetime.now(UTC)
        if usage is None:
            raise UnpricedError("the answer has no token counts")
        tier = _tier(ending, call)
        _check_place(call)
        name = (ending.model or "").rpartition("/")[2]
        units = list_prices.Units(
            usage.input, usage.output, usage.cached, usage.input_audio, usage.output_audio, self._images(usage)
        )
        priced = list_prices.priced("google", name, units, now, tier=tier)
        if priced is None:
            raise UnpricedError(_no_price(name, tier, units))
        _check_input(set(_sent_kinds(call.body)), usage, priced)
        self._check_output(usage, priced)
        data = list_prices.price_data(now.date())
        source = f"{list_prices.PACKAGE} {data.version}"
        return {
            "usd": float(priced.usd),
            "date": data.newest and data.newest.isoformat(),
            "source": f"{source}, {priced.discount}" if priced.discount else source,
        }

    def _images(self, usage: Usage) -> int:
        """The image tokens of the answer; usage does not count them, but an answer of images alone has no others."""
        return usage.output - usage.thought if self._is_drawn else 0

    @property
    def _is_drawn(self) -> bool:
        """Whether the answer consists of images alone."""
        return self._kinds == {"image"} and not self._speaks

    def _check_output(self, usage: Usage, priced: "Priced") -> None:
        kinds = self._kinds | ({"audio"} if usage.output_audio else set())
        for kind in sorted(kinds):
            is_counted = bool(usage.output_audio) if kind == "audio" else self._is_drawn
            if kind not in priced.output_kinds or not is_counted:
                raise UnpricedError(f"the answer contains {kind}, whose tokens are not counted or have no listed price")


def _no_price(name: str, tier: "Tier", units: "Units") -> str:
    """Return the reason, with what may be missing in the list."""
    parts = {
        f"in the tier {tier}": tier != "standard",
        "with cached tokens": units.cached,
        "with audio": units.input_audio,
    }
    return " ".join([f"genai-prices lists no price for {name}", *(part for part, applies in parts.items() if applies)])


def _tier(ending: Ending, call: BilledCall) -> "Tier":
    """Return the tier that answered, by the usage; without it, the standard one, if no other was requested.

    Raises:
        UnpricedError: The tier is not known, or is not paid by tokens.
    """
    traffic = (ending.traffic_type or "").upper()
    if traffic == _COMMITTED:
        raise UnpricedError("provisioned throughput is paid by commitment, not by tokens")
    if traffic:
        if traffic not in _TIERS:
            raise UnpricedError(f"the traffic type {traffic} is not known")
        return _TIERS[traffic]
    for name, value in call.headers.items():
        if value in _OTHER_CAPACITY.get(name.lower(), ()):
            raise UnpricedError(f"{value} was requested, and the usage does not name the capacity that answered")
    return "standard"


def _check_place(call: BilledCall) -> None:
    """Refuse places and tools whose price is not in the list.

    Since July 2026, other locations than `global` cost 10 % more for some models; the list has the price of `global`.
    Source: https://github.com/BerriAI/litellm/pull/37543.

    Raises:
        UnpricedError: The price is not in the list.
    """
    if call.own_server:
        raise UnpricedError("your own server or endpoint has no list price")
    location = _LOCATION.search(call.url or "")
    if location is None or location[1] != _LISTED_LOCATION:
        where = f"this is {location[1]}" if location else "this location is not known"
        raise UnpricedError(f"the listed prices are those of the location global, and {where}")
    if _has_googles_tools(call.body):
        raise UnpricedError("Google's own tools, such as the search, are billed in addition to tokens")


def _has_googles_tools(body: JsonObject) -> bool:
    tools = [*mappings_in(body.get("tools")), *mappings_in(google_extras(body).get("tools"))]
    return "web_search_options" in body or any("function" not in tool for tool in tools)


def _check_input(sent: Iterable[str], usage: Usage, priced: "Priced") -> None:
    """Refuse input with a price of its own whose tokens are not counted.

    Raises:
        UnpricedError: There is such input.
    """
    for kind in sorted({*sent} & priced.input_kinds):
        if kind != "audio" or not usage.input_audio:
            raise UnpricedError(f"{kind} has a price of its own, and the usage does not count its tokens")


def _sent_kinds(body: JsonObject) -> Iterator[str]:
    """Yield the kinds of media that the request contains; a video and a cache may contain audio."""
    if google_extras(body).get("cached_content"):
        yield "audio"
    for message in mappings_in(body.get("messages")):
        for part in mappings_in(message.get("content")):
            kind = _kind_of(part)
            yield kind
            if kind == "video":
                yield "audio"


def _kind_of(part: JsonObject) -> str:
    match part:
        case {"type": "input_audio", "input_audio": {"format": str(mime_type)}}:
            return mime_type.partition("/")[0] if "/" in mime_type else "audio"
        case {"type": "image_url", "image_url": image}:
            url = text_in(mapping_in(image).get("url"))
            # The endpoint treats every URL as an image (Google's page on OpenAI compatibility).
            return url.removeprefix("data:").partition("/")[0] if url.startswith("data:") else "image"
        case _:
            return ""
