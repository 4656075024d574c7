"""Checks of a framework's object: when it is created, and before its settings change at run time."""

from collections.abc import Iterable

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import HTTP_CLIENTS, Connection
from vertex_compat_integrations.core.settings.credential import check_credential
from vertex_compat_integrations.core.settings.destination import resolve_destination, resolve_model_name
from vertex_compat_integrations.core.settings.media_bucket import resolve_media_bucket

_ACCOUNTS = ("service_accounts", "impersonate_service_account")
_TRUST = ("allow_hosts", "proxy", "ca_bundle", *HTTP_CLIENTS)


def check_settings(connection: Connection, model: str) -> str:
    """Check destination and credential; return the model's name in the destination's form.

    If no credential is set, the first call checks whether Application Default Credentials may be sent there, because
    settings that are restored from a dump have no credentials.

    Raises:
        SettingsError: Destination or model are invalid, or the credential may not be sent to the destination.
    """
    destination = resolve_destination(connection)
    name = resolve_model_name(model, destination)
    resolve_media_bucket(connection, destination)
    is_given = connection.api_key is not None or connection.credentials is not None
    if is_given and not destination.emulated:
        check_credential(connection, destination)
    return name


def check_run_time_settings(names: Iterable[str]) -> None:
    """Refuse run-time changes of settings that decide where the credential goes, or through which client or proxy.

    Raises:
        SettingsError: One of the names is such a setting.
    """
    for name in names:
        if name in _ACCOUNTS:
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides which credentials are used.",
                hint="Pass it to the constructor; for other accounts, create another object.",
            )
        if name == "media_bucket":
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides where the media of a conversation are stored.",
                hint="Pass it to the constructor; for several buckets, create several objects.",
            )
        if name in _TRUST:
            raise SettingsError(
                f"{name}= cannot be configured at run time: it decides who sees the credential.",
                hint="Pass it to the constructor; for several destinations, create several objects.",
            )
