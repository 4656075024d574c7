"""The order in which a call tries places (locations, projects, request types), and after which errors. No I/O.

Each place is tried once per round. If capacity is short, the call moves to the next place immediately; when all have
been tried, it waits as it would for a single place, and starts the next round. The limits on attempts and time apply to
all places together.
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
"""How long new calls start at the place that answered, instead of the first one: quotas are counted per minute."""

_SHORTAGES = frozenset({429, 503})


class Place(NamedTuple):
    """A location, a project with its credential, and a kind of capacity.

    Attributes:
        location: `global`, `us`, `eu` or a region; None behind a base URL.
        request_type: `dedicated` or `shared`; None leaves it to the service.
        shared_request_type: `priority`, `flex` or `standard`; None leaves it to the service.
        project: One of `projects`; None if the settings name none or one.
        service_account: One of `service_accounts`, which is impersonated; None if the settings name none.
    """

    location: str | None = None
    request_type: str | None = None
    shared_request_type: str | None = None
    project: str | None = None
    service_account: str | None = None

    def __str__(self) -> str:
        ordered = (self.location, self.project, self.service_account, self.request_type, self.shared_request_type)
        return " ".join(filter(None, ordered))


def at_place(options: Options, place: Place) -> Options:
    """Return the options of a request to this place."""
    request_type, tier = place.request_type, place.shared_request_type
    if options.request_type == request_type and options.shared_request_type == tier:
        return options
    return options.model_copy(update={"request_type": request_type, "shared_request_type": tier})


BudgetOf: TypeAlias = Callable[[Place], RetryBudget | None]
"""Returns the retry budget of a place; None if only the call itself limits retries."""


OneOrMore: TypeAlias = str | Sequence[str] | None
"""One choice, several in their order, or none."""


Payer: TypeAlias = tuple[str | None, str | None]
"""One of `projects` and one of `service_accounts`; None is what the other settings name."""


def places_of(
    locations: Sequence[str | None],
    request_types: OneOrMore = None,
    shared_request_types: OneOrMore = None,
    payers: Sequence[Payer] = ((None, None),),
) -> tuple[Place, ...]:
    """Return the places in the order in which they are tried: all capacity of a location before the next location.

    At a location, all capacity of one project comes before the next project. Provisioned throughput alone
    (`dedicated`) has no tier of pay-as-you-go requests; `shared` is tried tier by tier.
    """
    tiers = _several(shared_request_types)
    return tuple(
        Place(location, kind, tier, project, account)
        for location in locations
        for project, account in payers
        for kind in _several(request_types)
        for tier in ([None] if kind == "dedicated" else tiers)
    )


def _several(choices: OneOrMore) -> Sequence[str | None]:
    return [choices] if choices is None or isinstance(choices, str) else [*choices] or [None]


def lacks_model(error: VertexCompatError) -> bool:
    """Return whether the location does not serve the model; some models return 501 instead of 404."""
    if isinstance(error, ApiError) and error.code == 501:
        return True
    text = NOT_SERVED_TEXTS.get(error.code or 0)
    return text is not None and text in error.message.lower()


def is_shortage(error: VertexCompatError) -> bool:
    """Return whether the error means that there is no capacity at the moment."""
    return error.code in _SHORTAGES and error.is_of_model


def refuse_to_move(body: Mapping[str, Any], locations: Sequence[str], projects: Sequence[str] = ()) -> None:
    """Refuse several locations or projects for a request that is bound to one.

    Raises:
        SettingsError: The request names a context cache.
    """
    if (len(locations) > 1 or len(projects) > 1) and google_extras(body).get("cached_content"):
        names = ("locations", "location") if len(locations) > 1 else ("projects", "project")
        raise SettingsError(
            f"cached_content together with several {names[0]}: a context cache is stored in one {names[1]}.",
            hint=f"Pass {names[1]}= with the cache's {names[1]}.",
        )


class PlaceMemory:
    """A client's knowledge of the places for one model: where calls last succeeded, and where the model is missing."""

    def __init__(self, places: Sequence[Place]) -> None:
        """Create the memory for `places`, in the user's order."""
        self.places = tuple(places)
        self._last: tuple[Place, float] | None = None
        self._lacking: set[tuple[str | None, str | None]] = set()

    def order(self, now: float) -> tuple[Place, ...]:
        """Return the places in order for a call that begins now, without those that lack the model, unless all do."""
        last = self._last
        if last is None and not self._lacking:
            return self.places
        served = tuple(place for place in self.places if _served_as(place) not in self._lacking) or self.places
        if last is None or now - last[1] >= STAY_SECONDS or last[0] not in served:
            return served
        return (last[0], *(place for place in served if place != last[0]))

    def answered(self, place: Place, now: float) -> None:
        """Record that a call was answered here after it failed at another place."""
        self._last = place, now

    def failed(self, place: Place) -> None:
        """Record that there was no capacity here."""
        if self._last is not None and self._last[0] == place:
            self._last = None

    def lack(self, place: Place) -> None:
        """Record that the location does not serve the model to the project."""
        self._lacking.add(_served_as(place))


