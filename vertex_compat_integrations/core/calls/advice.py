"""Hints for errors, from what is known about the model, the location and the credential. Pure.

The error's own hint is chosen by Google's text (`core/http_errors.py`); these hints extend or replace it.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from vertex_compat_integrations.core.auth.google import IMPERSONATION_HINT
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.calls.places import Place
from vertex_compat_integrations.core.catalogue import ModelFacts, nearest_model
from vertex_compat_integrations.core.catalogue.regions import is_known_location, nearest_location
from vertex_compat_integrations.core.endpoint import DEFAULT_LOCATION
from vertex_compat_integrations.core.errors import (
    AuthenticationError,
    ConnectionFailedError,
    CredentialsError,
    DeadlineExceededError,
    VertexCompatError,
)
from vertex_compat_integrations.core.http_errors import PROJECT_HINT
from vertex_compat_integrations.core.settings.destination import Destination
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

_LOCATION_OF_URL = re.compile(r"/locations/([^/]+)/")


def unknown_location(location: str) -> str:
    """A sentence that Google's pages do not name a location, with the nearest one that they name."""
    return f"location={location!r} is not named on Google's pages; the nearest is {nearest_location(location)!r}."


def hint_of_way(error: VertexCompatError, destination: Destination, source: TokenSource) -> str | None:
    """Return a hint if the network path or the credential caused the error; None for any other cause."""
    match error:
        case DeadlineExceededError():
            return None
        case ConnectionFailedError() if destination.emulated:
            host = urlsplit(destination.origin).netloc
            return (
                f"{EMULATOR_HOST_VARIABLE} names {host}, where no emulator answers: start it "
                f"(`vertex-compat emulate`), or unset {EMULATOR_HOST_VARIABLE}."
            )
        case ConnectionFailedError() if destination.endpoint is not None and destination.location is not None:
            location = destination.location
            if is_known_location(location):
                return None
            return f"{unknown_location(location)} Pass location={nearest_location(location)!r}."
        case AuthenticationError() if error.hint == error.default_hint:
            return source.renewal
        case _:
            return None


def refused_payer(error: VertexCompatError, place: Place) -> str | None:
    """What to do where one of several projects or service accounts is refused; None if the error is not about one."""
    if isinstance(error, CredentialsError) and error.hint != IMPERSONATION_HINT:
        return None
    names = [f"project {place.project!r}"] if place.project else []
    names += [f"service account {place.service_account!r}"] if place.service_account else []
    if not names:
        return None
    setting = "projects=" if place.project else "service_accounts="
    return f"The refused one of {setting} is {' with '.join(names)}: see to its access, or leave it out."


@dataclass(frozen=True, slots=True)
class ModelAdvice:
    """Hints for a call to one model at one location.

    Attributes:
        model: The model's name.
        facts: The model's facts.
        location: The location of the request; None if only the URL contains it.
        url: The URL of the request.
        has_choice: Whether several places were set.
        tried: The locations that the call has tried, if there was a choice.
    """

    model: str
    facts: ModelFacts
    location: str | None
    url: str | None
    has_choice: bool
    tried: frozenset[str | None] = frozenset()

    def where_capacity_is(self) -> str:
        """What to do when capacity is short, for this model and this location."""
        asked, served = self._asked(), self.facts.locations
        helps = []
        is_new = DEFAULT_LOCATION not in {asked, *self.tried}
        if is_new and (not served or DEFAULT_LOCATION in served):
            helps.append(f"location={DEFAULT_LOCATION!r}")
        if not self.has_choice and (places := self._places(asked)):
            helps.append(f"locations={places} (tried one after the other)")
        if self.facts.gemini:
            helps.append("provisioned throughput")
        use = f", or use {' or '.join(helps)}" if helps else ""
        return f"Shared capacity is used up for the moment: wait and retry{use}."

    def _places(self, asked: str | None) -> list[str]:
        """The location of the request and two more, if it is known where the model is served."""
        if asked is None:
            return []
        others = [each for each in self.facts.locations or (DEFAULT_LOCATION, "us", "eu") if each != asked]
        return [asked, *others[:2]] if others else []

    def _asked(self) -> str | None:
        """The location of the request; taken from the URL if a base URL is set and the server is Google's."""
        if self.location is not None:
            return self.location
        in_url = _LOCATION_OF_URL.search(self.url or "")
        return in_url[1] if in_url else None

    def where_it_is(self, error: VertexCompatError) -> str | None:
        """Why the model is not found; None if no more is known than the error contains."""
        if error.hint == PROJECT_HINT:
            return None
        if self.facts.retires and self.facts.replacement:
            return self.end()
        if self.facts.route:
            return f"According to its page, this model is served by {self.facts.route}, not by this endpoint."
        served = self.facts.locations
        if served and self.location not in served:
            return f"This model is served at {', '.join(served)}: pass location={served[0]!r}."
        if self.facts.has_retired():
            return self.end()
        nearest = nearest_model(self.model)
        return f"Did you mean model={nearest!r}?" if nearest else None

    def end(self) -> str | None:
        """When the model retired or will retire, and its replacement; None if no date is known."""
        facts = self.facts
        if facts.retires is None:
            return None
        sentence = (
            f"{self.model} retired on {facts.retires}, by Google's pages"
            if facts.has_retired()
            else f"{self.model} is announced to retire on {facts.retires}"
        )
        return f"{sentence}: use {facts.replacement}." if facts.replacement else f"{sentence}: see Google's model card."
