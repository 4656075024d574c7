"""A running emulator, and LLMs that speak to it as a caller with a token of the emulator's identity side."""

from collections.abc import Callable
from typing import Any

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.llama_index import VertexCompat


@pytest.fixture(autouse=True)
def _loop(loop_for_synchronous_tests: None) -> None:
    """Each test of this room has one."""


@pytest.fixture
def build(emulator: Emulator) -> Callable[..., VertexCompat]:
    """Builds an LLM on the emulator."""

    def make(model: str = "google/gemini-3.5-flash", **settings: Any) -> VertexCompat:
        token = emulator.identity.issue()
        return VertexCompat(**{"model": model, "base_url": emulator.base_url(), "api_key": token} | settings)

    return make


@pytest.fixture
def llm(build: Callable[..., VertexCompat]) -> VertexCompat:
    """An LLM on the emulator, as most callers have it."""
    return build()
