"""Where a client's requests go, and with which credentials: resolved once, from settings and environment."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from vertex_compat_integrations import wire
from vertex_compat_integrations.core.auth.source import Account, TokenSource
from vertex_compat_integrations.core.calls.advice import hint_of_way, unknown_location
from vertex_compat_integrations.core.calls.notices import Notices
from vertex_compat_integrations.core.calls.places import Place
from vertex_compat_integrations.core.catalogue.regions import is_known_location
from vertex_compat_integrations.core.errors import AuthenticationError, VertexCompatError
from vertex_compat_integrations.core.settings.arguments import HttpBackend
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_source
from vertex_compat_integrations.core.settings.destination import Destination, resolve_destination
from vertex_compat_integrations.core.settings.environment import resolve_authorities, resolve_http_backend
from vertex_compat_integrations.core.settings.media_bucket import Target, resolve_target
from vertex_compat_integrations.core.transport.post import Route


class Attempt(NamedTuple):
    """One attempt of a call: its destination and its credentials.

    Attributes:
        destination: With the location of this attempt.
        source: Source of the credential's headers.
        project: The project of the request; None if it is not known yet, or not needed.
        lacks_project: Whether to ask the credential for the project, which Google's own URLs contain.
    """

    destination: Destination
    source: TokenSource
    project: str | None
    lacks_project: bool


class Access:
    """The destination and the credentials of one client.

    Attributes:
        connection: The settings.
        uploads: What uploads of large media need, None if no bucket is set; known after `resolve`.
        project: The credential's own project; None until a request needed it.
    """

    def __init__(self, connection: Connection, notices: Notices, environment: Mapping[str, str] = os.environ) -> None:
        """Resolve nothing yet; the destination will be read from `environment`."""
        self.connection = connection
        self.uploads: Target | None = None
        self.project: str | None = None
        self._notices, self._environment = notices, environment
        self._authorities: str | None = None
        self._backend: HttpBackend | None = None
        self._resolved: tuple[Destination, TokenSource] | None = None
        self._sources: dict[str, TokenSource] = {}

    def resolve(self) -> tuple[Destination, TokenSource]:
        """Return destination and credential source; the first call resolves them.

        Raises:
            SettingsError: The settings are invalid or contradict each other.
            CredentialsError: No credentials are found.
        """
        if self._resolved is None:
            destination = self.resolve_destination()
            if destination.emulated:
                self._notices.warn_once(
                    f"{wire.EMULATOR_HOST_VARIABLE} is set: requests go to the emulator at {destination.origin}."
                )
            source = resolve_source(self.connection, destination)
            self.uploads = resolve_target(self.connection, destination, source)
            self._warn_of_locations(destination)
            self._authorities = resolve_authorities(self.connection)
            self._backend = resolve_http_backend(self.connection)
            self._resolved = destination, source
        return self._resolved

    def resolve_destination(self) -> Destination:
        """Return the destination; no credential is looked up.

        Raises:
            SettingsError: The settings are invalid or contradict each other.
        """
        return resolve_destination(self.connection, self._environment)

    def _warn_of_locations(self, destination: Destination) -> None:
        """Warn about locations that Google's pages do not name: a new region, or a typing error."""
        if destination.endpoint is None:
            return
        for location in self.connection.locations or (destination.location,):
            if location is not None and not is_known_location(location):
                self._notices.warn_once(unknown_location(location))

    def attempt(self, place: Place) -> Attempt:
        """Return destination and credentials of an attempt at this place."""
        destination, source = self.resolve()
        if place.service_account is not None:
            source = self.source_of(place.service_account)
        project = place.project or destination.project or self.project
        lacks_project = destination.endpoint is not None and not project
        return Attempt(destination.at(place.location, place.project), source, project, lacks_project)

    def locate(self, attempt: Attempt, account: Account) -> Attempt:
        """Return the attempt with the credential's own project, which is stored for further calls."""
        self.project = account.project
        return attempt._replace(project=self.project, lacks_project=False)

    def source_of(self, account: str | None) -> TokenSource:
        """Return the source of the tokens of one of several service accounts; None is the first."""
        destination, first = self.resolve()
        if account is None or account == self.connection.service_accounts[0]:
            return first
        if (source := self._sources.get(account)) is None:
            source = self._sources.setdefault(account, resolve_source(self.connection, destination, account))
        return source

    def route(self, destination: Destination) -> Route:
        """Return what decides which connections a request to the destination may use."""
        settings = self.connection
        return Route(
            destination.origin,
            settings.proxy,
            self._authorities,
            settings.http_client,
            settings.http_async_client,
            self._backend,
        )

    def failed(self, place: Place, error: VertexCompatError, auth_headers: Mapping[str, str]) -> None:
        """Forget a refused token; add a hint to an error that network path or credential caused."""
        destination, source = self.resolve()
        if self.connection.service_accounts:
            source = self.source_of(place.service_account)
        if isinstance(error, AuthenticationError):
            source.invalidate(auth_headers)
        error.hint = hint_of_way(error, destination.at(place.location), source) or error.hint
