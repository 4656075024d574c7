"""Whom the probes ask: the endpoint that the settings name, and an emulator in this process."""

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
from vertex_compat_integrations.core.sdk import plain_openai_client
from vertex_compat_integrations.emulator import Emulator

TIMEOUT_SECONDS = 120.0
_ONCE: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "max_retries": 0}


def target_of(project: str | None, location: str | None) -> Target:
    """The target of the command's options and the environment.

    Raises:
        SettingsError: They contradict each other.
        ValidationError: A value is invalid.
    """
    return target_for(connection_for(ConnectionOptions(project, location, base_url=None, allow_hosts=())))


def location_of(target: Target) -> str:
    """Where requests go that name no location of their own."""
    return target.destination.location or "global"


def secrets_of(target: Target) -> list[str]:
    """What must stand in no report; the credential is asked for, so that it fails before anything is sent.

    Raises:
        CredentialsError: There is no credential.
        SettingsError: Neither settings nor credentials name the project.
    """
    headers = target.source.headers(target.destination.origin, TIMEOUT_SECONDS)
    target.base_url(TIMEOUT_SECONDS)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    secrets = [token, str(Path.home()), socket.gethostname(), target.destination.project]
    secrets.append(target.connection.quota_project)
    if not target.destination.emulated:
        account = target.source.account(TIMEOUT_SECONDS)
        secrets += [account.project, account.quota_project]
    return [secret for secret in secrets if secret]


@contextmanager
def opened_service(target: Target) -> Iterator[Service]:
    """The endpoint; or the emulator that the environment names in its place."""
    connection = target.connection

    def connect(place: Place) -> openai.OpenAI:
        location = place.location or location_of(target)
        return plain_openai_client(project=connection.project, location=location, api_version=place.version, **_ONCE)

    service = Service(EMULATED if target.destination.emulated else LIVE, connect)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def opened_emulator(location: str) -> Iterator[Service]:
    """An emulator of this process, to compare answers with."""
    with Emulator(serve_retired=False) as emulator:
        token = emulator.identity.issue()

        def connect(place: Place) -> openai.OpenAI:
            base_url = emulator.base_url(location=place.location or location, version=place.version)
            return plain_openai_client(base_url=base_url, api_key=token, **_ONCE)

        service = Service(EMULATED, connect)
        try:
            yield service
        finally:
            service.close()
