"""The client that an object of a framework has: one for as long as its settings stay."""

from vertex_compat_integrations.core.adapters.client_holder import HoldsClient, client_for
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.core.transport import pool
from vertex_compat_integrations.emulator import Emulator


class Held(HoldsClient):
    def __init__(self, connection):
        self._connection, self._client = connection, None

    def _core(self):
        self._client = client_for(self._connection, None, self._client)
        return self._client[1]


def test_a_client_is_kept_while_its_settings_stay():
    connection = Connection(project="p")
    kept = client_for(connection, None, None)
    assert client_for(connection, None, kept)[1] is kept[1]
    assert client_for(connection, {"thinking": None}, kept)[1] is not kept[1]
    connection.timeout = 5
    assert client_for(connection, None, kept)[1] is not kept[1]


def test_a_change_of_the_settings_leaves_a_client_that_exists():
    connection = Connection(project="p", timeout=9.0)
    _, client = client_for(connection, None, None)
    connection.timeout = 5.0
    assert client._calls.connection.timeout == 9.0


def test_closing_before_the_first_call_creates_no_client():
    held = Held(Connection(project="p"))
    with held:
        pass
    assert held._client is None


async def test_it_is_prepared_and_closed_with_its_client():
    def is_used():
        return any(route.origin == emulator.url for route in pool._POOL.users)

    with Emulator() as emulator:
        held = Held(Connection(base_url=emulator.base_url(), api_key=emulator.identity.issue()))
        assert not is_used()
        held.preload()
        await held.apreload()
        assert is_used()
        assert not emulator.journal.entries
        held._core().chat([{"role": "user", "content": "Hello"}], Options(model="google/gemini-3.5-flash"))
        held.close()
        await held.aclose()
        assert not is_used()
