"""Where a command's requests go, and as whom."""

from dataclasses import dataclass

from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    Destination,
    resolve_destination,
    resolve_source,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A destination and the credential for it; no token was requested yet.

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
            SettingsError: Neither settings nor credentials name the project.
            CredentialsError: There is no credential to ask.
        """
        project = self.destination.project
        if project is None and self.destination.endpoint is not None:
            project = self.source.account(timeout).project
        return self.destination.build_base_url(project)


def connection_for(options: ConnectionOptions) -> Connection:
    """The settings that a command's options mean; what they leave out comes from the environment.

    Raises:
        ValidationError: A value is invalid.
    """
    return Connection(
        project=options.project,
        location=options.location,
        base_url=options.base_url,
        allow_hosts=options.allow_hosts,
        repair_history=options.repair_history,
    )


def target_for(connection: Connection) -> Target:
    """The target that the settings and the environment name.

    Raises:
        SettingsError: They contradict each other, or the credential may not go there.
    """
    destination = resolve_destination(connection)
    return Target(connection, destination, resolve_source(connection, destination))
