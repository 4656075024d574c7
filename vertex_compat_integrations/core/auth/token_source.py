"""Creates the token source for the settings of a connection."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vertex_compat_integrations.core.auth.google import CLOUD_PLATFORM_SCOPE, GoogleSettings, shared_source
from vertex_compat_integrations.core.auth.provided import CallableSource, StaticSource, TokenProvider
from vertex_compat_integrations.core.auth.shared import SOURCES, identity_of
from vertex_compat_integrations.core.auth.source import TokenSource, check_key_form
from vertex_compat_integrations.core.errors import SettingsError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials


def token_source(
    *,
    credentials: "Credentials | TokenProvider | None" = None,
    token: str | None = None,
    impersonate_service_account: str | Sequence[str] | None = None,
    quota_project: str | None = None,
    scopes: Sequence[str] = (CLOUD_PLATFORM_SCOPE,),
    proxy: str | None = None,
    ca_bundle: str | None = None,
    takes_any_key: bool = False,
    clock: Callable[[], float] = time.time,
) -> TokenSource:
    """Return the token source for the settings; Application Default Credentials if they name none.

    Equal settings return the same source, so that everything created from one object refreshes only once. Nothing is
    loaded or requested before the first token or project is needed.

    Args:
        credentials: google-auth credentials, or a callable (also `async`) that returns a token, or a tuple of a token
            and its expiry in seconds since 1970.
        token: An OAuth 2 access token, which is never refreshed.
        impersonate_service_account: The service account to impersonate; in a sequence, delegates come before it.
        quota_project: Project that is charged (`x-goog-user-project`).
        scopes: OAuth scopes, if the credentials need them.
        proxy: Proxy for https token requests; the metadata server is reached without it.
        ca_bundle: Certificate authorities for token requests.
        takes_any_key: Whether the server is not Google's, and may accept keys of any form.
        clock: The clock for the expiry of tokens, in seconds since 1970.

    Raises:
        SettingsError: The settings contradict each other, or the token is not a valid token.
    """
    accounts = impersonate_service_account or ()
    impersonate = (accounts,) if isinstance(accounts, str) else tuple(accounts)
    check_alternatives(credentials, token, impersonate)
    _check_kind(credentials)
    if token is not None:
        if not takes_any_key:
            check_key_form(token)
        return StaticSource(token, quota_project)
    if callable(credentials):
        provider = credentials
        key = (identity_of(provider), quota_project, clock, takes_any_key)
        return SOURCES.find(
            key,
            lambda: CallableSource(provider, quota_project, clock, takes_any_key=takes_any_key),
            is_lasting=False,
        )
    settings = GoogleSettings(credentials, impersonate, quota_project, tuple(scopes), proxy, ca_bundle)
    return shared_source(settings, clock)


def check_alternatives(credentials: object, token: object, impersonate: str | Sequence[str] | None) -> None:
    """Refuse settings of which only one can be used.

    Raises:
        SettingsError: The settings contradict each other.
    """
    if token is not None and credentials is not None:
        raise SettingsError("Both a token (api_key) and credentials are set.", hint="Set only one of them.")
    if impersonate and (token is not None or callable(credentials)):
        raise SettingsError(
            "impersonate_service_account= and service_accounts= need google-auth credentials.",
            hint="Leave api_key= and the callable out.",
        )


def _check_kind(credentials: object) -> None:
    if credentials is None or callable(credentials):
        return
    from google.auth.credentials import Credentials  # noqa: PLC0415 - loaded when it is needed

    if not isinstance(credentials, Credentials):
        raise SettingsError(
            f"credentials= is {type(credentials).__name__}.",
            hint="Pass a google.auth Credentials object or a callable; name a file in GOOGLE_APPLICATION_CREDENTIALS.",
        )
