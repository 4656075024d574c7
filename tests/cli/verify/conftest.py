"""`verify`, run in this process against an emulator or against chosen answers."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from vertex_compat_integrations.cli.app import app
from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE


class Outcome(NamedTuple):
    """How a run ended."""

    code: int
    output: str
    report: dict[str, Any]
    page: str


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "GCLOUD_", "CLOUDSDK_", "VERTEX_COMPAT")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def shared_emulator() -> Iterator[Emulator]:
    """As the command's own: models whose day has come are not found."""
    with Emulator(serve_retired=False) as emulator:
        yield emulator


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Runs the command against an endpoint on loopback."""

    def run(host: str, *arguments: str) -> Outcome:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, host)
        folder = tmp_path / "out"
        result = CliRunner().invoke(app, ["verify", "--output", str(folder), *arguments])
        assert "Traceback" not in result.output
        return Outcome(result.exit_code, result.output, *newest_report(folder))

    return run


def newest_report(folder: Path) -> tuple[dict[str, Any], str]:
    files = sorted(folder.glob("*.json"))
    if not files:
        return {}, ""
    page = files[-1].with_suffix(".md").read_text(encoding="utf-8")
    return json.loads(files[-1].read_text(encoding="utf-8")), page
