"""Several locations, projects or service accounts of one connection: what they exclude, and which belong together."""

import re
from itertools import zip_longest

from vertex_compat_integrations.core.endpoint import DEFAULT_LOCATION, OPENAPI, Endpoint
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection

SEVERAL = {"locations": "location", "projects": "project", "service_accounts": "impersonate_service_account"}
"""The settings that name several places for a call, and the setting for one."""

_ACCOUNT = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+")


def check_locations(connection: Connection) -> None:
    """Refuse several locations together with a setting that names one location.

    Raises:
        SettingsError: There is such a setting; or one of the locations is invalid, or is named twice.
    """
    one_place = {
        "location": (connection.location, "Keep one of the two."),
        "base_url": (connection.base_url, "A base URL is a single destination: leave locations= out."),
        "endpoint": (connection.endpoint != OPENAPI, "An endpoint is deployed in one region: name it with location=."),
    }
    for name, (is_given, hint) in one_place.items():
        if is_given:
            raise SettingsError(f"locations= together with {name}=.", hint=hint)
    for location in connection.locations:
        Endpoint(location, connection.api_version)
    if len(set(connection.locations)) < len(connection.locations):
        raise SettingsError(
            f"locations={list(connection.locations)} has a location twice.",
            hint="Name each once, the first choice first.",
        )


def check_payers(connection: Connection) -> None:
    """Refuse several projects or service accounts together with a setting that names one.

    Raises:
        SettingsError: There is such a setting; or a name is empty, or is named twice.
    """
    projects, accounts = connection.projects, connection.service_accounts
    conflicts = (
        ("projects", "project", connection.project, "Keep one of the two."),
        ("projects", "base_url", connection.base_url, "A base URL is a single destination: leave projects= out."),
        ("projects", "endpoint", connection.endpoint != OPENAPI, "An endpoint is deployed in one project: name it."),
        ("projects", "quota_project", connection.quota_project, "Each project is charged for its own requests."),
        ("service_accounts", "impersonate_service_account", connection.impersonate_service_account, "Keep one."),
    )
    for several, one, is_set, hint in conflicts:
        if getattr(connection, several) and is_set:
            raise SettingsError(f"{several}= together with {one}=.", hint=hint)
    if projects and accounts and len(projects) != len(accounts):
        raise SettingsError(
            f"projects= has {len(projects)} names, service_accounts= has {len(accounts)}.",
            hint="Name one account for each project, or one for all as impersonate_service_account=.",
        )
    for project in projects:
        Endpoint(DEFAULT_LOCATION).build_base_url(project)
    if wrong := [each for each in accounts if not _ACCOUNT.fullmatch(each)]:
        raise SettingsError(
            f"service_accounts= has {wrong[0]!r}, which is not a service account.",
            hint="Name each by its email address: name@project.iam.gserviceaccount.com.",
        )
    payers = payers_of(connection)
    if len(set(payers)) < len(payers):
        named = f"projects={list(projects)}" if projects else f"service_accounts={list(accounts)}"
        raise SettingsError(f"{named} has a name twice.", hint="Name each once, the first choice first.")


def payers_of(connection: Connection) -> list[tuple[str | None, str | None]]:
    """Return the projects, each with its service account, in the user's order; None is what other settings name."""
    return list(zip_longest(connection.projects or (None,), connection.service_accounts or (None,)))
