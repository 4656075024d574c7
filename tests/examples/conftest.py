"""A way to play an example."""

import asyncio
import importlib.util
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from vertex_compat_integrations.emulator import Journal
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

EXAMPLES = Path(__file__).parents[2] / "examples"


PROJECT = "project-of-the-environment"


@pytest.fixture
def play_example(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Journal]:
    """Runs an example as its own switch does offline; gives what the emulator was asked."""
    # An example sets these for its process; here they shall end with the test.
    monkeypatch.setenv(EMULATOR_HOST_VARIABLE, "")
    monkeypatch.setenv("PYTHONWARNINGS", "")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.syspath_prepend(EXAMPLES)

    # Else LlamaIndex's synchronous engines make a loop for this thread, which the next `asyncio.run` drops unclosed.
    asyncio.set_event_loop(None)

    def play_one(name: str) -> Journal:
        with _loaded("place").emulate() as emulator, warnings.catch_warnings():
            # What the example on images says of its model.
            warnings.filterwarnings("ignore", message="According to its page")
            _loaded(Path(name).stem).run()
        assert {entry.status for entry in emulator.journal.entries} == {200}
        assert {entry.project for entry in emulator.journal.chat} == {PROJECT}
        return emulator.journal

    return play_one


def _loaded(name: str) -> ModuleType:
    """The example as a module under a name that no installed package has."""
    alias = f"vertex_compat_example_{name}"
    if alias not in sys.modules:
        spec = importlib.util.spec_from_file_location(alias, EXAMPLES / f"{name}.py")
        sys.modules[alias] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[alias])
    return sys.modules[alias]
