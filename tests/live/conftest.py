"""`pytest tests/live --live --record DIR` asks Vertex AI; without `--live` the emulator is asked the same."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.record import Finding, report, write_finding
from tests.live.service import Place, Service
from vertex_compat_integrations import openai_client
from vertex_compat_integrations.core.settings.connection import PROJECT_VARIABLES
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", action="store_true", default=False, help="ask Vertex AI instead of the emulator")
    parser.addoption("--record", type=Path, default=None, metavar="DIR", help="write what was answered, redacted")


def is_live(config: pytest.Config) -> bool:
    # Where this file was not there from the start of the run, pytest does not know its options.
    return bool(config.getoption("--live", default=False))


@pytest.fixture(scope="session")
def emulated() -> Iterator[Service]:
    """The emulator, as a service like the other."""
    with Emulator() as emulator:
        token = emulator.identity.issue()

        def connect(place: Place):
            base_url = emulator.base_url(location=place.location, version=place.version)
            return openai_client(base_url=base_url, api_key=token)

        service = Service("the emulator", "demo", connect)
        yield service
        service.close()


@pytest.fixture(scope="session")
def service(request: pytest.FixtureRequest, emulated: Service) -> Iterator[Service]:
    """Vertex AI with `--live`, else the emulator."""
    if not is_live(request.config):
        yield emulated
        return
    project = next((os.environ[name] for name in PROJECT_VARIABLES if os.environ.get(name)), None)
    if project is None or os.environ.get(EMULATOR_HOST_VARIABLE):
        pytest.fail(f"--live needs {PROJECT_VARIABLES[0]}, and {EMULATOR_HOST_VARIABLE} must not be set")
    live = Service(
        "Vertex AI",
        project,
        lambda place: openai_client(project=project, location=place.location, api_version=place.version),
    )
    yield live
    live.close()


@pytest.fixture(scope="session")
def record_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where findings are written: `--record`, else a folder of the run's own."""
    folder = request.config.getoption("--record", default=None) or tmp_path_factory.mktemp("record")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Findings(list[Finding]):
    """What the run's probes have shown; each is written down as it comes."""

    def __init__(self, folder: Path, service: Service) -> None:
        super().__init__()
        self.folder = folder
        self._service = service

    def keep(self, finding: Finding) -> Path:
        self.append(finding)
        return write_finding(finding, self.folder, self._service.name, self._service.project)

    def write_report(self) -> None:
        path = self.folder / "report.md"
        path.write_text(report(self, self._service.name), encoding="utf-8")


@pytest.fixture(scope="session")
def findings(record_folder: Path, service: Service) -> Iterator[Findings]:
    kept = Findings(record_folder, service)
    yield kept
    kept.write_report()
