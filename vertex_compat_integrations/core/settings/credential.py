"""The credential of requests: the source of its headers, and where it may be sent."""

from vertex_compat_integrations.core.auth.adc_file import resolve_adc_universe
from vertex_compat_integrations.core.auth.google import universe_of
from vertex_compat_integrations.core.auth.source import TokenSource
from vertex_compat_integrations.core.auth.token_source import check_alternatives, token_source
from vertex_compat_integrations.core.auth.trust import check_trust
from vertex_compat_integrations.core.endpoint import DEFAULT_UNIVERSE, is_google_host
from vertex_compat_integrations.core.settings.connection import Connection, takes_any_key
from vertex_compat_integrations.core.settings.destination import Destination
from vertex_compat_integrations.wire import EMULATOR_TOKEN, EMULATOR_TOKEN_OF


def resolve_source(connection: Connection, destination: Destination, account: str | None = None) -> TokenSource:
    """Return the source of the credential's headers; nothing is loaded before the headers are requested.

    Args:
        connection: The settings.
        destination: Where the credential is sent.
        account: One of several service accounts; None is the first of them.

    Raises:
        SettingsError: The credential may not be sent to the destination, or the endpoint does not accept this kind.
    """
    account = account or (connection.service_accounts[0] if connection.service_accounts else None)
    if destination.emulated:
        return token_source(token=f"{EMULATOR_TOKEN_OF}{account}" if account else EMULATOR_TOKEN)
    check_credential(connection, destination)
    key = connection.api_key.get_secret_value() if connection.api_key is not None else None
    return token_source(
        credentials=connection.credentials,
        token=key,
        impersonate_service_account=account or connection.impersonate_service_account,
        quota_project=connection.quota_project,
        proxy=connection.proxy,
        ca_bundle=connection.ca_bundle,
        takes_any_key=takes_any_key(destination.base_url),
    )


def resolve_project(destination: Destination, source: TokenSource, timeout: float) -> str | None:
    """Return the settings' project, or else the credential's own; None if there is none, or a base URL needs none.

    Args:
        destination: Where requests go.
        source: The credential, which is asked only if the project is needed; this may block.
        timeout: Seconds for that.

    Raises:
        CredentialsError: The project must come from the credential, and no credential was found.
    """
    if destination.project is not None or destination.endpoint is None:
        return destination.project
    return source.account(timeout).project


def check_credential(connection: Connection, destination: Destination) -> None:
    """Refuse credentials that contradict each other, and a location that may not receive the credential.

    This is checked before a token is read from its `SecretStr`.

    Raises:
        SettingsError: They contradict each other, or a location may not receive them.
    """
    accounts = connection.service_accounts or connection.impersonate_service_account
    check_alternatives(connection.credentials, connection.api_key, accounts)
    for location in connection.locations or (destination.location,):
        here = destination.at(location)
        check_origin(here.origin, connection, here)


def check_origin(origin: str, connection: Connection, destination: Destination) -> None:
    """Refuse an origin that may not receive the credential of a destination.

    Raises:
        SettingsError: It may not.
    """
    own = _own_credential(connection, destination)
    check_trust(origin, own, connection.allow_hosts, _universe(connection, destination))


def _universe(connection: Connection, destination: Destination) -> str:
    """The credential's own universe domain; a file is read only if the decision depends on it."""
    if connection.api_key is not None or callable(connection.credentials) or is_google_host(destination.origin):
        return DEFAULT_UNIVERSE
    return resolve_adc_universe() if connection.credentials is None else universe_of(connection.credentials)


def _own_credential(connection: Connection, destination: Destination) -> object | None:
    """Return the static token or callable, which may be sent to one origin only.

    None for other credentials, and for a host that is neither Google's nor named by a base URL.
    """
    if connection.base_url is None and not is_google_host(destination.origin):
        return None
    if connection.api_key is not None:
        return connection.api_key
    return connection.credentials if callable(connection.credentials) else None
