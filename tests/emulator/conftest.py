"""A running emulator, and how to ask it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.emulator_client import Ask, asker
from vertex_compat_integrations.emulator import Emulator


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
