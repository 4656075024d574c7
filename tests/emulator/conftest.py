"""A running emulator, and how to ask it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from emulator_client import Ask, asker

from vertex_compat_integrations.emulator import Emulator


@pytest.fixture(scope="module")
def shared_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Iterator[Emulator]:
    """The emulator, as if it had just started."""
    shared_emulator.reset()
    yield shared_emulator
    shared_emulator.reset()


@pytest.fixture
def ask(emulator: Emulator) -> Ask:
    return asker(emulator)


@pytest.fixture
def function() -> Callable[..., dict[str, Any]]:
    """Declares a tool: its name, and its parameters' schemas by name, all required."""

    def declare(name: str, description: str = "", /, **properties: Any) -> dict[str, Any]:
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
        return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}

    return declare
