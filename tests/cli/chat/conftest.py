"""An emulator, credentials whose tokens come from it, and a module with tools."""

import json
import sys
from collections.abc import Iterator

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

TOOLS = '''
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."

def add(left: int, right: int) -> dict:
    return {"sum": left + right}

def fail() -> str:
    raise RuntimeError("the tool is out of order")

async def wait() -> str:
    return "waited"

def odd(thing: "Nothing") -> str:
    return ""

def nameless(thing: str, /) -> str:
    return thing

NUMBER = 3
'''


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def environment(emulator, tmp_path, monkeypatch):
    """Application Default Credentials whose tokens come from the emulator, and a folder with tools."""
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(emulator.identity.service_account_info(emulator.url)))
    tmp_path.joinpath("chat_test_tools.py").write_text(TOOLS)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(EMULATOR_HOST_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "chat_test_tools", raising=False)
