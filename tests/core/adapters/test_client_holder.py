"""The client that an object of a framework has: one for as long as its settings stay."""

from typing import Any

import pytest
from pydantic import PrivateAttr

from tests.support.endpoint_bodies import assistant_calls
from vertex_compat_integrations.core.adapters.client_holder import HoldsChatClient, HoldsClient, client_for
from vertex_compat_integrations.core.client import VertexCompatClient
from vertex_compat_integrations.core.errors import HistoryError, SettingsError
from vertex_compat_integrations.core.native.prefixed import PrefixedClient, prefix_of
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


class Chat(HoldsChatClient, Connection):
    """A chat model of no framework."""

    model_facts: dict[str, Any] | None = None
    _client: Any = PrivateAttr(default=None)
    _prefix: Any = PrivateAttr(default=None)
    _line_of = staticmethod(lambda message: f"line({message['role']!r})")


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


def test_a_call_with_limits_of_its_own_has_a_client_with_them():
    chat = Chat(project="p", timeout=9.0)
    assert chat._core() is chat._core({"temperature": 0.5})
    assert chat._core({"timeout": 3})._calls.connection.timeout == 3
    assert chat._core()._calls.connection.timeout == 9.0


def test_errors_are_in_the_words_of_the_framework():
    history = [{"role": "user", "content": "Hi"}, assistant_calls(("a", "look"))]
    with pytest.raises(HistoryError, match=r"line\('tool'\)"):
        Chat(project="p")._core().chat(history, Options(model="google/gemini-3.5-flash"))


def test_calls_begin_with_the_prefix_of_a_copy_for_a_context_cache():
    chat, options = Chat(project="p", location="global"), Options(model="google/gemini-2.5-flash")
    prefix = prefix_of([{"role": "system", "content": "rule " * 20_000}], None, None, 600)
    with_cache = chat._cache_scope(prefix, options, {})._model
    assert with_cache._prefix is prefix
    assert isinstance(with_cache._core(), PrefixedClient)
    assert with_cache._core().context_caches.entries is chat._core().context_caches.entries
    assert isinstance(chat._core(), VertexCompatClient)
    with pytest.raises(SettingsError, match="This model has a context cache"):
        with_cache._cache_scope(prefix, options, {})
