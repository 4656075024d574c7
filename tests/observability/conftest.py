"""Both frameworks' classes on an emulator, to be watched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from vertex_compat_integrations.emulator import Emulator
from vertex_compat_integrations.langchain import ChatVertexCompat
from vertex_compat_integrations.llama_index import VertexCompat


@dataclass(frozen=True)
class Watched:
    """An emulator with a token, and what asks it."""

    emulator: Emulator
    token: str

    @property
    def settings(self) -> dict[str, Any]:
        return {"base_url": self.emulator.base_url(), "api_key": self.token}

    @property
    def chat_model(self) -> ChatVertexCompat:
        return ChatVertexCompat(model="google/gemini-3.5-flash", include_thoughts=True, max_retries=0, **self.settings)

    @property
    def llm(self) -> VertexCompat:
        return VertexCompat(model="google/gemini-3.5-flash", include_thoughts=True, max_retries=0, **self.settings)


@pytest.fixture
def watched() -> Iterator[Watched]:
    with Emulator() as emulator:
        yield Watched(emulator, emulator.identity.issue())
