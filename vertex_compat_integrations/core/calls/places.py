"""Which place a call asks, and which next: locations and request types in order, after which error. No I/O.

A place is tried once a round. While others are left, a shortage of capacity sends the call on at once; when all have
been tried, it waits as it would at one place, and begins again. Attempts and time are bounded for all places together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from vertex_compat_integrations.core.calls.retry import RetryBudget, RetryCounts, decide_retry
from vertex_compat_integrations.core.errors import (
    ApiError,
    EmptyReplyError,
    RateLimitError,
    SettingsError,
    VertexCompatError,
)
from vertex_compat_integrations.core.http_errors import NOT_SERVED_TEXTS
from vertex_compat_integrations.core.json_values import google_extras
from vertex_compat_integrations.core.settings.options import Options

STAY_SECONDS = 60.0
"""How long calls begin where one found an answer, instead of at the first place: quotas are counted by the minute."""

_SHORTAGES = frozenset({429, 503})


class Place(NamedTuple):
    """Where, and in which way, capacity is asked for.

    Attributes:
        location: `global`, `us`, `eu` or a region; None behind a base URL.
        request_type: `dedicated` or `shared`; None leaves it to the service.
        shared_request_type: `priority`, `flex` or `standard`; None leaves it to the service.
    """

    location: str | None = None
    request_type: str | None = None
    shared_request_type: str | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, self))


def at_place(options: Options, place: Place) -> Options:
    """The options of a request that is sent to this place."""
    _, request_type, tier = place
    if options.request_type == request_type and options.shared_request_type == tier:
        return options
    return options.model_copy(update={"request_type": request_type, "shared_request_type": tier})


BudgetOf: TypeAlias = Callable[[Place], RetryBudget | None]
"""What pays for retries at a place, if they are bounded beyond one call."""


OneOrMore: TypeAlias = str | Sequence[str] | None
"""One choice, several in their order, or none."""


def places_of(
    locations: Sequence[str | None], request_types: OneOrMore = None, shared_request_types: OneOrMore = None
) -> tuple[Place, ...]:
    """The places in the order in which they are tried: all capacity of a location before the next location.

    Provisioned throughput alone (`dedicated`) has no tier of pay-as-you-go requests; `shared` is tried tier by tier.
    """
    tiers = _several(shared_request_types)
    return tuple(
        Place(location, kind, tier)
        for location in locations
        for kind in _several(request_types)
        for tier in ([None] if kind == "dedicated" else tiers)
    )


def _several(choices: OneOrMore) -> Sequence[str | None]:
    return [choices] if choices is None or isinstance(choices, str) else [*choices] or [None]


def lacks_model(error: VertexCompatError) -> bool:
    """Whether the error says that the location does not serve the model; 501 is what some say instead of 404."""
    if isinstance(error, ApiError) and error.code == 501:
        return True
    text = NOT_SERVED_TEXTS.get(error.code or 0)
    return text is not None and text in error.message.lower()


def is_shortage(error: VertexCompatError) -> bool:
    """Whether the error says that there is no capacity at the moment."""
    return error.code in _SHORTAGES


def refuse_to_move(body: Mapping[str, Any], locations: Sequence[str]) -> None:
    """Refuse several locations for a request that belongs to one.

    Raises:
        SettingsError: It names a context cache.
    """
    if len(locations) > 1 and google_extras(body).get("cached_content"):
        raise SettingsError(
            "cached_content together with several locations: a context cache stands in one.",
            hint="Pass location= with the cache's location.",
        )


class PlaceMemory:
    """What a client knows of the places for one model: where calls were answered last, and where the model is not."""

    def __init__(self, places: Sequence[Place]) -> None:
        """`places` in the user's order."""
        self.places = tuple(places)
        self._last: tuple[Place, float] | None = None
        self._lacking: set[str | None] = set()

    def order(self, now: float) -> tuple[Place, ...]:
        """The places in the order for a call that begins now; without those that lack the model, unless all do."""
        last = self._last
        if last is None and not self._lacking:
            return self.places
        served = tuple(place for place in self.places if place.location not in self._lacking) or self.places
        if last is None or now - last[1] >= STAY_SECONDS or last[0] not in served:
            return served
        return (last[0], *(place for place in served if place != last[0]))

    def answered(self, place: Place, now: float) -> None:
        """A call was answered here after it failed elsewhere."""
        self._last = place, now

    def failed(self, place: Place) -> None:
        """There was no capacity here."""
        if self._last is not None and self._last[0] == place:
            self._last = None

    def lack(self, location: str | None) -> None:
        """The location does not serve the model."""
        self._lacking.add(location)


