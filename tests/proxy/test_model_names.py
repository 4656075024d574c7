"""What programs call their models, and which they get."""

import openai
import pytest

from tests.proxy.samples import HELLO, MODEL, NAME
from vertex_compat_integrations.core.errors import SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.proxy import Proxy

PRO = "google/gemini-3.1-pro-preview"


def asked_for(emulator, client, name: str) -> str:
    client.chat.completions.create(model=name, messages=HELLO)
    return emulator.journal.last.body["model"]


def test_a_name_gets_the_model_of_its_row(emulator, client):
    assert asked_for(emulator, client, NAME) == MODEL


@pytest.mark.parametrize("name", [PRO, "gemini-3.1-pro-preview", "models/gemini-3.1-pro-preview"])
def test_the_endpoints_own_names_need_no_row(emulator, client, name):
    assert asked_for(emulator, client, name) == PRO


def test_a_name_without_a_row_is_told_how_to_get_one(emulator, client):
    with pytest.raises(openai.NotFoundError, match=r"--map gpt-5=google/gemini-3\.5-flash") as caught:
        asked_for(emulator, client, "gpt-5")
    assert caught.value.code == "model_not_found"
    assert emulator.journal.chat == []


def test_a_star_is_any_name_that_is_none_of_the_endpoint(emulator, connection, client_of):
    with Proxy(connection, {"*": "gemini-3.5-flash", NAME: PRO}) as proxy:
        client = client_of(proxy)
        assert asked_for(emulator, client, "gpt-5") == MODEL
        assert asked_for(emulator, client, NAME) == PRO
        assert asked_for(emulator, client, PRO) == PRO
        assert [model.id for model in client.models.list()] == [NAME]


def test_a_star_is_no_embedding_model(emulator, client_of):
    """A chat model makes no vectors; which embedding model is meant, only a row can say."""
    e5 = "intfloat/multilingual-e5-small-maas"
    regional = Connection(base_url=emulator.base_url(location="us-central1"), api_key=emulator.identity.issue())
    with Proxy(regional, {"*": MODEL, "mine": e5}) as proxy:
        client = client_of(proxy)
        with pytest.raises(openai.NotFoundError, match=r"--map text-embedding-3-small=MODEL .* only for chat models"):
            client.embeddings.create(model="text-embedding-3-small", input="a")
        assert emulator.journal.entries == []
        for name in ("mine", e5):
            assert client.embeddings.create(model=name, input="a").data
            assert emulator.journal.embeddings[-1].body["model"] == e5


def test_the_names_are_listed_as_openai_lists_models(client):
    [model] = client.models.list()
    assert (model.id, model.object, model.owned_by) == (NAME, "model", "google")
    assert client.models.retrieve(NAME) == model
    assert client.models.retrieve(PRO).id == PRO
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-5")


@pytest.mark.parametrize("rows", [{"gpt-4o": "gpt-4o"}, {"": MODEL}, {"gpt-4o": ""}, {"*": "x"}])
def test_a_row_that_names_no_model_is_refused_before_anything_is_served(rows):
    with pytest.raises(SettingsError):
        Proxy(Connection(project="p", api_key="token"), rows)
