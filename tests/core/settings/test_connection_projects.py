"""Several projects and service accounts as settings: what may stand beside them, and whose token is sent."""

import asyncio

import pytest
from google.oauth2.credentials import Credentials

from tests.support.endpoint_bodies import HELLO, MODEL
from vertex_compat_integrations import async_openai_client, openai_client
from vertex_compat_integrations.core.adapters.model_spec import resolve_spec
from vertex_compat_integrations.core.auth.google import IMPERSONATION_HINT
from vertex_compat_integrations.core.auth.token_source import token_source
from vertex_compat_integrations.core.calls.embedding import EmbeddingOptions
from vertex_compat_integrations.core.client import Timing, VertexCompatClient
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError
from vertex_compat_integrations.core.settings.connection import (
    Connection,
    check_run_time_settings,
    check_settings,
    payers_of,
    resolve_destination,
    resolve_source,
)
from vertex_compat_integrations.core.settings.options import Options
from vertex_compat_integrations.emulator import Emulator, http_error, text
from vertex_compat_integrations.wire import EMULATOR_HOST_VARIABLE

GEMINI = "vertex_compat:google/gemini-3.5-flash"
E5 = "intfloat/multilingual-e5-small-maas"
BY_ENVIRONMENT = pytest.mark.filterwarnings(f"ignore:{EMULATOR_HOST_VARIABLE} is set")
FULL = http_error(429, headers={"Retry-After": "50"})
ACCOUNTS = ["one@emulator-project.iam.gserviceaccount.com", "two@emulator-project.iam.gserviceaccount.com"]


@pytest.fixture
def emulator(monkeypatch):
    with Emulator() as running:
        monkeypatch.setenv(EMULATOR_HOST_VARIABLE, running.host)
        yield running


def client(**settings):
    return VertexCompatClient(Connection(**settings), timing=Timing(chance=lambda: 0.0))


@pytest.mark.parametrize("nothing", [None, (), []])
def test_none_and_nothing_are_off(nothing):
    connection = Connection(projects=nothing, service_accounts=nothing, project="p")
    assert (connection.projects, connection.service_accounts) == ((), ())
    assert payers_of(connection) == [(None, None)]
    assert resolve_destination(connection, {}).project == "p"


