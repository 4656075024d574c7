"""Clients that all objects of a process share: one a route, closed with the last object that uses it."""

import asyncio

from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import pool

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
