"""A running emulator, and chat models that speak to it as a caller with a token of the emulator's identity side."""

from collections.abc import Callable
from typing import Any

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat


@pytest.fixture
def chat(emulator: Emulator) -> Callable[..., ChatVertexCompat]:
    """Builds a chat model on the emulator."""

    def build(model: str = "google/gemini-3.5-flash", **settings: Any) -> ChatVertexCompat:
        token = emulator.identity.issue()
        return ChatVertexCompat(**{"model": model, "base_url": emulator.base_url(), "api_key": token} | settings)

    return build
