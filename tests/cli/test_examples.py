"""Each example runs offline by itself, and with `--live` wherever the environment points."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

ROOT = Path(__file__).parents[2]
EXPECTED = {
    "rag.py": ("From the note on the cellar: ", "behind the kitchen clock", "Tower(year=1887, metres=41)"),
    "agent.py": ("It rains in Oslo.", "It is 14:05 in Oslo."),
    "structured_output.py": (
        "Person(name='Ada Lovelace', age=36, address=Address(street=\"St James's Square 12\", city='London'))",
        "WeatherReport(city='Paris', degrees=17, summary=",
    ),
    "stock_sdk.py": ('The emulator heard "Why is the sky blue?"', "Person(name='Ada Lovelace', age=36)"),
}


def _run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_every_example_is_run():
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_it_runs_offline(name):
    done = _run(name)
    assert (done.returncode, done.stderr) == (0, "")
    for text in EXPECTED[name]:
        assert text in done.stdout


@pytest.mark.parametrize("name", EXPECTED)
def test_live_goes_where_the_environment_points(name):
    with Emulator() as emulator:
        done = _run(name, "--live", **{EMULATOR_HOST_VARIABLE: emulator.host, "GOOGLE_CLOUD_PROJECT": "p"})
        projects = {entry.project for entry in emulator.journal.chat}
    assert done.returncode == 0
    assert projects == {"p"}
