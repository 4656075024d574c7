"""The destination of requests, resolved from settings and environment. No I/O."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vertex_compat_integrations.core.endpoint import (
    DEFAULT_LOCATION,
    OPENAPI,
    Endpoint,
    clean_base_url,
    is_allowed,
    is_loopback_url,
    origin_of,
    resolve_model,
)
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.base_url import check_base_url, check_endpoint_host, check_placeholder
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.environment import LOCATION_VARIABLES, PROJECT_VARIABLES, first_value
from vertex_compat_integrations.core.settings.several_places import check_locations, check_payers
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

EMULATOR_PROJECT = "emulator-project"


@dataclass(frozen=True, slots=True)
class Destination:
    """The destination of requests.

    Attributes:
        origin: Scheme, host and port; the credential is sent nowhere else.
        project: The project, if it is known without asking the credential.
        location: The location; None for a user's own base URL.
        endpoint: The endpoint to build the URL from; None for a base URL.
        base_url: The URL prefix set by the user.
        emulated: Whether the environment selects the emulator.
    """

    origin: str
    project: str | None = None
    location: str | None = None
    endpoint: Endpoint | None = None
    base_url: str | None = None
    emulated: bool = False

    def at(self, location: str | None, project: str | None = None) -> "Destination":
        """Return the destination at another Google location or project; unchanged for a base URL, which has one."""
        if self.endpoint is None:
            return self
        project = project or self.project
        if location is None or location == self.location:
            return self if project == self.project else replace(self, project=project)
        endpoint = replace(self.endpoint, location=location)
        origin = self.origin if self.emulated else endpoint.origin
        return replace(self, origin=origin, project=project, location=location, endpoint=endpoint)

    @property
    def own_server(self) -> bool:
        """Whether the server is the user's own: it decides its models' names itself."""
        if self.endpoint is not None:
            return self.endpoint.endpoint != OPENAPI
        return not (self.base_url or "").endswith(f"/endpoints/{OPENAPI}")

    def build_base_url(self, project: str | None) -> str:
        """Return the URL prefix, once the project is known.

        Raises:
            SettingsError: The project is not known.
        """
        if self.endpoint is None:
            return self.base_url or ""
        if not project:
            raise SettingsError("No project.", hint="Pass project=… or set GOOGLE_CLOUD_PROJECT.")
        return self.endpoint.build_base_url(project, origin=self.origin if self.emulated else None)


def resolve_destination(connection: Connection, environment: Mapping[str, str] = os.environ) -> Destination:
    """Return the destination that settings and environment name; of several locations or projects, the first.

    Raises:
        SettingsError: A setting such as the project or the location is invalid, holds a placeholder or contradicts
            another, or the emulator's host is not on this machine.
    """
    if connection.locations:
        check_locations(connection)
    if connection.projects or connection.service_accounts:
        check_payers(connection)
    setting = connection.projects[0] if connection.projects else connection.project
    project = setting or first_value(environment, PROJECT_VARIABLES)
    _check_placeholders(connection, project)
    if connection.base_url is not None:
        base_url = clean_base_url(connection.base_url)
        check_base_url(base_url, connection.project, connection.location, connection.endpoint)
        return Destination(origin_of(base_url), project, connection.location, base_url=base_url)
    setting = connection.locations[0] if connection.locations else connection.location
    location = setting or first_value(environment, LOCATION_VARIABLES) or DEFAULT_LOCATION
    endpoint = Endpoint(location, connection.api_version, connection.endpoint, connection.endpoint_host)
    if connection.endpoint_host is not None:
        check_endpoint_host(connection.endpoint_host, location, connection.endpoint)
    if host := environment.get(EMULATOR_HOST_VARIABLE):
        origin = _emulator_origin(host, connection.allow_hosts)
        return Destination(origin, project or EMULATOR_PROJECT, location, endpoint, emulated=True)
    return Destination(endpoint.origin, project, location, endpoint)


def resolve_model_name(model: str, destination: Destination) -> str:
    """Return the model's name in the destination's form.

    Raises:
        SettingsError: There is no name, or one that the endpoint cannot know.
    """
    if not model and not destination.own_server:
        raise SettingsError("No model.", hint='Pass model="google/gemini-3.5-flash", for example.')
    return resolve_model(model, own_server=destination.own_server)


def _check_placeholders(connection: Connection, project: str | None) -> None:
    """Refuse placeholders that were pasted from a page and not filled in.

    Raises:
        SettingsError: A setting holds a placeholder.
    """
    for name in ("base_url", "location", "endpoint", "endpoint_host"):
        if value := getattr(connection, name):
            check_placeholder(name, value)
    for each in connection.projects or (project,):
        if each:
            check_placeholder("project", each)


def _emulator_origin(host: str, allow_hosts: Sequence[str]) -> str:
    origin = clean_base_url(host if "://" in host else f"http://{host}")
    if not is_loopback_url(origin) and not is_allowed(origin, allow_hosts):
        raise SettingsError(
            f"{EMULATOR_HOST_VARIABLE}={host!r} is not on this machine.",
            hint="Name it in allow_hosts=, if the emulator really runs there.",
        )
    return origin