class Attempts:
    """The attempts of one call, from place to place.

    Attributes:
        place: Where the next attempt goes.
        has_choice: Whether the user named more than one place.
    """

    def __init__(
        self,
        memory: PlaceMemory,
        budget_of: BudgetOf,
        *,
        max_retries: int,
        clock: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        """Begin at the first place.

        Args:
            memory: The places, and what is known of them.
            budget_of: What pays for retries at a place.
            max_retries: Attempts after the first one, at all places together.
            clock: Tells the time, in seconds.
            chance: Gives a number from 0 to 1.
        """
        self._place_memory, self._budget_of = memory, budget_of
        self._max_retries, self._clock, self._chance = max_retries, clock, chance
        self._open = memory.order(clock())
        self.has_choice = len(memory.places) > 1
        self._counts = RetryCounts()
        self._tried: set[Place] = set()
        self._wanted_rest: dict[Place, float] = {}
        self._codes: dict[Place, int | None] = {}
        self._shortage: VertexCompatError | None = None
        self._go_to(self._open[0])
        if self._budget is not None:
            self._budget.begin()

    def succeed(self) -> None:
        """The call went well where it is."""
        if self._budget is not None:
            self._budget.succeed()
        if self._codes:
            self._place_memory.answered(self.place, self._clock())

    def delay_after(self, error: VertexCompatError, remaining: float) -> float | None:
        """Seconds to wait before the next attempt, which goes to `place`; None if there is to be none.

        Args:
            error: What went wrong.
            remaining: Seconds until the call's deadline.
        """
        if self.has_choice and (is_shortage(error) or lacks_model(error)):
            delay = self._go_on(error, remaining)
        else:
            delay = self._wait(error, remaining, error.retry_after, self.place)
        if delay is not None:
            self._counts.was_empty = self._counts.was_empty or isinstance(error, EmptyReplyError)
            self._counts.retries += 1
        return delay

    def verdict(self, error: VertexCompatError) -> VertexCompatError:
        """The error that the call ends with: that capacity is short counts more than that a place lacks the model."""
        return self._shortage if self._shortage is not None and lacks_model(error) else error

    @property
    def story(self) -> str:
        """Which places said what, as a sentence for the user; empty if there was one place only."""
        asked = ", ".join(f"{place} ({code})" for place, code in self._codes.items())
        return f"Asked one after the other: {asked}." if asked else ""

    def _go_to(self, place: Place) -> None:
        self.place = place
        self._budget = self._budget_of(place)

    def _go_on(self, error: VertexCompatError, remaining: float) -> float | None:
        now = self._clock()
        self._note(error, now)
        if self._counts.retries >= self._max_retries or remaining <= 0 or not self._open:
            return None
        for place in self._open:
            if place not in self._tried and self._rest(place, now) == 0 and self._is_paid(place, error):
                self._counts.moves += 1
                self._go_to(place)
                return 0.0
        return self._begin_again(self.verdict(error), remaining, now)

    def _note(self, error: VertexCompatError, now: float) -> None:
        """Keep what the error says of the place."""
        error.location = self.place.location
        self._codes[self.place] = error.code
        self._tried.add(self.place)
        self._place_memory.failed(self.place)
        if lacks_model(error):
            self._place_memory.lack(self.place.location)
            self._open = tuple(place for place in self._open if place.location != self.place.location)
            return
        # Its frames would be kept alive by this object, which they hold.
        self._shortage = error.with_traceback(None)
        if error.retry_after is not None:
            self._wanted_rest[self.place] = now + error.retry_after

    def _is_paid(self, place: Place, error: VertexCompatError) -> bool:
        """Whether the place's budget pays for an attempt there; as for retries, none is charged after a 429."""
        budget = self._budget_of(place)
        return budget is None or isinstance(error, RateLimitError) or lacks_model(error) or budget.take()

    def _begin_again(self, error: VertexCompatError, remaining: float, now: float) -> float | None:
        """The wait before a further round, which begins with the first place, or the one that wants the least rest."""
        place = min(self._open, key=lambda each: self._rest(each, now))
        delay = self._wait(error, remaining, self._rest(place, now) or None, place)
        if delay is not None:
            self._tried.clear()
            self._go_to(place)
        return delay

    def _rest(self, place: Place, now: float) -> float:
        """Seconds that the place's server still asks to be left alone."""
        return max(self._wanted_rest.get(place, now) - now, 0.0)

    def _wait(self, error: VertexCompatError, remaining: float, stated: float | None, place: Place) -> float | None:
        """Seconds before another attempt at the place; if there is none, the error's hint may become the reason."""
        decision = decide_retry(
            error,
            self._counts,
            max_retries=self._max_retries,
            remaining=remaining,
            stated=stated,
            chance=self._chance,
            budget=self._budget_of(place),
        )
        if decision.hint is not None:
            error.hint = decision.hint
        return decision.delay
