"""Clients that all objects of a process share: one a route, closed with the last object that uses it."""

import asyncio
from types import SimpleNamespace

import pytest

from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import pool
from vertex_compat_integrations.core.transport.post import Post

pytest_plugins = ("tests.core.client_fixtures",)


def clients():
    return {route: shared.client for route, shared in pool._POOL.clients.items()}


def ask(client):
    client.chat([{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash"))


def test_a_client_is_open_until_its_last_user_is_closed(build):
    before = clients()
    first, second = build(), build()
    ask(first)
    ask(second)
    ((_, shared),) = clients().items() - before.items()
    first.close()
    assert not shared.is_closed()
    second.close()
    assert shared.is_closed()
    assert clients() == before


async def test_on_a_loop_too(build):
    first, second = build(), build()
    for client in (first, second):
        await client.achat([{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash"))
    mine = pool._POOL.async_clients[asyncio.get_running_loop()]
    (shared,) = mine.values()
    await first.aclose()
    assert not shared.client.is_closed()
    await second.aclose()
    assert shared.client.is_closed()
    assert not mine


class BreaksWhenClosed:
    """A client whose answer cannot be closed, as where the loop has closed its connection before."""

    async def post(self, **_):
        return SimpleNamespace(response=self)

    async def aclose(self):
        raise ConnectionError("closed already")


async def read_half():
    async with pool._aposted(BreaksWhenClosed(), Post("/v1", b"{}", {}, 5, 5)):
        yield "half"
        raise ValueError("broken")


async def test_who_stops_reading_is_not_told_that_closing_failed():
    reading = read_half()
    assert await anext(reading) == "half"
    await reading.aclose()


async def test_else_it_is_raised():
    with pytest.raises(ConnectionError):
        [piece async for piece in read_half()]
