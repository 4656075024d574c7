"""ChatOpenAI on the emulator, whose chat completions are OpenAI's form."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from vertex_compat_integrations.emulator import Emulator


@pytest_asyncio.fixture
async def chat_openai(emulator: Emulator) -> AsyncIterator[Any]:
    """The class of langchain-openai, without retries of its own; it would share its HTTP clients with other tests."""
    module = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

    with DefaultHttpxClient() as client:
        async with DefaultAsyncHttpxClient() as async_client:
            yield module.ChatOpenAI(
                model="google/gemini-2.5-flash",
                base_url=emulator.base_url(),
                api_key=emulator.identity.issue(),
                max_retries=0,
                http_client=client,
                http_async_client=async_client,
            )
