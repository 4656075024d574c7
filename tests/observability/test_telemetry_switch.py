"""Telemetry is off unless it is asked for, and whoever asks is told what is missing."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from vertex_compat_integrations.emulator import Emulator, http_error

ABSENT = """
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name="opentelemetry")
sys.meta_path.insert(0, Absent())
"""
CALLS = """
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.options import Options

hello, options = [{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash")
for variable, telemetry in asked:
    os.environ["VERTEX_COMPAT_TELEMETRY"] = variable
    client = VertexCompatClient(Connection(base_url=base_url, api_key=token, telemetry=telemetry))
    try:
        said = [client.chat(hello, options)[0].text, "".join(delta.text for delta in client.stream(hello, options))]
        print(said[0] == said[1] != "")
    except SettingsError as error:
        print(error)
    client.close()
    print(sorted(name for name in sys.modules if name == "opentelemetry" or name.endswith(".telemetry.observer")))
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def outcome(emulator: Emulator, *asked: tuple[str, bool | None], before: str = "") -> list[str]:
    """What a process of its own prints for each variable and setting: of two calls, and of the modules then loaded."""
    emulator.reset()
    emulator.answer(http_error(429, headers={"Retry-After": "0"}))
    known = {"base_url": emulator.base_url(), "token": emulator.identity.issue(), "asked": asked}
    code = f"import os, sys\n{before}\nglobals().update({known!r})\n{CALLS}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_nothing_is_loaded_until_somebody_asks_and_without_a_provider_calls_are_as_they_are(emulator):
    pytest.importorskip("opentelemetry.trace", reason="needs opentelemetry-api")
    loaded = "['opentelemetry', 'vertex_compat_integrations.core.telemetry.observer']"
    said = outcome(emulator, ("", None), ("true", False), ("true", None), ("", True))
    assert said == ["True", "[]", "True", "[]", "True", loaded, "True", loaded]


def test_the_missing_package_is_named_with_what_mends_it(emulator):
    answered, _, refused, loaded = outcome(emulator, ("", None), ("", True), before=ABSENT)
    assert "opentelemetry is not installed" in refused
    assert 'pip install "vertex-compat-integrations[otel]"' in refused
    assert (answered, loaded) == ("True", "[]")
