"""Tools that patch the SDK's `chat.completions.create` see the stock client, and nothing of our classes."""

import pytest
from openai.resources.chat.completions import Completions

from vertex_compat_integrations import openai_client


@pytest.fixture
def seen(monkeypatch) -> list[str]:
    models = []
    create = Completions.create

    def patched(self, **options):
        models.append(options["model"])
        return create(self, **options)

    monkeypatch.setattr(Completions, "create", patched)
    return models


def test_only_the_stock_client_is_seen(watched, seen):
    watched.chat_model.invoke("Hello")
    watched.llm.complete("Hello")
    assert seen == []
    with openai_client(**watched.settings) as client:
        client.chat.completions.create(model="google/gemini-3.5-flash", messages=[{"role": "user", "content": "Hi"}])
    assert seen == ["google/gemini-3.5-flash"]
    assert len(watched.emulator.journal.chat) == 3
