"""Where a command's requests go, and as whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    Destination,
    resolve_destination,
    resolve_source,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A destination and its credential, of which nothing was asked yet.

    Attributes:
        connection: The settings.
        destination: Where requests go.
        source: What yields the credential.
    """

    connection: Connection
    destination: Destination
    source: TokenSource

    def base_url(self, timeout: float) -> str:
        """The URL prefix; the credential is asked for the project if nothing else names it.

        Raises:
            SettingsError: Nobody knows the project.
            CredentialsError: There is no credential to ask.
        """
        project = self.destination.project
        if project is None and self.destination.endpoint is not None:
            project = self.source.account(timeout).project
        return self.destination.build_base_url(project)


def connection_for(
    project: str | None, location: str | None, base_url: str | None, allow_hosts: Sequence[str]
) -> Connection:
    """The settings that a command's options mean; what is not given comes from the environment.

    Raises:
        ValidationError: They cannot be.
    """
    return Connection(project=project, location=location, base_url=base_url, allow_hosts=allow_hosts)


def place_for(connection: Connection) -> Place:
    """Where the settings and the environment point.

    Raises:
        SettingsError: They contradict each other, or the credential may not go there.
    """
    destination = resolve_destination(connection)
    return Place(connection, destination, resolve_source(connection, destination))
