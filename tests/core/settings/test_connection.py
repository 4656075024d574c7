"""Settings and environment say where requests go, and the credential goes there only."""

from datetime import timedelta

import httpx
import pytest

from vertex_compat_integrations.core.endpoint import Endpoint
from vertex_compat_integrations.core.errors import CredentialsError, SettingsError
from vertex_compat_integrations.core.settings.connection import (
    EMULATOR_PROJECT,
    Connection,
    Destination,
    resolve_destination,
    resolve_model_name,
    resolve_source,
)
from vertex_compat_integrations.wire import EMULATOR_TOKEN

GLOBAL = "https://aiplatform.googleapis.com"


def destination(environment=None, **settings) -> Destination:
    return resolve_destination(Connection(**settings), environment or {})


def source(environment=None, **settings):
    connection = Connection(**settings)
    return resolve_source(connection, resolve_destination(connection, environment or {}))


@pytest.mark.parametrize(
    ("settings", "environment", "project", "location"),
    [
        ({}, {}, None, "global"),
        ({"project": "a", "location": "eu"}, {"GOOGLE_CLOUD_PROJECT": "b", "GOOGLE_CLOUD_LOCATION": "us"}, "a", "eu"),
        ({}, {"GOOGLE_CLOUD_PROJECT": "b", "GOOGLE_CLOUD_LOCATION": "us-central1"}, "b", "us-central1"),
        ({}, {"GCLOUD_PROJECT": "c", "GOOGLE_CLOUD_REGION": "europe-west4"}, "c", "europe-west4"),
        ({}, {"GOOGLE_CLOUD_PROJECT": "", "GCLOUD_PROJECT": "c"}, "c", "global"),
        ({"project_id": "a", "region": "eu"}, {}, "a", "eu"),
    ],
)
def test_the_constructor_comes_first_then_the_environment(settings, environment, project, location):
    found = destination(environment, **settings)
    assert (found.project, found.location) == (project, location)


def test_without_a_project_the_url_cannot_be_built():
    with pytest.raises(SettingsError, match="No project"):
        destination().build_base_url(None)
    assert destination().build_base_url("p") == f"{GLOBAL}/v1/projects/p/locations/global/endpoints/openapi"


def test_a_base_url_stands_for_all_of_it():
    found = destination(
        {"VERTEX_COMPAT_EMULATOR_HOST": "127.0.0.1:1"}, base_url="https://h.example/v1/chat/completions?"
    )
    assert found.build_base_url(None) == "https://h.example/v1"
    assert not found.emulated


@pytest.mark.parametrize(
    ("settings", "own"),
    [
        ({}, False),
        ({"endpoint": "123", "location": "us-central1"}, True),
        ({"base_url": "https://h.example/v1"}, True),
        ({"base_url": f"{GLOBAL}/v1/projects/p/locations/global/endpoints/openapi"}, False),
    ],
)
def test_a_server_of_ones_own_is_told_from_googles(settings, own):
    found = destination(**settings)
    assert found.own_server is own
    if own:
        assert resolve_model_name("", found) == ""
    else:
        with pytest.raises(SettingsError, match="No model"):
            resolve_model_name("", found)


@pytest.mark.parametrize("host", ["127.0.0.1:8", "http://127.0.0.1:8", "http://127.0.0.1:8/", "localhost:8", "[::1]:8"])
def test_the_emulators_variable_points_there_without_credentials(host):
    environment = {"VERTEX_COMPAT_EMULATOR_HOST": host}
    found = destination(environment)
    assert (found.emulated, found.project) == (True, EMULATOR_PROJECT)
    assert found.build_base_url("p").endswith(":8/v1/projects/p/locations/global/endpoints/openapi")
    headers = source(environment, credentials=lambda: "a real token").headers(found.origin, 1.0)
    assert headers["Authorization"] == f"Bearer {EMULATOR_TOKEN}"


@pytest.mark.parametrize("host", ["10.0.0.1:8", "http://emulator.example:8", "127.0.0.1.evil.com"])
def test_an_emulator_elsewhere_is_refused(host):
    with pytest.raises(SettingsError, match="not on this machine"):
        destination({"VERTEX_COMPAT_EMULATOR_HOST": host})


def test_an_emulator_elsewhere_may_be_named():
    environment = {"VERTEX_COMPAT_EMULATOR_HOST": "https://emulator.example:8"}
    assert destination(environment, allow_hosts=["emulator.example"]).emulated


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


FOREIGN_KEYS = ["AIza", "AQ.", "sk-", "sk-ant-", "ghp_", "github_pat_", "xai-", "gsk_", "hf_", "AKIA"]


@pytest.mark.parametrize("key", [*(f"{each}not-a-real-key" for each in FOREIGN_KEYS), "", "Bearer x"])
def test_what_is_no_token_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="token is") as caught:
        Connection(api_key=key)
    assert "not-a-real-key" not in str(caught.value)


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


def test_a_callable_is_no_key():
    with pytest.raises(ValueError, match="credentials="):
        Connection(api_key=lambda: "t")


@pytest.mark.parametrize(("name", "default"), [("timeout", 600.0), ("gap_timeout", 120.0), ("max_retries", 2)])
def test_none_means_the_default(name, default):
    assert getattr(Connection(**{name: None}), name) == getattr(Connection(), name) == default


@pytest.mark.parametrize("name", ["timeout", "request_timeout", "gap_timeout"])
@pytest.mark.parametrize(
    "value", [httpx.Timeout(5.0), (1.0, 5.0), timedelta(seconds=5)], ids=["httpx", "pair", "delta"]
)
def test_a_timeout_of_an_http_library_is_refused_with_what_to_set(name, value):
    with pytest.raises(SettingsError, match=f"{type(value).__name__}, not a number of seconds") as caught:
        Connection(**{name: value})
    assert "gap_timeout=" in caught.value.hint


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"gap_timeout": -1}, {"max_retries": -1}, {"api_version": "v2"}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Connection(**wrong)


def test_secrets_show_nowhere():
    connection = Connection(api_key="ya29.secret", credentials=None)
    assert "ya29.secret" not in f"{connection!r} {connection} {connection.model_dump()} {connection.model_dump_json()}"


def test_a_deployed_endpoint_has_its_own_url():
    found = destination(endpoint="mg-endpoint-1", location="us-central1", api_version="v1beta1", project="p")
    assert found.endpoint == Endpoint("us-central1", "v1beta1", "mg-endpoint-1")
    assert found.build_base_url("p").endswith("/v1beta1/projects/p/locations/us-central1/endpoints/mg-endpoint-1")
