"""The services that the probes are sent to: the endpoint in the settings, and an emulator in this process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai

from vertex_compat_integrations.cli.common.parameters import ConnectionOptions
from vertex_compat_integrations.cli.common.target import Target, connection_for, target_for
from vertex_compat_integrations.cli.verify.report import EMULATED, LIVE
from vertex_compat_integrations.cli.verify.service import Place, Service
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.sdk import plain_openai_client
from vertex_compat_integrations.emulator import Emulator

EMULATED_SECOND_PROJECT = "second-demo"
TIMEOUT_SECONDS = 120.0
_ONCE: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "max_retries": 0}


def target_of(project: str | None, location: str | None) -> Target:
    """Return the target that the command's options and the environment name.

    Raises:
        SettingsError: The settings contradict each other.
        ValidationError: A value is invalid.
    """
    return target_for(connection_for(ConnectionOptions(project, location, base_url=None, allow_hosts=())))


def location_of(target: Target) -> str:
    """Return the location of requests that name none of their own."""
    return target.destination.location or "global"


def second_project_of(target: Target, name: str | None) -> str | None:
    """Return the second project: the named one, or one that only an emulator has; None if there is none.

    Raises:
        SettingsError: It is the first project.
    """
    if name is not None and name == target.destination.project:
        raise SettingsError(f"--second-project {name} is the first project.", hint="Name another project of yours.")
    return name or (EMULATED_SECOND_PROJECT if target.destination.emulated else None)


def secrets_of(target: Target, second_project: str | None = None) -> list[str]:
    """Return the texts that no report may contain; fetches a token, so that a failure comes before any request.

    Raises:
        CredentialsError: No credential was found.
        SettingsError: Neither settings nor credentials name the project.
    """
    headers = target.source.headers(target.destination.origin, TIMEOUT_SECONDS)
    target.base_url(TIMEOUT_SECONDS)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    secrets = [token, str(Path.home()), socket.gethostname(), target.destination.project]
    secrets += [target.connection.quota_project, second_project]
    if not target.destination.emulated:
        account = target.source.account(TIMEOUT_SECONDS)
        secrets += [account.project, account.quota_project]
    return [secret for secret in secrets if secret]


@contextmanager
def opened_service(target: Target, second_project: str | None = None) -> Iterator[Service]:
    """Open the endpoint, or the emulator that the environment names instead."""
    connection = target.connection

    def connect(place: Place) -> openai.OpenAI:
        location = place.location or location_of(target)
        project = second_project if place.in_second_project else connection.project
        return plain_openai_client(project=project, location=location, api_version=place.version, **_ONCE)

    service = Service(EMULATED if target.destination.emulated else LIVE, connect)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def opened_emulator(location: str) -> Iterator[Service]:
    """Start an emulator in this process, to compare answers with."""
    with Emulator(serve_retired=False) as emulator:
        token = emulator.identity.issue()

        def connect(place: Place) -> openai.OpenAI:
            project = EMULATED_SECOND_PROJECT if place.in_second_project else "demo"
            base_url = emulator.base_url(project, place.location or location, place.version)
            return plain_openai_client(base_url=base_url, api_key=token, **_ONCE)

        service = Service(EMULATED, connect)
        try:
            yield service
        finally:
            service.close()
