"""How to ask a client in each of its four ways."""

import asyncio
from typing import Any

import pytest

from tests.support.endpoint_bodies import HELLO, MODEL, Joined, join
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.reply.reply import Reply
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, text

WORDS = text("One two three four.")
EVERY_WAY = pytest.mark.parametrize("way", ["chat", "achat", "stream", "astream"])
BOTH_STREAMS = pytest.mark.parametrize("way", ["stream", "astream"])


def ask(client: VertexCompatClient, way: str, messages: Any = HELLO, **options: Any) -> Reply | Joined:
    """The answer, whichever way it is asked for."""
    chosen = Options(**{"model": MODEL} | options)

    async def collected() -> list[Any]:
        return [delta async for delta in client.astream(messages, chosen)]

    match way:
        case "chat":
            return client.chat(messages, chosen)[0]
        case "achat":
            return asyncio.run(client.achat(messages, chosen))[0]
        case "stream":
            return join(client.stream(messages, chosen))
        case _:
            return join(asyncio.run(collected()))


def requests(emulator: Emulator) -> int:
    return len(emulator.journal.chat)
