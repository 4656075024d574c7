"""The credential goes to the destination only."""

import pytest

from tests.core.sample_credentials import ACCOUNTS, FOREIGN_KEYS
from vertex_compat_integrations.core.auth.source import Account
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError
from vertex_compat_integrations.core.settings.connection import Connection
from vertex_compat_integrations.core.settings.credential import resolve_project, resolve_source
from vertex_compat_integrations.core.settings.destination import resolve_destination


def source(**settings):
    connection = Connection(**settings)
    return resolve_source(connection, resolve_destination(connection, {}))


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "https://h.example/v1"},
        {"base_url": "https://h.example/v1", "impersonate_service_account": "a@b"},
        {"base_url": "http://h.example/v1", "api_key": "t"},
        {"base_url": "http://h.example/v1", "credentials": lambda: "t"},
        {"base_url": "http://h.example/v1", "allow_hosts": ["h.example"]},
        {"base_url": "http://127.0.0.1:1/v1"},
        {"endpoint": "1", "location": "us-central1", "endpoint_host": "h.example"},
        {"endpoint": "1", "location": "us-central1", "endpoint_host": "h.example", "api_key": "t"},
        {"base_url": "https://googleapis.com.evil.com/v1"},
    ],
)
def test_a_google_credential_goes_nowhere_else(settings):
    with pytest.raises(SettingsError) as caught:
        source(**settings)
    assert caught.value.hint


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"location": "us-central1"},
        {"location": "eu"},
        {"endpoint": "1", "location": "us-central1", "endpoint_host": "1.us-central1-2.prediction.vertexai.goog"},
        {"base_url": "https://h.example/v1", "allow_hosts": ["h.example"]},
        {"base_url": "https://h.example/v1", "api_key": "t"},
        {"base_url": "https://h.example/v1", "credentials": lambda: "t"},
        {"base_url": "http://127.0.0.1:1/v1", "allow_hosts": ["http://127.0.0.1:1"]},
        {"base_url": "http://127.0.0.1:1/v1", "api_key": "t"},
    ],
)
def test_where_it_may_go_it_goes_and_nothing_is_loaded_before(settings):
    assert source(**settings).kind


@pytest.mark.parametrize("key", FOREIGN_KEYS)
@pytest.mark.parametrize("base_url", ["https://h.example/v1", "http://127.0.0.1:1/v1"])
def test_a_server_of_ones_own_takes_any_key(key, base_url):
    own = source(base_url=base_url, api_key=f"{key}x")
    assert own.headers(base_url, 1)["Authorization"] == f"Bearer {key}x"
    lent = source(base_url=base_url, credentials=lambda: f"{key}x")
    assert lent.headers(base_url, 1)["Authorization"] == f"Bearer {key}x"


@pytest.mark.parametrize("key", FOREIGN_KEYS)
def test_google_takes_none_also_by_its_url_and_from_a_callable(key):
    url = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"
    with pytest.raises(ValueError, match=r"token is an? "):
        Connection(base_url=url, api_key=f"{key}x")
    with pytest.raises(CredentialsError, match=r"token is an? "):
        source(base_url=url, credentials=lambda: f"{key}x").headers(url, 1)


def test_each_account_has_its_own_token_which_is_fetched_once(server, write_adc):
    write_adc(server.identity.service_account_info(server.url))
    connection = Connection(project="p", service_accounts=ACCOUNTS, proxy=server.proxy, ca_bundle=server.ca_bundle)
    destination = resolve_destination(connection, {})
    sources = [resolve_source(connection, destination, account) for account in (None, *ACCOUNTS, *ACCOUNTS)]
    principals = [server.identity.principal(source.headers(server.url, 5)["Authorization"]) for source in sources]
    assert principals == [ACCOUNTS[0], *ACCOUNTS, *ACCOUNTS]
    assert server.count("generateAccessToken") == 2
    assert sources[0] is sources[1]


class Owner:
    """A credential with a project of its own, which notes when it is asked."""

    def __init__(self):
        self.asked = []

    def account(self, timeout):
        self.asked.append(timeout)
        return Account(project="own-project")


@pytest.mark.parametrize(
    ("settings", "project", "asked"),
    [
        ({"project": "p"}, "p", []),
        ({"projects": ["a-a", "b-b"]}, "a-a", []),
        ({}, "own-project", [3.0]),
        ({"base_url": "https://h.example/v1"}, None, []),
        ({"base_url": "https://h.example/v1", "project": "p"}, "p", []),
    ],
)
def test_the_credential_is_asked_for_its_project_only_if_one_is_needed(settings, project, asked):
    owner = Owner()
    assert resolve_project(resolve_destination(Connection(**settings), {}), owner, 3.0) == project
    assert owner.asked == asked
