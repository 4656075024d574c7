"""An emulator, and credentials whose tokens come from it."""

import os
from collections.abc import Iterator

import pytest

from tests.cli.doctor.examining import use_credentials
from vertex_compat_integrations.cli.doctor import case
from vertex_compat_integrations.emulator import (
    Emulator,
)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for all checks on a busy machine, too; without, the last ones fail for want of it."""
    monkeypatch.setattr(case, "SECONDS", 10 * case.SECONDS)


@pytest.fixture(autouse=True)
def environment(emulator, tmp_path, monkeypatch):
    """Application Default Credentials of a service account, whose tokens come from the emulator."""
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "GCLOUD_", "CLOUDSDK_", "VERTEX_COMPAT")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    use_credentials(monkeypatch, tmp_path, emulator.identity.service_account_info(emulator.url))
