"""Calls of several locations, projects or service accounts: what goes on to the next place, and whose token is sent."""

import asyncio

import pytest

from tests.core.sample_credentials import ACCOUNTS
from tests.support.endpoint_bodies import HELLO, MODEL
from vertex_compat_integrations.core.auth.google import IMPERSONATION_HINT
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import http_error, text
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE, EMULATOR_TOKEN

E5 = "intfloat/multilingual-e5-small-maas"
FULL = http_error(429, headers={"Retry-After": "50"})

pytestmark = [
    pytest.mark.usefixtures("hosted"),
    pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set"),
]


def client(**settings):
    return VertexCompatClient(Connection(**settings), timing=Timing(chance=lambda: 0.0))


def test_a_context_cache_stands_in_one_location(emulator):
    asking = client(locations=["us", "eu"])
    for ask in (asking.chat, lambda *terms: asking.explain(*terms, stream=False)):
        with pytest.raises(SettingsError, match="cached_content"):
            ask(HELLO, Options(model=MODEL, cached_content="c"))
    assert emulator.journal.chat == []


def test_a_list_that_was_assigned_is_a_list(emulator):
    """Assigned attributes are not checked, so they are as the user has them."""
    emulator.rule(FULL, request_type="dedicated")
    options = Options(model=MODEL)
    options.request_type = ["dedicated", "shared"]
    reply = client(location="us").chat(HELLO, options)[0]
    assert reply.ending.request_type == "shared"


def test_the_credential_goes_along(emulator):
    emulator.rule(FULL, location="us")
    emulator.rule(text("Hello."))
    client(locations=["us", "eu"]).chat(HELLO, Options(model=MODEL))
    assert [entry.headers["authorization"] for entry in emulator.journal.chat] == [f"Bearer {EMULATOR_TOKEN}"] * 2


def test_embeddings_go_on_to_the_next_location_and_stay_there(emulator):
    emulator.rule(FULL, location="us-central1", route="embeddings")
    settings = {"locations": ["us-central1", "europe-west4"]}
    options = EmbeddingOptions(model=E5, batch_size=1)
    assert len(client(**settings).embed(["a", "b"], options, "text").vectors) == 2
    assert [entry.location for entry in emulator.journal.embeddings] == ["us-central1", "europe-west4", "europe-west4"]
    assert len(asyncio.run(client(**settings).aembed(["a"], options, "text")).vectors) == 1


def test_an_embedding_model_that_a_location_lacks_is_asked_for_at_the_next(emulator):
    asking = client(locations=["us-east1", "us-central1"])
    assert asking.embed(["a"], EmbeddingOptions(model=E5), "text").vectors
    assert [entry.location for entry in emulator.journal.embeddings] == ["us-east1", "us-central1"]


def test_a_context_cache_stands_in_one_project(emulator):
    asking = client(projects=["a", "b"])
    for ask in (asking.chat, lambda *terms: asking.explain(*terms, stream=False)):
        with pytest.raises(SettingsError, match="cached_content together with several projects"):
            ask(HELLO, Options(model=MODEL, cached_content="c"))
    assert emulator.journal.chat == []


def test_the_credentials_own_quota_project_gives_way(emulator):
    """The file of `gcloud auth application-default login` names one, which every project's requests would use up."""
    emulator.rule(FULL, project="a-a")
    emulator.rule(text("Hello."))
    asking = client(projects=["a-a", "b-b"])
    token = emulator.identity.issue()
    asking._access._resolved = asking._access.resolve()[0], token_source(token=token, quota_project="of-the-file")
    asking.chat(HELLO, Options(model=MODEL))
    charged = [entry.headers["x-goog-user-project"] for entry in emulator.journal.chat]
    assert charged == ["a-a", "b-b"]


def test_without_a_quota_project_none_is_sent(emulator):
    """The header needs a permission of its own, serviceusage.services.use."""
    client(projects=["a-a", "b-b"]).chat(HELLO, Options(model=MODEL))
    assert "x-goog-user-project" not in emulator.journal.last.headers


def test_the_same_credential_goes_to_each_project(emulator):
    emulator.rule(FULL, project="a-a")
    client(projects=["a-a", "b-b"]).chat(HELLO, Options(model=MODEL))
    first, second = emulator.journal.chat
    assert first.headers["authorization"] == second.headers["authorization"]


def test_embeddings_go_on_to_the_next_project_and_stay_there(emulator):
    emulator.rule(FULL, project="a-a", route="embeddings")
    settings = {"projects": ["a-a", "b-b"], "location": "us-central1"}
    options = EmbeddingOptions(model=E5, batch_size=1)
    assert len(client(**settings).embed(["a", "b"], options, "text").vectors) == 2
    assert [entry.project for entry in emulator.journal.embeddings] == ["a-a", "b-b", "b-b"]
    assert len(asyncio.run(client(**settings).aembed(["a"], options, "text")).vectors) == 1


def test_token_counts_go_on_to_the_next_project(emulator):
    emulator.rule(FULL, project="a-a", route="count_tokens")
    assert client(projects=["a-a", "b-b"]).count_tokens(HELLO, Options(model=MODEL))


class Refused:
    """The tokens of an account that may not be impersonated."""

    renewal = kind = "the account"
    expires = None

    def headers(self, url, timeout):
        raise CredentialsError("No token.", hint=IMPERSONATION_HINT)


def test_an_account_that_may_not_be_impersonated_ends_the_call_and_is_named(emulator):
    """As a 403 does: another account would hide the mistake."""
    emulator.rule(FULL, service_account=ACCOUNTS[0])
    asking = client(service_accounts=ACCOUNTS)
    asking._access._sources[ACCOUNTS[1]] = Refused()
    with pytest.raises(CredentialsError, match=f"service account '{ACCOUNTS[1]}'"):
        asking.chat(HELLO, Options(model=MODEL))
    assert len(emulator.journal.chat) == 1