def test_the_first_is_where_a_destination_points_whatever_the_environment_says():
    found = resolve_destination(Connection(projects=["a-a", "b-b"]), {"GOOGLE_CLOUD_PROJECT": "other"})
    assert found.project == "a-a"
    assert found.at("global", "b-b").project == "b-b"
    assert found.at("eu", "b-b") == resolve_destination(Connection(project="b-b", location="eu"), {})
    assert found.at("global", "a-a") is found


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"project": "p"}, "projects= together with project="),
        ({"base_url": "https://h.example/v1"}, "projects= together with base_url="),
        ({"endpoint": "1234567890", "location": "us-east5"}, "projects= together with endpoint="),
        ({"quota_project": "p"}, "projects= together with quota_project="),
        ({"projects": ["a-a", "b/b"]}, "project='b/b' is not a valid"),
        ({"projects": ["a-a", ""]}, "project='' is not a valid"),
        ({"projects": ["a-a", "YOUR_PROJECT_ID"]}, "placeholder"),
        ({"projects": ["a-a", "a-a"]}, "has a name twice"),
        ({"service_accounts": ACCOUNTS[:1]}, "projects= has 2 names, service_accounts= has 1"),
        ({"service_accounts": [ACCOUNTS[0], "x/y"]}, "'x/y', which is not a service account"),
        (
            {"service_accounts": ACCOUNTS, "impersonate_service_account": "a@b.example"},
            "service_accounts= together with impersonate_service_account=",
        ),
        ({"service_accounts": ACCOUNTS, "api_key": "t"}, "service_accounts= need google-auth credentials"),
        ({"service_accounts": ACCOUNTS, "credentials": lambda: "t"}, "need google-auth credentials"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(settings, message):
    with pytest.raises(SettingsError, match=message) as caught:
        check_settings(Connection(**{"projects": ["a-a", "b-b"]} | settings), MODEL)
    assert caught.value.hint


def test_the_same_account_may_call_for_two_projects():
    connection = Connection(projects=["a-a", "b-b"], service_accounts=[ACCOUNTS[0]] * 2)
    resolve_destination(connection, {})
    with pytest.raises(SettingsError, match="has a name twice"):
        resolve_destination(Connection(service_accounts=[ACCOUNTS[0]] * 2), {})


def test_a_string_is_no_list_of_projects():
    with pytest.raises(ValueError, match="valid tuple"):
        Connection(projects="a,b")


def test_no_caller_adds_a_credential_at_run_time():
    for name in ("service_accounts", "impersonate_service_account"):
        with pytest.raises(SettingsError, match=f"{name}= cannot be configured at run time"):
            check_run_time_settings([name])


def test_a_run_time_value_chooses_no_bucket():
    with pytest.raises(SettingsError, match="where the media of a conversation are stored"):
        check_run_time_settings(["media_bucket"])


@pytest.mark.parametrize("name", ["projects", "service_accounts"])
@pytest.mark.parametrize("make", [openai_client, async_openai_client])
def test_the_sdks_own_client_asks_one_server(make, name):
    with pytest.raises(SettingsError, match=f"{name}="):
        make(**{name: ACCOUNTS})


def resolved(spec, given=None, **environment):
    settings = resolve_spec(spec, given or {}, environment=environment).settings
    names = ("project", "projects", "impersonate_service_account", "service_accounts")
    return {name: settings[name] for name in names if name in settings}


def test_one_project_and_several_are_one_setting_to_a_specification():
    several = {"model": GEMINI, "projects": ["a", "b"]}
    assert resolved(several) == {"projects": ["a", "b"]}
    assert resolved(several, GOOGLE_CLOUD_PROJECT="c") == {"project": "c"}
    assert resolved(several, {"project": "c"}) == {"project": "c"}
    one = {"model": GEMINI, "project": "a"}
    assert resolved(one, {"projects": ["a", "b"]}, GOOGLE_CLOUD_PROJECT="c") == {"projects": ["a", "b"]}
    accounts = {"model": GEMINI, "service_accounts": ACCOUNTS}
    assert resolved(accounts, {"impersonate_service_account": "x@y"}) == {"impersonate_service_account": "x@y"}


@BY_ENVIRONMENT
def test_a_context_cache_stands_in_one_project(emulator):
    asking = client(projects=["a", "b"])
    for ask in (asking.chat, lambda *terms: asking.explain(*terms, stream=False)):
        with pytest.raises(SettingsError, match="cached_content together with several projects"):
            ask(HELLO, Options(model=MODEL, cached_content="c"))
    assert emulator.journal.chat == []


@BY_ENVIRONMENT
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


@BY_ENVIRONMENT
def test_without_a_quota_project_none_is_sent(emulator):
    """The header needs a permission of its own, serviceusage.services.use."""
    client(projects=["a-a", "b-b"]).chat(HELLO, Options(model=MODEL))
    assert "x-goog-user-project" not in emulator.journal.last.headers


@BY_ENVIRONMENT
def test_the_same_credential_goes_to_each_project(emulator):
    emulator.rule(FULL, project="a-a")
    client(projects=["a-a", "b-b"]).chat(HELLO, Options(model=MODEL))
    first, second = emulator.journal.chat
    assert first.headers["authorization"] == second.headers["authorization"]


@BY_ENVIRONMENT
def test_embeddings_go_on_to_the_next_project_and_stay_there(emulator):
    emulator.rule(FULL, project="a-a", route="embeddings")
    settings = {"projects": ["a-a", "b-b"], "location": "us-central1"}
    options = EmbeddingOptions(model=E5, batch_size=1)
    assert len(client(**settings).embed(["a", "b"], options, "text").vectors) == 2
    assert [entry.project for entry in emulator.journal.embeddings] == ["a-a", "b-b", "b-b"]
    assert len(asyncio.run(client(**settings).aembed(["a"], options, "text")).vectors) == 1


@BY_ENVIRONMENT
def test_token_counts_go_on_to_the_next_project(emulator):
    emulator.rule(FULL, project="a-a", route="count_tokens")
    assert client(projects=["a-a", "b-b"]).count_tokens(HELLO, Options(model=MODEL))


def test_each_account_has_its_own_token_which_is_fetched_once(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    connection = Connection(project="p", service_accounts=ACCOUNTS, proxy=server.proxy, ca_bundle=server.ca_bundle)
    destination = resolve_destination(connection, {})
    sources = [resolve_source(connection, destination, account) for account in (None, *ACCOUNTS, *ACCOUNTS)]
    principals = [server.identity.principal(source.headers(server.url, 5)["Authorization"]) for source in sources]
    assert principals == [ACCOUNTS[0], *ACCOUNTS, *ACCOUNTS]
    assert server.count("generateAccessToken") == 2
    assert sources[0] is sources[1]


class Refused:
    """The tokens of an account that may not be impersonated."""

    renewal = kind = "the account"
    expires = None

    def headers(self, url, timeout):
        raise CredentialsError("No token.", hint=IMPERSONATION_HINT)


@BY_ENVIRONMENT
def test_an_account_that_may_not_be_impersonated_ends_the_call_and_is_named(emulator):
    """As a 403 does: another account would hide the mistake."""
    emulator.rule(FULL, service_account=ACCOUNTS[0])
    asking = client(service_accounts=ACCOUNTS)
    asking._access._sources[ACCOUNTS[1]] = Refused()
    with pytest.raises(CredentialsError, match=f"service account '{ACCOUNTS[1]}'"):
        asking.chat(HELLO, Options(model=MODEL))
    assert len(emulator.journal.chat) == 1


@pytest.mark.parametrize("names", [{"service_accounts": ACCOUNTS}, {"impersonate_service_account": ACCOUNTS[0]}])
def test_several_accounts_are_trusted_no_further_than_one(names):
    google = Credentials(token="t")
    elsewhere = Connection(base_url="https://h.example/v1", credentials=google, **names)
    with pytest.raises(SettingsError, match="is not one of Google's hosts"):
        check_settings(elsewhere, "m")


def test_every_location_must_be_trusted_also_with_projects():
    def token():
        return "t"

    check_settings(Connection(base_url="https://h.example/v1", credentials=token), "m")
    with pytest.raises(SettingsError, match=r"was set for https://h\.example"):
        check_settings(Connection(projects=["a-a", "b-b"], credentials=token), MODEL)
