"""Destination and credential of a command's requests."""

from dataclasses import dataclass

from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_project, resolve_source
from vertex_compat_integrations.core.settings.destination import Destination, resolve_destination


@dataclass(frozen=True, slots=True)
class Target:
    """A destination and its credential; no token has been requested yet.

    Attributes:
        connection: The settings.
        destination: Where requests go.
        source: The source of the credential.
    """

    connection: Connection
    destination: Destination
    source: TokenSource

    def base_url(self, timeout: float) -> str:
        """Return the URL prefix; the project comes from the credential if no setting names it.

        Raises:
            SettingsError: Neither settings nor credentials name the project.
            CredentialsError: The project must come from the credential, and no credential was found.
        """
        return self.destination.build_base_url(resolve_project(self.destination, self.source, timeout))


def connection_for(options: ConnectionOptions) -> Connection:
    """Return the settings for a command's options; missing ones come from the environment.

    Raises:
        ValidationError: A value is invalid.
    """
    return Connection(
        project=options.project,
        location=options.location,
        base_url=options.base_url,
        allow_hosts=options.allow_hosts,
        repair_history=options.repair_history,
        projects=tuple(options.projects),
        service_accounts=tuple(options.service_accounts),
        media_bucket=options.media_bucket,
    )


def target_for(connection: Connection) -> Target:
    """Return the target that the settings and the environment name.

    Raises:
        SettingsError: The settings contradict each other, or the credential may not be sent to this host.
    """
    destination = resolve_destination(connection)
    return Target(connection, destination, resolve_source(connection, destination))
