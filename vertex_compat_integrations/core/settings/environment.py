"""What the environment decides where an argument is missing: the variables, and the settings resolved from them."""

import os
from collections.abc import Mapping, Sequence
from typing import cast, get_args

from vertex_compat_integrations.core.auth.google_request import CA_VARIABLES
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.arguments import HttpBackend
from vertex_compat_integrations.core.settings.connection import Connection

PROJECT_VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
LOCATION_VARIABLES = ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION")
TELEMETRY_VARIABLE = "VERTEX_COMPAT_TELEMETRY"
HTTP_BACKEND_VARIABLE = "VERTEX_COMPAT_HTTP_BACKEND"
_YES_OR_NO = {"": False, "0": False, "false": False, "1": True, "true": True}


def first_value(environment: Mapping[str, str], names: Sequence[str]) -> str | None:
    """Return the value of the first variable that is set."""
    return next((environment[name] for name in names if environment.get(name)), None)


def resolve_authorities(connection: Connection, environment: Mapping[str, str] = os.environ) -> str | None:
    """The certificate authorities for the API and for tokens; None leaves `SSL_CERT_FILE` to the HTTP library."""
    return connection.ca_bundle or first_value(environment, CA_VARIABLES)


def resolve_http_backend(connection: Connection, environment: Mapping[str, str] = os.environ) -> HttpBackend | None:
    """The HTTP library for asynchronous calls; None means the one that is installed.

    Raises:
        SettingsError: The environment variable names an unknown library.
    """
    named = environment.get(HTTP_BACKEND_VARIABLE)
    if connection.http_backend is not None or not named:
        return connection.http_backend
    if named not in get_args(HttpBackend):
        raise SettingsError(
            f"{HTTP_BACKEND_VARIABLE}={named!r} is not a known HTTP library.", hint="Name httpx or aiohttp."
        )
    return cast("HttpBackend", named)


def resolve_telemetry(connection: Connection, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether calls are reported to OpenTelemetry.

    Raises:
        SettingsError: The environment variable is neither true nor false.
    """
    if connection.telemetry is not None:
        return connection.telemetry
    switch = environment.get(TELEMETRY_VARIABLE, "")
    if switch.lower() not in _YES_OR_NO:
        raise SettingsError(f"{TELEMETRY_VARIABLE}={switch!r} is neither true nor false.", hint="Set one of them.")
    return _YES_OR_NO[switch.lower()]
