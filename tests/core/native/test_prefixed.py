"""A client whose calls begin with a prefix."""

import asyncio

import pytest

from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.native.prefixed import CacheScope, PrefixedClient, prefix_of
from vertex_compat_integrations.core.settings.options import Options

pytest_plugins = ["tests.core.client_fixtures"]

OPTIONS = Options(model="google/gemini-3.5-flash")
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "The harbour is deep. " * 1000}]
TOOL = {"type": "function", "function": {"name": "depth", "parameters": {"type": "object", "properties": {}}}}
QUESTION = [{"role": "user", "content": "How deep?"}]


@pytest.fixture
def prefixed(build):
    return PrefixedClient(build(), prefix_of(MESSAGES, [TOOL], None, "600s"))


def test_each_way_has_the_prefix(prefixed, emulator):
    async def pieces():
        return [delta async for delta in prefixed.astream(QUESTION, OPTIONS)]

    endings = [
        prefixed.chat(QUESTION, OPTIONS)[0].ending,
        asyncio.run(prefixed.achat(QUESTION, OPTIONS))[0].ending,
        list(prefixed.stream(QUESTION, OPTIONS))[-1].ending,
        asyncio.run(pieces())[-1].ending,
        prefixed.limited({"timeout": 9.0}).chat(QUESTION, OPTIONS)[0].ending,
    ]
    assert len({ending.usage.cached for ending in endings}) == 1
    assert endings[0].usage.cached > 4096
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST"]
    assert emulator.journal.last.body["messages"] == QUESTION


def test_what_is_counted_is_the_whole_prompt(prefixed, emulator):
    count = prefixed.count_tokens(QUESTION, OPTIONS)
    assert count == asyncio.run(prefixed.acount_tokens(QUESTION, OPTIONS)) > 4096


def test_what_is_explained_is_the_cache_and_the_rest(prefixed, emulator):
    explanation = prefixed.explain(QUESTION, OPTIONS, stream=False)
    assert explanation.body["messages"] == QUESTION
    prefixed.chat(QUESTION, OPTIONS)
    assert emulator.journal.caches[1].body == explanation.cache.body


def test_a_scope_creates_and_deletes(build, emulator):
    client = build()
    with CacheScope(client, prefix_of(MESSAGES, None, None, 600), OPTIONS, "the model") as model:
        assert model == "the model"

    async def use():
        async with CacheScope(client, prefix_of(MESSAGES, None, None, None), OPTIONS, "the model") as model:
            return model

    assert asyncio.run(use()) == "the model"
    assert [entry.method for entry in emulator.journal.caches] == ["GET", "POST", "DELETE"] * 2


def test_a_short_prefix_is_refused_before_anything_is_sent(build, emulator):
    with pytest.raises(SettingsError, match="needs 4,096"):
        CacheScope(build(), prefix_of(QUESTION, None, None, None), OPTIONS, None)
    assert not emulator.journal.entries