def _served_as(place: Place) -> tuple[str | None, str | None]:
    """What decides whether a model is served: Google's 404 is also that of a project without access to the model."""
    return place.location, place.project


class Attempts:
    """The attempts of one call, from place to place.

    Attributes:
        place: The place of the next attempt.
        has_choice: Whether the user set more than one place.
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
        """Start at the first place.

        Args:
            memory: The health of each place.
            budget_of: Returns the retry budget of a place.
            max_retries: Attempts after the first one, at all places together.
            clock: Returns the time, in seconds.
            chance: Returns a random number from 0 to 1.
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
        """Record that the call succeeded at the current place."""
        if self._budget is not None:
            self._budget.succeed()
        if self._codes:
            self._place_memory.answered(self.place, self._clock())

    def delay_after(self, error: VertexCompatError, remaining: float) -> float | None:
        """Return the seconds to wait before the next attempt, which goes to `place`; None if there is none.

        Args:
            error: The error of the last attempt.
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
        """Return the error that the call ends with: a capacity shortage has priority over "model not served"."""
        return self._shortage if self._shortage is not None and lacks_model(error) else error

    @property
    def tried(self) -> frozenset[str | None]:
        """The locations of the places that had no capacity, or lack the model."""
        return frozenset(place.location for place in self._codes)

    @property
    def story(self) -> str:
        """A sentence for the user with the error code of each place; empty if there was only one place."""
        asked = ", ".join(f"{place} ({code})" for place, code in self._codes.items())
        return f"Tried one after the other: {asked}." if asked else ""

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
        """Store what the error shows about the place."""
        error.location, error.project = self.place.location, self.place.project
        self._codes[self.place] = error.code
        self._tried.add(self.place)
        self._place_memory.failed(self.place)
        if lacks_model(error):
            self._place_memory.lack(self.place)
            lacking = _served_as(self.place)
            self._open = tuple(place for place in self._open if _served_as(place) != lacking)
            return
        # Without its traceback: this object stores the error, and the traceback's frames hold this object.
        self._shortage = error.with_traceback(None)
        if error.retry_after is not None:
            self._wanted_rest[self.place] = now + error.retry_after

    def _is_paid(self, place: Place, error: VertexCompatError) -> bool:
        """Charge the place's budget for an attempt; as for retries, nothing is charged after a 429."""
        budget = self._budget_of(place)
        return budget is None or isinstance(error, RateLimitError) or lacks_model(error) or budget.take()

    def _begin_again(self, error: VertexCompatError, remaining: float, now: float) -> float | None:
        """Return the wait before a further round, which starts with the place that needs the shortest rest."""
        place = min(self._open, key=lambda each: self._rest(each, now))
        delay = self._wait(error, remaining, self._rest(place, now) or None, place)
        if delay is not None:
            self._tried.clear()
            self._go_to(place)
        return delay

    def _rest(self, place: Place, now: float) -> float:
        """Seconds for which the place's server still asks to receive no requests."""
        return max(self._wanted_rest.get(place, now) - now, 0.0)

    def _wait(self, error: VertexCompatError, remaining: float, stated: float | None, place: Place) -> float | None:
        """Return the seconds before another attempt at the place; without one, the error's hint may name the reason."""
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
